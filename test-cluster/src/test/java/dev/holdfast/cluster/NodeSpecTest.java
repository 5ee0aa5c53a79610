package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeSpecTest {

  private static final WorkDir DIR = new WorkDir(Path.of("/tmp/holdfast-es-1"));

  @Test
  void effectiveSettings_noneGiven_areASingleNodeOnFreePortsOfLoopback() {
    assertThat(spec(Map.of()).effectiveSettings(DIR))
        .containsEntry("discovery.type", "single-node")
        .containsEntry("network.host", "127.0.0.1")
        .containsEntry("http.port", "0")
        .containsEntry("path.data", "/tmp/holdfast-es-1/data");
  }

  @Test
  void effectiveSettings_defaultGivenAgain_isReplaced() {
    assertThat(spec(Map.of("http.port", "9200")).effectiveSettings(DIR))
        .containsEntry("http.port", "9200");
  }

  @Test
  void effectiveSettings_aboutDiscovery_leaveSingleNodeOut() {
    assertThat(spec(Map.of("discovery.seed_hosts", "127.0.0.1:9301")).effectiveSettings(DIR))
        .doesNotContainKey("discovery.type");
  }

  @Test
  void javaOptions_haveTheHeap() {
    assertThat(spec("n1", Map.of(), 300).javaOptions()).startsWith("-Xms300m -Xmx300m ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cluster.name", "node.name", "path.data", "path.logs", "node.portsfile"})
  void constructor_reservedSetting_isRefused(String key) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> spec(Map.of(key, "x")))
        .withMessageContaining(key);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "../x", "ü"})
  void constructor_unusableName_isRefused(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> spec(name, Map.of(), 256));
  }

  @Test
  void constructor_tinyHeap_isRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> spec("n1", Map.of(), 8));
  }

  private static NodeSpec spec(Map<String, String> settings) {
    return spec("n1", settings, 256);
  }

  private static NodeSpec spec(String nodeName, Map<String, String> settings, int heapMebibytes) {
    return new NodeSpec(
        Path.of("/dists/elasticsearch-9.5.3"),
        Path.of("/jdk"),
        "holdfast",
        nodeName,
        settings,
        Map.of(),
        heapMebibytes,
        Duration.ofMinutes(1));
  }
}
