package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.util.ClassUtils;

/**
 * Types that the starter knows by their names alone, because an application need not have them:
 * those of Quartz, Spring's web frameworks, Kotlin and Spring Boot's other modules.
 */
class NamedTypesTest {
  private static final Path SOURCES = Path.of("src/main/java");
  private static final Pattern NAME = Pattern.compile("\"((?:[a-z]\\w*\\.){2,}[A-Z]\\w*)\"");

  private static List<String> named() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .flatMap(file -> NAME.matcher(text(file)).results())
          .map(found -> found.group(1))
          .distinct()
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> missing(List<String> names) {
    return names.stream()
        .filter(name -> !ClassUtils.isPresent(name, NamedTypesTest.class.getClassLoader()))
        .toList();
  }

  @Test
  void names_inTheSources_areThoseOfTypes() throws IOException {
    List<String> named = named();
    assertThat(named)
        .contains(
            "org.quartz.Scheduler",
            "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody",
            "org.springframework.http.HttpEntity",
            "kotlinx.coroutines.flow.Flow",
            "jakarta.annotation.PreDestroy",
            "org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails",
            "org.springframework.transaction.support.TransactionSynchronizationManager");
    assertThat(missing(named)).isEmpty();
  }

  @Test
  void name_ofNoType_isFound() {
    assertThat(missing(List.of("org.quartz.Scheduler", "org.quartz.Planner")))
        .containsExactly("org.quartz.Planner");
  }
}
