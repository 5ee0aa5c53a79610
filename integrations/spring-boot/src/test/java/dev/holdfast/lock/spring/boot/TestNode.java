package dev.holdfast.lock.spring.boot;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import java.util.Optional;

/** The Elasticsearch node of the tests: one that is given by a property, or one of this JVM. */
final class TestNode {
  static final String PROPERTY = "holdfast.test.node";

  private TestNode() {}

  static String url() {
    String given = System.getProperty(PROPERTY);
    if (given != null) {
      return given;
    }
    ElasticsearchVersion version = ElasticsearchVersion.V8;
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    return SharedNodes.get(version).httpUri().toString();
  }
}
