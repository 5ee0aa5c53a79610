package dev.holdfast.bench.ttl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command, against a real node. */
@Tag("slow")
class TtlCommandIT {
  @TempDir private Path folder;

  @Test
  void ttl_onARealNode_measuresAndLeavesNothing() throws Exception {
    assumeTrue(ElasticsearchNode.unsupportedReason(ElasticsearchVersion.V8).isEmpty());
    URI node = SharedNodes.get(ElasticsearchVersion.V8).httpUri();
    Path json = folder.resolve("ttl.json");
    int status =
        new CommandLine(new TtlCommand())
            .execute(
                "--url=" + node,
                "--rate=200",
                "--duration=4s",
                "--warm-up=1s",
                "--burst=1s",
                "--json=" + json);
    // Whether a TTL can be advised depends on the machine's mood.
    assertThat(status).isIn(0, 1);
    JsonNode figures = new ObjectMapper().readTree(json.toFile());
    assertThat(figures.get("renewals").get("count").asInt()).isEqualTo(800);
    assertThat(figures.get("renewals").get("p50").asDouble()).isPositive();
    assertThat(figures.get("pauses").get("count").asLong()).isPositive();
    assertThat(figures.get("capacityPerSecond").asDouble()).isPositive();
    // One machine, one clock: the interval must have 0 in it.
    JsonNode clock = figures.get("clocks").get(0);
    assertThat(clock.get("aheadAtLeastSeconds").asDouble()).isLessThanOrEqualTo(0.001);
    assertThat(clock.get("aheadAtMostSeconds").asDouble()).isGreaterThanOrEqualTo(-0.001);
    assertThat(figures.get("advice").isNull()).isEqualTo(status == 1);
    assertThat(
            Target.of(List.of(node))
                .request("GET", node, "/holdfast-locks-ttl-*?expand_wildcards=all"))
        .isEmpty();
  }

  /** The other kinds take minutes, with Elasticsearch's default fault detection. */
  @Test
  void ttl_failoverOnItsOwnCluster_measuresHowLongRenewalsWaited() throws Exception {
    assumeTrue(ElasticsearchNode.unsupportedReason(ElasticsearchVersion.V8).isEmpty());
    Path json = folder.resolve("ttl.json");
    int status =
        new CommandLine(new TtlCommand())
            .execute(
                "--failover=killed",
                "--rate=100",
                "--duration=5s",
                "--warm-up=1s",
                "--burst=0s",
                "--json=" + json);
    assertThat(status).isIn(0, 1);
    JsonNode figures = new ObjectMapper().readTree(json.toFile());
    assertThat(figures.get("failovers")).hasSize(1);
    JsonNode failover = figures.get("failovers").get(0);
    assertThat(failover.get("kind").asText()).isEqualTo("killed");
    assertThat(failover.has("skipped")).isFalse();
    assertThat(failover.get("recovered").asBoolean()).isTrue();
    double gap = failover.get("withoutWritesSeconds").asDouble();
    double wait = failover.get("longestWaitSeconds").asDouble();
    assertThat(gap).isPositive();
    // One renewal is due each 0.1 s, and latency counts from then: one of them waited for all of
    // the gap but that.
    assertThat(wait).isGreaterThanOrEqualTo(gap - 0.2);
    if (status == 0) {
      assertThat(figures.get("advice").get("ttlSeconds").asDouble()).isGreaterThan(wait);
    }
  }

  @Test
  void ttl_unreachableCluster_failsAndSaysSo() {
    assertThat(new CommandLine(new TtlCommand()).execute("--url=http://127.0.0.1:1")).isEqualTo(3);
  }

  @Test
  void ttl_badOptions_areRefused() {
    for (String bad :
        List.of(
            "--rate=0",
            "--duration=1y",
            "--false-losses=0/year",
            "--failover=burnt",
            "--url=ftp://x")) {
      assertThat(new CommandLine(new TtlCommand()).execute(bad)).as(bad).isEqualTo(2);
    }
  }
}
