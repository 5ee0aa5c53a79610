package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the index that API keys are kept in needs of Elasticsearch's module analysis-common, which
 * Maven Central does not have: a tokenizer and three filters, for a field that nobody searches
 * here, so that it matters only that they are there. A plugin of the stable plugin API ("Creating
 * text analysis plugins with the stable plugin API", Elasticsearch reference), compiled against the
 * node's own jars.
 */
final class SecurityIndexParts {
  private static final List<String> API =
      List.of("elasticsearch-plugin-api-", "elasticsearch-plugin-analysis-api-", "lucene-core-");

  private static final String SOURCE =
      """
      package fixture;

      import org.apache.lucene.analysis.TokenStream;
      import org.apache.lucene.analysis.Tokenizer;
      import org.apache.lucene.analysis.standard.StandardTokenizer;
      import org.elasticsearch.plugin.NamedComponent;
      import org.elasticsearch.plugin.analysis.TokenFilterFactory;
      import org.elasticsearch.plugin.analysis.TokenizerFactory;

      public final class Parts {
        public static class Same implements TokenFilterFactory {
          public TokenStream create(TokenStream tokens) { return tokens; }
        }

        @NamedComponent("pattern_capture") public static class PatternCapture extends Same {}

        @NamedComponent("lowercase") public static class Lowercase extends Same {}

        @NamedComponent("unique") public static class Unique extends Same {}

        @NamedComponent("uax_url_email") public static class UrlEmail implements TokenizerFactory {
          public Tokenizer create() { return new StandardTokenizer(); }
        }
      }
      """;

  private static final String NAMES =
      """
      {
        "org.elasticsearch.plugin.analysis.TokenFilterFactory": {
          "pattern_capture": "fixture.Parts$PatternCapture",
          "lowercase": "fixture.Parts$Lowercase",
          "unique": "fixture.Parts$Unique"
        },
        "org.elasticsearch.plugin.analysis.TokenizerFactory": {
          "uax_url_email": "fixture.Parts$UrlEmail"
        }
      }
      """;

  private SecurityIndexParts() {}

  /** Makes a new copy of the distribution that has them in that folder. */
  static Path addedTo(Path distribution, String version, Path parent) {
    Path folder = parent.resolve(distribution.getFileName());
    try {
      deleteAll(folder);
      Files.createDirectories(parent);
      copyAll(distribution, folder);
      Path plugin = Files.createDirectories(folder.resolve("plugins/security-index-parts"));
      Files.writeString(plugin.resolve("named_components.json"), NAMES);
      Files.writeString(
          plugin.resolve("stable-plugin-descriptor.properties"),
          """
          name=security-index-parts
          version=1
          description=What the index of API keys needs
          java.version=17
          elasticsearch.version=%s
          """
              .formatted(version));
      Path classes = Files.createDirectories(folder.resolve("classes"));
      Path source = Files.writeString(classes.resolve("Parts.java"), SOURCE);
      run(
          "javac",
          "--release=17",
          "-proc:none",
          "-cp",
          api(folder.resolve("lib")),
          "-d",
          classes.toString(),
          source.toString());
      run(
          "jar",
          "--create",
          "--file=" + plugin.resolve("parts.jar"),
          "-C",
          classes.toString(),
          "fixture");
      deleteAll(classes);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String api(Path lib) throws IOException {
    try (Stream<Path> jars = Files.list(lib)) {
      return jars.map(Path::toString)
          .filter(jar -> API.stream().anyMatch(jar::contains))
          .collect(Collectors.joining(System.getProperty("path.separator")));
    }
  }

  private static void run(String tool, String... arguments) {
    int status =
        ToolProvider.findFirst(tool)
            .orElseThrow(() -> new IllegalStateException("this Java has no " + tool))
            .run(System.err, System.err, arguments);
    if (status != 0) {
      throw new IllegalStateException(tool + " failed, see above");
    }
  }

  private static void copyAll(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Files.copy(
            path,
            to.resolve(from.relativize(path).toString()),
            StandardCopyOption.COPY_ATTRIBUTES,
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static void deleteAll(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
