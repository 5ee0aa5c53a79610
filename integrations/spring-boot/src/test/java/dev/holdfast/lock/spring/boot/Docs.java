package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The section of the documentation that is about Spring Boot. */
final class Docs {
  private Docs() {}

  static String section() throws IOException {
    String page = Files.readString(Path.of("../../docs/integrations.md"));
    int begin = page.indexOf("\n## Spring Boot\n");
    assertThat(begin).isPositive();
    int end = page.indexOf("\n## ", begin + 1);
    return end < 0 ? page.substring(begin) : page.substring(begin, end);
  }

  /** The fenced blocks in a language, in their order. */
  static List<String> blocks(String language) throws IOException {
    return Pattern.compile("(?ms)^```" + language + "\\R(.*?)^```")
        .matcher(section())
        .results()
        .map(result -> result.group(1))
        .toList();
  }
}
