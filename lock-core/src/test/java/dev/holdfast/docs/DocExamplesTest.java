package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compiles every Java example of the README and of docs/. An example is the body of a method, or a
 * class if it begins with an annotation. {@link #SURROUNDINGS} supplies the names that examples use
 * without declaring them.
 */
class DocExamplesTest {
  private static final Pattern JAVA_BLOCK =
      Pattern.compile("^```java\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  private static final String IMPORTS =
      """
      import static org.junit.jupiter.api.Assertions.*;
      import co.elastic.clients.elasticsearch.ElasticsearchClient;
      import dev.holdfast.cluster.*;
      import dev.holdfast.cluster.junit.*;
      import dev.holdfast.cluster.junit.HoldfastElasticsearch.Where;
      import dev.holdfast.lock.*;
      import dev.holdfast.lock.elasticsearch.*;
      import dev.holdfast.lock.memory.*;
      import dev.holdfast.lock.micrometer.*;
      import dev.holdfast.lock.store.LockStore;
      import io.micrometer.core.instrument.MeterRegistry;
      import java.net.URI;
      import java.nio.file.Path;
      import java.time.Duration;
      import java.util.*;
      import java.util.concurrent.CompletableFuture;
      import org.junit.jupiter.api.Test;
      """;

  private static final String SURROUNDINGS =
      """
      abstract class Surroundings {
        LockManager locks;
        LockStore store;
        Lease lease;
        LockOptions options;
        ElasticsearchClient client;
        FencedElasticsearchWriter writer;
        MeterRegistry meterRegistry;
        String user;
        String password;
        String apiKey;
        Object report;
        record Account(String id) {}
        abstract List<Account> accounts();
        abstract void reindex();
        abstract int export();
        abstract void cleanUp();
        abstract void runImport();
        abstract void stopImport();
        abstract void lead(Lease lease) throws InterruptedException;
      }
      """;

  /** One fenced block of Java. */
  record Example(String page, int number, String code) {
    String className() {
      return "Example" + number;
    }

    String source() {
      boolean declaresClass = code.startsWith("@");
      return IMPORTS
          + (declaresClass
              ? code
              : "abstract class "
                  + className()
                  + " extends Surroundings {\nvoid example() throws Exception {\n"
                  + code
                  + "\n}\n}\n");
    }

    @Override
    public String toString() {
      return page + " " + number;
    }
  }

  @TempDir Path classes;

  static Stream<Example> examples() throws IOException {
    return DocFiles.all().stream().flatMap(page -> examples(page).stream());
  }

  private static List<Example> examples(Path page) {
    List<Example> all = new ArrayList<>();
    Matcher block = JAVA_BLOCK.matcher(DocFiles.text(page));
    while (block.find()) {
      all.add(new Example(DocFiles.name(page), all.size() + 1, block.group(1)));
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("examples")
  void example_compiles(Example example) {
    assertThat(errors(example)).isEmpty();
  }

  @Test
  void example_withAMistake_isFound() {
    assertThat(errors(new Example("none", 1, "locks.withLok(\"import\", () -> runImport());")))
        .hasSize(1);
  }

  @Test
  void examples_areInReadmeAndGuide() throws IOException {
    assertThat(examples().map(Example::page)).contains("README.md", "docs/guide.md");
  }

  @Test
  void readme_firstCodeBlock_isJavaWithoutMarkers() {
    String readme = DocFiles.text(DocFiles.ROOT.resolve("README.md"));

    assertThat(readme.indexOf("```")).isEqualTo(readme.indexOf("```java"));
    assertThat(examples(DocFiles.ROOT.resolve("README.md")).get(0).code())
        .contains("locks.withLock(")
        .doesNotContain("readme:");
  }

  private List<String> errors(Example example) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    List<String> options =
        List.of(
            "-proc:none",
            "-implicit:none",
            "-d",
            classes.toString(),
            "-classpath",
            System.getProperty("java.class.path"));
    boolean compiled =
        compiler
            .getTask(
                new StringWriter(),
                null,
                found,
                options,
                null,
                List.of(
                    new Source("Surroundings", IMPORTS + SURROUNDINGS),
                    new Source(example.className(), example.source())))
            .call();
    List<String> errors =
        found.getDiagnostics().stream()
            .filter(diagnostic -> diagnostic.getKind() == javax.tools.Diagnostic.Kind.ERROR)
            .map(diagnostic -> diagnostic.getMessage(Locale.ROOT) + " in\n" + example.code())
            .collect(Collectors.toList());
    if (!compiled && errors.isEmpty()) {
      errors.add("not compiled");
    }
    return errors;
  }

  /** A source file in memory. */
  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String className, String text) {
      super(URI.create("string:///" + className + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
