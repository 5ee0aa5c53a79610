package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ContainerNodeIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  void node_pausedKilledStoppedAndStartedAgain_keepsItsDataAndIsGoneWhenClosed() throws Exception {
    requireDocker();
    ContainerNode node =
        ContainerNode.builder(ElasticsearchVersion.V8)
            .nodeName("first")
            .setting("cluster.name", "in-a-container")
            .start();
    try (node) {
      assertThat(get(node, "/_cluster/health", LIMIT)).contains("in-a-container");
      assertThat(get(node, "/_cat/nodes?h=name", LIMIT)).isEqualToIgnoringWhitespace("first");
      put(node, "/kept/_doc/1?refresh=true", "{\"n\":1}");

      node.pause();
      node.pause();
      assertThatExceptionOfType(HttpTimeoutException.class)
          .isThrownBy(() -> get(node, "/_cluster/health", Duration.ofSeconds(1)));
      node.resume();
      node.resume();
      assertThat(get(node, "/kept/_doc/1", LIMIT)).contains("\"n\":1");

      node.pause();
      node.kill();
      node.kill();
      assertThatIllegalStateException().isThrownBy(node::pause).withMessageContaining("first");
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> get(node, "/_cluster/health", LIMIT))
          .withCauseInstanceOf(ConnectException.class);
      node.relaunch();
      node.awaitUp();
      assertThat(get(node, "/kept/_doc/1", LIMIT)).contains("\"n\":1");

      node.stop();
      node.relaunch();
      node.awaitUp();
      assertThat(get(node, "/kept/_doc/1", LIMIT)).contains("\"n\":1");
      assertThat(node.log()).contains("stopping").contains("started");
    }
    assertThat(node.log()).isEmpty();
    assertThatIllegalStateException().isThrownBy(node::relaunch).withMessageContaining("closed");
    node.close();
  }

  @Test
  void start_settingThatElasticsearchRefuses_saysWhyAndLeavesNothing() {
    requireDocker();
    assertThatExceptionOfType(NodeStartException.class)
        .isThrownBy(
            () -> ContainerNode.builder(ElasticsearchVersion.V8).setting("no.such", "x").start())
        .withMessageContaining("unknown setting [no.such]");
  }

  @Test
  void setting_nameThatNoEnvironmentTakes_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ContainerNode.builder(ElasticsearchVersion.V8).setting("Upper.case", "x"))
        .withMessageContaining("Upper.case");
  }

  @Test
  void release_ofEachVersion_isThatOfTheUnpackedDistribution() {
    for (ElasticsearchVersion version : ElasticsearchVersion.values()) {
      assertThat(version.release()).isEqualTo(version.number());
    }
  }

  private static void requireDocker() {
    Optional<String> reason = ContainerNode.unsupportedReason();
    Assumptions.assumeTrue(reason.isEmpty(), () -> reason.orElse(""));
  }

  private String get(Node node, String path, Duration limit)
      throws IOException, InterruptedException {
    return Requests.send(http, HttpRequest.newBuilder(node.httpUri().resolve(path)).build(), limit)
        .body();
  }

  private void put(Node node, String path, String json) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(node.httpUri().resolve(path))
            .header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(json))
            .build();
    assertThat(Requests.send(http, request, LIMIT).statusCode()).isEqualTo(201);
  }
}
