package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ClusterIT {

  private static final Duration LIMIT = Duration.ofMinutes(2);

  @Test
  void cluster_primaryKilledAndBack_movesAndIsGreenAgain() throws Exception {
    List<Integer> published = new ArrayList<>();
    List<Long> pids = new ArrayList<>();
    try (Cluster<ElasticsearchNode> cluster =
        Cluster.builder(ElasticsearchVersion.V8)
            .publishTransportAt(
                port -> {
                  published.add(port);
                  return port;
                })
            .start()) {
      assertThat(cluster.nodes())
          .extracting(ElasticsearchNode::name)
          .containsExactly("n1", "n2", "n3");
      assertThat(cluster.nodes())
          .extracting(ElasticsearchNode::transportPort)
          .containsExactlyElementsOf(published);
      assertThat(cluster.master()).isPresent();
      assertThat(cluster.primaryOf("nothing")).isEmpty();
      assertThatIllegalArgumentException().isThrownBy(() -> cluster.node("n4"));
      cluster.request("PUT", "/things", "{\"settings\":{\"auto_expand_replicas\":\"0-2\"}}");
      cluster.awaitGreen(LIMIT);

      ElasticsearchNode primary = cluster.primaryOf("things").orElseThrow();
      primary.kill();
      assertThat(cluster.isGreen()).isFalse();
      assertThat(Polling.until(LIMIT, () -> primaryIsElsewhere(cluster, primary))).isTrue();

      cluster.reviveAll();
      cluster.awaitGreen(LIMIT);
      cluster.nodes().forEach(node -> pids.add(node.serverPid()));
    }
    assertThat(pids).hasSize(3).noneMatch(Processes::isRunning);
  }

  private static boolean primaryIsElsewhere(Cluster<?> cluster, Node before) {
    try {
      return cluster.primaryOf("things").filter(node -> node != before).isPresent();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
