package dev.holdfast.lock.spring.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.DocExample;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documentation's example can be pasted into an empty project. */
class DocExampleTest {
  @Test
  void example_compiles(@TempDir Path folder) throws IOException {
    DocExample example = DocExample.compiledInto(folder, "Spring Integration");
    assertThat(example.classes().resolve("App.class")).exists();
  }
}
