package dev.holdfast.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder with the unpacked distributions, each in {@code elasticsearch-<version>}.
 *
 * @param folder the folder; need not exist
 */
record Distributions(Path folder) {

  static final String PROPERTY = "holdfast.test.elasticsearch.dists";
  static final String VARIABLE = "HOLDFAST_ELASTICSEARCH_DISTS";

  private static final String PREFIX = "elasticsearch-";
  private static final String REMEDY =
      "run `mvn generate-resources -pl test-cluster` in the repository, or set the system property "
          + PROPERTY
          + " or the environment variable "
          + VARIABLE
          + " to a folder with elasticsearch-<version>/";

  /** Finds the folder for this JVM, or throws {@link IllegalStateException} saying what to run. */
  static Distributions locate() {
    List<Path> starts = new ArrayList<>();
    starts.add(Path.of(""));
    codeLocation().ifPresent(starts::add);
    return locate(System.getProperty(PROPERTY), System.getenv(VARIABLE), starts);
  }

  static Distributions locate(
      @Nullable String property, @Nullable String variable, List<Path> starts) {
    if (property != null) {
      return new Distributions(Path.of(property).toAbsolutePath());
    }
    if (variable != null) {
      return new Distributions(Path.of(variable).toAbsolutePath());
    }
    for (Path start : starts) {
      for (Path at = start.toAbsolutePath(); at != null; at = at.getParent()) {
        Path folder = at.resolve("test-cluster").resolve("target").resolve("elasticsearch");
        if (Files.isDirectory(folder)) {
          return new Distributions(folder);
        }
      }
    }
    throw new IllegalStateException(
        "no test-cluster/target/elasticsearch in or above any of " + starts + ": " + REMEDY);
  }

  /**
   * Returns the distribution of the release that the build uses, or else the newest of the major
   * version: a folder may have others too, such as of an earlier build.
   */
  Path find(ElasticsearchVersion version) {
    Path used = folder.resolve(PREFIX + version.release());
    return isComplete(used) ? used : newest(version);
  }

  private static boolean isComplete(Path distribution) {
    return Files.isRegularFile(distribution.resolve("bin").resolve("elasticsearch"));
  }

  private Path newest(ElasticsearchVersion version) {
    String prefix = PREFIX + version.major() + ".";
    try (Stream<Path> entries = Files.isDirectory(folder) ? Files.list(folder) : Stream.empty()) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith(prefix))
          .filter(Distributions::isComplete)
          .max(Comparator.comparing(entry -> Version.parse(versionOf(entry))))
          .orElseThrow(
              () -> new IllegalStateException("no " + prefix + "* in " + folder + ": " + REMEDY));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String versionOf(Path distribution) {
    return distribution.getFileName().toString().substring(PREFIX.length());
  }

  private static Optional<Path> codeLocation() {
    CodeSource source = Distributions.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(source.getLocation().toURI()));
    } catch (URISyntaxException | RuntimeException e) {
      return Optional.empty(); // not a file, so nothing is above it
    }
  }
}
