package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The documentation equals the project: its packages, its links, and its length. */
class DocsTest {
  private static final Path ARCHITECTURE = DocFiles.ROOT.resolve("ARCHITECTURE.md");
  private static final Path README = DocFiles.ROOT.resolve("README.md");
  private static final int MAX_ARCHITECTURE_LINES = 200;
  private static final int MAX_README_LINES = 150;

  private static final Pattern PACKAGE = Pattern.compile("`(dev\\.holdfast(?:\\.[a-z0-9]+)+)`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("^#+ (.+)$", Pattern.MULTILINE);
  private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```");

  // --- Packages

  @Test
  void architecture_namesThePackagesThatThereAre() throws IOException {
    Set<String> named = packagesNamedIn(DocFiles.text(ARCHITECTURE));
    Set<String> notNamed = packages("main");
    notNamed.removeAll(named);
    Set<String> notThere = new TreeSet<>(named);
    notThere.removeAll(packages("main"));
    notThere.removeAll(packages("test"));

    assertThat(notNamed).isEmpty();
    assertThat(notThere).isEmpty();
  }

  @Test
  void packages_namedInAText_areFound() {
    assertThat(packagesNamedIn("`dev.holdfast.lock` and `dev.holdfast.no.such`, not `dev.other`"))
        .containsExactly("dev.holdfast.lock", "dev.holdfast.no.such");
  }

  private static Set<String> packagesNamedIn(String text) {
    return PACKAGE
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The packages of all modules that have a class, in their main or test sources. */
  private static Set<String> packages(String sources) throws IOException {
    Set<String> packages = new TreeSet<>();
    for (Path module : modules()) {
      Path root = module.resolve("src/" + sources + "/java");
      if (Files.isDirectory(root)) {
        try (Stream<Path> files = Files.walk(root)) {
          files
              .filter(file -> file.toString().endsWith(".java"))
              .filter(file -> !file.endsWith("package-info.java"))
              .map(file -> root.relativize(file).getParent().toString().replaceAll("[/\\\\]", "."))
              .forEach(packages::add);
        }
      }
    }
    return packages;
  }

  private static List<Path> modules() throws IOException {
    String pom = DocFiles.text(DocFiles.ROOT.resolve("pom.xml"));
    return Pattern.compile("<module>([^<]+)</module>")
        .matcher(pom)
        .results()
        .map(result -> DocFiles.ROOT.resolve(result.group(1)))
        .toList();
  }

  // --- Links

  @Test
  void links_leadToFilesAndHeadingsThatThereAre() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : DocFiles.all()) {
      broken.addAll(brokenLinks(page, DocFiles.text(page)));
    }

    assertThat(broken).isEmpty();
  }

  @Test
  void links_thatLeadNowhere_areFound() {
    assertThat(brokenLinks(README, "[a](docs/none.md) [b](docs/guide.md#none) [c](docs/guide.md)"))
        .containsExactly("README.md: docs/none.md", "README.md: docs/guide.md#none");
  }

  private static List<String> brokenLinks(Path page, String text) {
    List<String> broken = new ArrayList<>();
    Matcher link = LINK.matcher(FENCED.matcher(text).replaceAll(""));
    while (link.find()) {
      String target = link.group(1);
      if (!target.matches("[a-z]+:.*") && !isThere(page, target)) {
        broken.add(DocFiles.name(page) + ": " + target);
      }
    }
    return broken;
  }

  private static boolean isThere(Path page, String target) {
    int hash = target.indexOf('#');
    String file = hash < 0 ? target : target.substring(0, hash);
    Path path = file.isEmpty() ? page : page.resolveSibling(file);
    return Files.exists(path)
        && (hash < 0 || anchors(DocFiles.text(path)).contains(target.substring(hash + 1)));
  }

  /** What headings are called in links, by the rules of GitHub. */
  private static Set<String> anchors(String text) {
    return HEADING
        .matcher(FENCED.matcher(text).replaceAll(""))
        .results()
        .map(result -> result.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  // --- Commands

  private static final Pattern NAMED_TESTS = Pattern.compile("-D(?:it\\.)?test=([A-Za-z,]+)");

  /** No tests at all, and any that one likes. */
  private static final Set<String> PLACEHOLDERS = Set.of("NONE", "X");

  /** A command whose tests are all skipped would succeed, and show nothing. */
  @Test
  void commands_runTheTestsThatTheyName() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path page : DocFiles.all()) {
      wrong.addAll(commandsThatRunTooLittle(DocFiles.text(page)));
    }
    wrong.addAll(
        commandsThatRunTooLittle(
            DocFiles.text(DocFiles.ROOT.resolve(".github/workflows/nightly.yml"))));

    assertThat(wrong).isEmpty();
  }

  @Test
  void commands_thatRunTooLittle_areFound() throws IOException {
    assertThat(
            commandsThatRunTooLittle(
                "mvn test -Dtest=NONE \\\n  -Dit.test=ClusterIT\n\nmvn -Pfull -Dit.test=ClusterIT\n\n"
                    + "`mvn test -Dtest=DocsTest,MissingTest`"))
        .containsExactly("ClusterIT is slow, and skipped", "there is no MissingTest");
  }

  private static List<String> commandsThatRunTooLittle(String text) throws IOException {
    List<String> wrong = new ArrayList<>();
    for (String command : text.split("\\n\\s*\\n|\\n(?=mvn )", -1)) {
      Set<String> names = new TreeSet<>();
      allOf(NAMED_TESTS.pattern(), command)
          .forEach(list -> names.addAll(List.of(list.split(",", -1))));
      names.removeAll(PLACEHOLDERS);
      boolean runsSlowOnes = command.contains("-Pfull") || command.contains("-Dtest.excluded=");
      for (String name : names) {
        String source = testSource(name);
        if (source == null) {
          wrong.add("there is no " + name);
        } else if (source.contains("@Tag(\"slow\")") && !runsSlowOnes) {
          wrong.add(name + " is slow, and skipped");
        }
      }
    }
    return wrong;
  }

  private static @Nullable String testSource(String name) throws IOException {
    for (Path module : modules()) {
      Path root = module.resolve("src/test/java");
      if (Files.isDirectory(root)) {
        try (Stream<Path> files = Files.walk(root)) {
          Path found = files.filter(file -> file.endsWith(name + ".java")).findFirst().orElse(null);
          if (found != null) {
            return DocFiles.text(found);
          }
        }
      }
    }
    return null;
  }

  // --- Versions of Elasticsearch

  private static final Pattern ROW_OF_VERSIONS =
      Pattern.compile("(?m)^\\| [89] \\| ([89][0-9.]+) \\| ([89][0-9.]+) \\|");

  /** What docs/operations.md says of each line is what the nightly build runs. */
  @Test
  void elasticsearchVersions_areThoseOfTheNightlyBuild_andTheNewestThatOfEachBuild() {
    Set<String> documented =
        documentedVersions(DocFiles.text(DocFiles.ROOT.resolve("docs/operations.md")));
    Set<String> nightly =
        allOf(
            "version: ([0-9.]+),",
            DocFiles.text(DocFiles.ROOT.resolve(".github/workflows/nightly.yml")));
    Set<String> ofEachBuild =
        allOf(
            "<elasticsearch[89].version>([^<]+)<", DocFiles.text(DocFiles.ROOT.resolve("pom.xml")));

    assertThat(documented).hasSize(4).isEqualTo(nightly);
    assertThat(ofEachBuild).hasSize(2).isSubsetOf(documented);
  }

  @Test
  void elasticsearchVersions_ofATable_areFound() {
    assertThat(
            documentedVersions("| line | oldest |\n| 8 | 8.1.2 | 8.3.4 | 17 |\n| 7 | 7.1 | 7.2 |"))
        .containsExactly("8.1.2", "8.3.4");
  }

  private static Set<String> documentedVersions(String page) {
    return ROW_OF_VERSIONS
        .matcher(page)
        .results()
        .flatMap(row -> Stream.of(row.group(1), row.group(2)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> allOf(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  // --- Length

  @Test
  void readmeAndArchitecture_areShort() {
    assertThat(DocFiles.text(README).lines().count()).isLessThanOrEqualTo(MAX_README_LINES);
    assertThat(DocFiles.text(ARCHITECTURE).lines().count())
        .isLessThanOrEqualTo(MAX_ARCHITECTURE_LINES);
  }
}
