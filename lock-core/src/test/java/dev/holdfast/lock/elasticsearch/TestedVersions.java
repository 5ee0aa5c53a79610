package dev.holdfast.lock.elasticsearch;

import dev.holdfast.cluster.ElasticsearchVersion;
import java.util.List;

/**
 * The versions of Elasticsearch that the tests run on: {@code -Dholdfast.test.elasticsearch=8},
 * which is the default, {@code 9} or {@code both}.
 */
final class TestedVersions {
  /** For {@code MethodSource}. */
  static final String ALL = "dev.holdfast.lock.elasticsearch.TestedVersions#all";

  private TestedVersions() {}

  static List<ElasticsearchVersion> all() {
    String chosen = System.getProperty("holdfast.test.elasticsearch", "8");
    return switch (chosen) {
      case "8" -> List.of(ElasticsearchVersion.V8);
      case "9" -> List.of(ElasticsearchVersion.V9);
      case "both" -> List.of(ElasticsearchVersion.values());
      default ->
          throw new IllegalArgumentException(
              "holdfast.test.elasticsearch is 8, 9 or both, not " + chosen);
    };
  }
}
