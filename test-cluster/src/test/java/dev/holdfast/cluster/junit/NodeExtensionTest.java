package dev.holdfast.cluster.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.holdfast.cluster.ContainerNode;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.junit.HoldfastElasticsearch.Where;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/** The behaviour of the extension where no node is available. */
class NodeExtensionTest {

  @Test
  void classThatWantsAContainer_noDocker_isSkippedAndSaysWhatWasLookedFor() {
    Assumptions.assumeTrue(
        ContainerNode.unsupportedReason().isPresent(), "Docker is here, and cannot be sent away");
    EngineExecutionResults results = run(WantsAContainer.class);

    assertThat(results.testEvents().started().count()).isZero();
    assertThat(results.containerEvents().skipped().list())
        .singleElement()
        .satisfies(
            event ->
                assertThat(event.getPayload(String.class).orElseThrow())
                    .contains("DOCKER_HOST", "/var/run/docker.sock"));
  }

  @Test
  void class_propertyMakesNoSense_failsAndNamesTheChoices() {
    String before = System.setProperty(HoldfastElasticsearch.CLUSTER_PROPERTY, "podman");
    EngineExecutionResults results;
    try {
      results = run(Unsure.class);
    } finally {
      if (before == null) {
        System.clearProperty(HoldfastElasticsearch.CLUSTER_PROPERTY);
      } else {
        System.setProperty(HoldfastElasticsearch.CLUSTER_PROPERTY, before);
      }
    }

    assertThat(results.containerEvents().failed().list())
        .singleElement()
        .satisfies(event -> assertThat(event.toString()).contains("process or docker, not podman"));
  }

  private static EngineExecutionResults run(Class<?> type) {
    return EngineTestKit.engine("junit-jupiter").selectors(selectClass(type)).execute();
  }

  @HoldfastElasticsearch(in = Where.CONTAINER)
  static final class WantsAContainer {

    @Test
    void test(Node node) {
      assertThat(node).isNotNull();
    }
  }

  @HoldfastElasticsearch
  static final class Unsure {

    @Test
    void test(Node node) {
      assertThat(node).isNotNull();
    }
  }
}
