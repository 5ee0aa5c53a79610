package dev.holdfast.lock.shedlock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.DocExample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documentation's example can be pasted into an empty project. */
class DocExampleTest {
  private static final Pattern SHEDLOCK_VERSION =
      Pattern.compile("<artifactId>shedlock-spring</artifactId>\\s*<version>([^<]*)</version>");

  @Test
  void example_compiles(@TempDir Path folder) throws IOException {
    DocExample example = DocExample.compiledInto(folder, "ShedLock");
    assertThat(example.classes().resolve("App.class")).exists();
  }

  @Test
  void example_dependsOnTheVersionThatIsTested(@TempDir Path folder) throws IOException {
    Matcher version =
        SHEDLOCK_VERSION.matcher(DocExample.compiledInto(folder, "ShedLock").section());
    assertThat(version.find()).isTrue();
    assertThat(Files.readString(Path.of("../../pom.xml")))
        .contains("<shedlock7.version>" + version.group(1) + "</shedlock7.version>");
  }
}
