package dev.holdfast.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What users get along with this module: nothing that it does not need, and as the README says. */
class RuntimeDependenciesTest {
  /** Written by the build: the jars of the run time's class path. */
  private static final Path CLASSPATH = Path.of("target/runtime-classpath");

  private static final Path README = Path.of("../README.md");

  private static final Set<String> NEEDED =
      Set.of(
          "elasticsearch-java", // the client
          "elasticsearch-rest5-client", // its connections, and what follows for them
          "httpclient5",
          "httpcore5",
          "httpcore5-h2",
          "commons-logging",
          "jakarta.json-api", // its JSON
          "parsson",
          "opentelemetry-api", // its instrumentation, off unless the user's process has one
          "opentelemetry-common",
          "opentelemetry-context",
          "opentelemetry-semconv",
          "jsr305", // its annotations
          "jackson-annotations", // our JSON, and the client's
          "jackson-core",
          "jackson-databind",
          "jspecify", // our annotations
          "slf4j-api"); // our log

  /** Only for those who have Micrometer already: users do not get these from us. */
  private static final Set<String> OPTIONAL =
      Set.of(
          "micrometer-commons",
          "micrometer-core",
          "micrometer-observation",
          "HdrHistogram",
          "LatencyUtils");

  private static List<Path> jars() throws IOException {
    assertThat(CLASSPATH).as("made by the phase generate-test-resources").exists();
    return Arrays.stream(Files.readString(CLASSPATH).strip().split(File.pathSeparator))
        .map(Path::of)
        .toList();
  }

  /** The artifact's id: Maven keeps it as the folder above that of the version. */
  private static String artifact(Path jar) {
    return jar.getParent().getParent().getFileName().toString();
  }

  @Test
  void runtimeDependencies_areThoseThatAreNeeded_andNoOthers() throws IOException {
    assertThat(jars().stream().map(RuntimeDependenciesTest::artifact))
        .filteredOn(artifact -> !OPTIONAL.contains(artifact))
        .containsExactlyInAnyOrderElementsOf(NEEDED);
  }

  @Test
  void runtimeDependencies_areAsManyAndAsLarge_asTheReadmeSays() throws IOException {
    long bytes = 0;
    for (Path jar : jars()) {
      bytes += OPTIONAL.contains(artifact(jar)) ? 0 : Files.size(jar);
    }
    Matcher said =
        Pattern.compile("pulls in (\\d+) jars of (\\d+) MB").matcher(Files.readString(README));

    assertThat(said.find()).isTrue();
    assertThat(said.group(1)).isEqualTo(Integer.toString(NEEDED.size()));
    assertThat(said.group(2)).isEqualTo(Long.toString(Math.round(bytes / 1e6)));
  }
}
