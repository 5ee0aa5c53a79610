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
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles every Java example of the README and of docs/ (but for integrations), all in one run of
 * the compiler. An example is the body of a method, or a class if it begins with an annotation.
 * {@link #SURROUNDINGS} supplies the names that examples use without declaring them.
 */
class DocExamplesTest {
  private static final Pattern JAVA_BLOCK =
      Pattern.compile("^```java\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  /**
   * Its examples need libraries that this module does not have: tests of those modules compile
   * them.
   */
  private static final Path OF_INTEGRATIONS = Path.of("docs/integrations.md");

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
      import io.micrometer.core.instrument.*;
      import io.micrometer.observation.ObservationRegistry;
      import java.net.URI;
      import java.nio.file.Path;
      import java.time.Duration;
      import java.util.*;
      import java.util.concurrent.CompletableFuture;
      import java.util.concurrent.locks.Lock;
      import org.junit.jupiter.api.Test;
      """;

  private static final String SURROUNDINGS =
      """
      public abstract class Surroundings {
        protected LockManager locks;
        protected LockStore store;
        protected Lease lease;
        protected LockOptions options;
        protected ElasticsearchClient client;
        protected FencedElasticsearchWriter writer;
        protected MeterRegistry meterRegistry;
        protected ObservationRegistry observationRegistry;
        protected String user;
        protected String password;
        protected String apiKey;
        protected Object report;
        protected record Account(String id) {}
        protected abstract List<Account> accounts();
        protected record Message(String account) {}
        protected abstract List<Message> messages();
        protected abstract void process(Message message);
        protected abstract CompletableFuture<String> fetchReport();
        protected abstract void reindex();
        protected abstract int export();
        protected abstract void cleanUp();
        protected abstract void runImport();
        protected abstract void stopImport();
        protected abstract void lead(Lease lease) throws InterruptedException;
        protected abstract void awaitShutdown() throws InterruptedException;
      }
      """;

  /** One fenced block of Java. */
  private record Example(String page, int number, String code) {
    /** The source of a file in a package of its own. */
    Source source(int index) {
      boolean declaresClass = code.startsWith("@");
      String name = "Example" + index;
      String text = "package examples.e" + index + ";\nimport examples.Surroundings;\n" + IMPORTS;
      text +=
          declaresClass
              ? code
              : "abstract class "
                  + name
                  + " extends Surroundings {\n"
                  + "void example() throws Exception {\n"
                  + code
                  + "\n}\n}\n";
      return new Source("examples/e" + index + "/" + name, page + ", example " + number, text);
    }
  }

  @TempDir Path classes;

  /** All but those of the integrations, which are compiled by their modules. */
  private static List<Example> examples() throws IOException {
    return DocFiles.all().stream()
        .filter(page -> !page.endsWith(OF_INTEGRATIONS))
        .flatMap(page -> examples(page).stream())
        .toList();
  }

  private static List<Example> examples(Path page) {
    List<Example> all = new ArrayList<>();
    Matcher block = JAVA_BLOCK.matcher(DocFiles.text(page));
    while (block.find()) {
      all.add(new Example(DocFiles.name(page), all.size() + 1, block.group(1)));
    }
    return all;
  }

  @Test
  void examples_compile() throws IOException {
    assertThat(errors(examples())).isEmpty();
  }

  @Test
  void example_withAMistake_isFound() {
    assertThat(
            errors(
                List.of(
                    new Example("page", 1, "locks.withLock(\"import\", () -> runImport());"),
                    new Example("page", 2, "locks.withLok(\"import\", () -> runImport());"))))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("page, example 2: ");
  }

  @Test
  void examples_areInReadmeAndGuide() throws IOException {
    assertThat(examples().stream().map(Example::page)).contains("README.md", "docs/guide.md");
  }

  @Test
  void readme_firstCodeBlock_isJavaWithoutMarkers() {
    Path page = DocFiles.ROOT.resolve("README.md");
    String readme = DocFiles.text(page);

    assertThat(readme.indexOf("```")).isEqualTo(readme.indexOf("```java"));
    assertThat(examples(page).get(0).code()).contains("locks.withLock(").doesNotContain("readme:");
  }

  private List<String> errors(List<Example> examples) {
    List<Source> sources = new ArrayList<>();
    sources.add(
        new Source(
            "examples/Surroundings",
            "Surroundings",
            "package examples;\n" + IMPORTS + SURROUNDINGS));
    for (Example example : examples) {
      sources.add(example.source(sources.size()));
    }
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    List<String> options =
        List.of(
            "-proc:none",
            "-Xmaxerrs",
            "1000",
            "-d",
            classes.toString(),
            "-classpath",
            System.getProperty("java.class.path"));
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(new StringWriter(), null, found, options, null, sources)
            .call();
    List<String> errors = new ArrayList<>();
    for (Diagnostic<? extends JavaFileObject> diagnostic : found.getDiagnostics()) {
      if (diagnostic.getKind() == Diagnostic.Kind.ERROR) {
        String place = diagnostic.getSource() instanceof Source source ? source.place : "?";
        errors.add(place + ": " + diagnostic.getMessage(Locale.ROOT));
      }
    }
    if (!compiled && errors.isEmpty()) {
      errors.add("not compiled");
    }
    return errors;
  }

  /** A source file in memory. */
  private static final class Source extends SimpleJavaFileObject {
    private final String place;
    private final String text;

    Source(String className, String place, String text) {
      super(URI.create("string:///" + className + ".java"), Kind.SOURCE);
      this.place = place;
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
