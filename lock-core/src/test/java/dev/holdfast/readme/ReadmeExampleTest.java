package dev.holdfast.readme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The example of the README compiles: it stands here, as a user of the library would write it. */
class ReadmeExampleTest {
  private static final Path SOURCE =
      Path.of("src/test/java/dev/holdfast/readme/ReadmeExampleTest.java");
  private static final Path README = Path.of("../README.md");

  /** Compiled, never run: no cluster listens there. */
  void example() throws InterruptedException {
    // readme:begin
    try (var store = ElasticsearchLockStore.builder("http://localhost:9200").build();
        var locks = LockManager.create(store)) {
      locks.withLock(
          "nightly-reindex",
          LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(10)),
          () -> {
            // At most one process at a time is here; its lease is renewed meanwhile.
            reindex();
          });
    }
    // readme:end
  }

  private void reindex() {}

  @Test
  void readmeExample_isTheOneThatCompilesHere() throws IOException {
    List<String> compiled = example(SOURCE);
    assertThat(compiled).hasSizeGreaterThan(5);
    assertThat(example(README)).isEqualTo(compiled);
  }

  /** The lines between the markers, without their indentation. */
  private static List<String> example(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(String::strip)
        .dropWhile(line -> !line.equals("// readme:begin"))
        .takeWhile(line -> !line.equals("// readme:end"))
        .toList();
  }
}
