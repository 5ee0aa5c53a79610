package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistributionsTest {

  @TempDir Path root;

  @Test
  void locate_property_winsOverVariableAndSearch() throws IOException {
    makeFolder(root);

    assertThat(Distributions.locate("/p", "/v", List.of(root)).folder()).isEqualTo(Path.of("/p"));
    assertThat(Distributions.locate(null, "/v", List.of(root)).folder()).isEqualTo(Path.of("/v"));
  }

  @Test
  void locate_startBelowTheRepository_walksUpToIt() throws IOException {
    Path folder = makeFolder(root.resolve("repo"));
    Path jar = root.resolve("repo/benchmarks/target/benchmarks.jar");

    assertThat(Distributions.locate(null, null, List.of(root.resolve("elsewhere"), jar)).folder())
        .isEqualTo(folder);
  }

  @Test
  void locate_nothingFound_saysWhatToRun() {
    assertThatThrownBy(() -> Distributions.locate(null, null, List.of(root)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("mvn generate-resources -pl test-cluster")
        .hasMessageContaining(root.toString());
  }

  @Test
  void find_theReleaseOfTheBuild_winsOverNewerOnes() throws IOException {
    Path used = makeDistribution(ElasticsearchVersion.V8.release());
    makeDistribution("8.99.0");

    assertThat(new Distributions(root).find(ElasticsearchVersion.V8)).isEqualTo(used);
  }

  @Test
  void find_severalOfTheMajorVersion_returnsTheNewestComplete() throws IOException {
    makeDistribution("8.98.9");
    Path newest = makeDistribution("8.98.21");
    makeDistribution("9.5.3");
    Files.delete(makeDistribution("8.99.0").resolve("bin/elasticsearch"));

    assertThat(new Distributions(root).find(ElasticsearchVersion.V8)).isEqualTo(newest);
  }

  @Test
  void find_noneOfTheMajorVersion_saysWhatToRun() throws IOException {
    makeDistribution("8.19.21");

    assertThatThrownBy(() -> new Distributions(root).find(ElasticsearchVersion.V9))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no elasticsearch-9.* in " + root)
        .hasMessageContaining("mvn generate-resources -pl test-cluster");
  }

  @Test
  void number_unpackedByTheBuild_isOfTheMajorVersion() {
    assertThat(ElasticsearchVersion.V8.number()).startsWith("8.");
    assertThat(ElasticsearchVersion.V9.number()).startsWith("9.");
  }

  private static Path makeFolder(Path repository) throws IOException {
    return Files.createDirectories(repository.resolve("test-cluster/target/elasticsearch"));
  }

  private Path makeDistribution(String version) throws IOException {
    Path distribution = root.resolve("elasticsearch-" + version);
    Files.createDirectories(distribution.resolve("bin"));
    Files.writeString(distribution.resolve("bin/elasticsearch"), "");
    return distribution;
  }
}
