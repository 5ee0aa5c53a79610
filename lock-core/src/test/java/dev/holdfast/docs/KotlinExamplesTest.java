package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Kotlin examples are parts of sources that the build compiles and runs. */
class KotlinExamplesTest {
  private static final Path SOURCES = Path.of("src/test/kotlin");
  private static final Pattern BLOCK =
      Pattern.compile("^```kotlin\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  private static List<String> examples() throws IOException {
    List<String> examples = new ArrayList<>();
    for (Path page : DocFiles.all()) {
      BLOCK.matcher(DocFiles.text(page)).results().forEach(block -> examples.add(block.group(1)));
    }
    return examples;
  }

  private static List<String> sources() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".kt"))
          .map(file -> withoutIndents(DocFiles.text(file)))
          .toList();
    }
  }

  /** Examples begin at the left margin, wherever their lines are in the sources. */
  private static String withoutIndents(String text) {
    return text.lines().map(String::strip).collect(Collectors.joining("\n", "\n", "\n"));
  }

  @Test
  void examples_areInSourcesThatAreCompiled() throws IOException {
    List<String> sources = sources();

    assertThat(examples())
        .isNotEmpty()
        .allSatisfy(
            example ->
                assertThat(sources)
                    .anySatisfy(source -> assertThat(source).contains(withoutIndents(example))));
  }
}
