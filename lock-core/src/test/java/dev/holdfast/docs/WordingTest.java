package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Texts use the standard terms of the field. Phrases that are not among them are listed here. */
class WordingTest {
  /** The files and directories that are covered, beside the Markdown files at the root. */
  private static final List<String> COVERED =
      List.of(
          "docs",
          "lock-core",
          "lock-cli",
          "lock-bom",
          "integrations",
          "test-cluster",
          "jepsen-style-reports",
          "concurrency-tests",
          "chaos-tests",
          "benchmarks",
          "integrations",
          ".ci",
          ".github",
          "pom.xml");

  private static final Set<String> EXTENSIONS =
      Set.of(
          "md",
          "java",
          "kt",
          "xml",
          "html",
          "css",
          "js",
          "jte",
          "properties",
          "sh",
          "yml",
          "yaml",
          "txt",
          "go");

  /** This file, which lists the phrases. */
  private static final String SELF = "lock-core/src/test/java/dev/holdfast/docs/WordingTest.java";

  private static final String FORMER_NAME = "a former name of a checker, which is still accepted";

  /** Files and the phrase that they may use, and why. */
  private static final Map<String, String> ALLOWED =
      Map.of(
          "jepsen-style-reports/src/main/java/dev/holdfast/history/cli/CheckOptions.java: not-vacuous",
          FORMER_NAME,
          "jepsen-style-reports/src/test/java/dev/holdfast/history/cli/CheckCommandTest.java:"
              + " not-vacuous",
          FORMER_NAME,
          "jepsen-style-reports/src/test/java/dev/holdfast/history/report/PagesInBrowserTest.java:"
              + " not-vacuous",
          FORMER_NAME);

  /** Regular expressions of phrases, and what to write instead. */
  private static final Map<String, String> INSTEAD = new LinkedHashMap<>();

  static {
    INSTEAD.put("whose lock server", "backed by your existing Elasticsearch cluster");
    INSTEAD.put("why you may trust", "that verifies it");
    INSTEAD.put("late (holder|writer|writes?)s?", "stale holder");
    INSTEAD.put("(turn|turns|turned|turning) (it|them|\\w+ \\w+|\\w+)? ?away", "reject");
    INSTEAD.put("breaks clusters", "runs fault-injection scenarios");
    INSTEAD.put("(is|was) at it", "holds the lock");
    INSTEAD.put("mend(s|ed|ing)?", "fix, recover, heal");
    INSTEAD.put("strangers?", "untrusted");
    INSTEAD.put("broken clients out", "detect deliberately broken clients");
    INSTEAD.put("clients? with a mistake", "deliberately broken clients");
    INSTEAD.put("taking turns", "interleaved");
    INSTEAD.put("(in|by) turns", "interleaved");
    INSTEAD.put("(told as a|tells? the|the|a|whole) story( of)?", "event trace");
    INSTEAD.put("asks nobody", "unconditional");
    INSTEAD.put("it wants an?", "requires");
    INSTEAD.put("costs? a lease", "can only shorten a lease");
    INSTEAD.put("(is|are|was|were|being) looked after", "is tracked");
    INSTEAD.put("looks? after", "tracks, checks");
    INSTEAD.put("part(ed|s|ing)? from the others", "partitioned");
    INSTEAD.put("to be shown", "expected");
    INSTEAD.put("went away without", "attempted, not acquired");
    INSTEAD.put("not[- ]vacuous", "coverage");
    INSTEAD.put("anew", "again, re-created");
    INSTEAD.put("whoever", "any caller, the process that");
    INSTEAD.put("at the most", "at most");
    INSTEAD.put("(is|are|was|were|be|been) told of", "is notified of");
    INSTEAD.put("for people", "diagnostic only");
    INSTEAD.put("hand-?overs?", "handoff");
    INSTEAD.put("handed over", "handed off");
    INSTEAD.put("heirs?", "successor");
    INSTEAD.put("take-overs?", "takeover");
    INSTEAD.put("given? way to", "yield");
  }

  /**
   * A phrase to look for.
   *
   * @param keyword a word that each text with the phrase contains, which is fast to look for
   */
  private record Phrase(Pattern pattern, String keyword, String instead) {}

  private static final List<Phrase> PHRASES =
      INSTEAD.entrySet().stream()
          .map(
              entry ->
                  new Phrase(pattern(entry.getKey()), keyword(entry.getKey()), entry.getValue()))
          .toList();

  /** The phrase in lower case, also across the end of a line and the mark of a comment. */
  private static Pattern pattern(String phrase) {
    return Pattern.compile(
        "(?:" + phrase.replace(" ", "(?:\\s+(?:(?:\\*|//|#|>)\\s+)?)") + ")(?![\\w-])");
  }

  /** The longest word that is not optional, nor one of several alternatives. */
  private static String keyword(String phrase) {
    String fixed = phrase.replaceAll("\\([^)]*\\)\\??|.\\?|\\[.*?\\]", " ");
    return Arrays.stream(fixed.split(" ")).max(Comparator.comparingInt(String::length)).orElse("");
  }

  @Test
  void texts_useStandardTerms() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : files()) {
      String name = DocFiles.name(file);
      for (Found phrase : phrasesIn(DocFiles.text(file))) {
        if (!ALLOWED.containsKey(name + ": " + phrase.words())) {
          found.add(name + ":" + phrase);
        }
      }
    }

    assertThat(found).isEmpty();
  }

  @Test
  void phrase_acrossLinesOfAComment_isFound() {
    assertThat(phrasesIn("first\n * is told\n * of it, anew").stream().map(Found::toString))
        .containsExactlyInAnyOrder(
            "3: \"anew\", write: again, re-created", "2: \"is told of\", write: is notified of");
  }

  @Test
  void phrases_inManyForms_areFound() {
    String text =
        "Mended, turned a write away, the story of it, hand-overs, not-vacuous, in turns, parted from"
            + " the others, looked after: is looked after.";

    assertThat(phrasesIn(text).stream().map(Found::words))
        .containsExactlyInAnyOrder(
            "mended",
            "turned a write away",
            "the story of",
            "hand-overs",
            "not-vacuous",
            "in turns",
            "parted from the others",
            "is looked after");
  }

  @Test
  void phrase_withinAWord_isNotFound() {
    assertThat(phrasesIn("recommended, commend, renewed, theirs, taken over")).isEmpty();
  }

  private record Found(long line, String words, String instead) {
    @Override
    public String toString() {
      return line + ": \"" + words + "\", write: " + instead;
    }
  }

  private static List<Found> phrasesIn(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    List<Found> found = new ArrayList<>();
    for (Phrase phrase : PHRASES) {
      Matcher matcher = phrase.pattern().matcher(lower);
      while (lower.contains(phrase.keyword()) && matcher.find()) {
        if (matcher.start() == 0 || !isPartOfWord(lower.charAt(matcher.start() - 1))) {
          long line =
              1 + lower.substring(0, matcher.start()).chars().filter(c -> c == '\n').count();
          String words = matcher.group().replaceAll("\\s+(?:(?:\\*|//|#|>)\\s+)?", " ");
          found.add(new Found(line, words, phrase.instead()));
        }
      }
    }
    return found;
  }

  /** Checked here and not by the pattern, which is much faster if it begins with a letter. */
  private static boolean isPartOfWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '-';
  }

  private static List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    try (Stream<Path> top = Files.list(DocFiles.ROOT)) {
      top.filter(file -> file.toString().endsWith(".md")).forEach(files::add);
    }
    for (String directory : COVERED) {
      try (Stream<Path> below = Files.walk(DocFiles.ROOT.resolve(directory))) {
        below.filter(WordingTest::isText).forEach(files::add);
      }
    }
    return files.stream().sorted().toList();
  }

  private static boolean isText(Path file) {
    String name = DocFiles.name(file);
    return Files.isRegularFile(file)
        && !name.equals(SELF)
        && !name.contains("/target/")
        && (name.startsWith(".ci/")
            || EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1)));
  }
}
