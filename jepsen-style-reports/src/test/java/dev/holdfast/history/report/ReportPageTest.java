package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.RenewalChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ReportPageTest {

  /**
   * A text that would run, end the script, reverse the direction of text, or break the encoding.
   */
  static final String EVIL =
      "<img src=x onerror=alert(1)>\"'&{{test}}</script><!--<script>\u2028\u202e\u0007\ud800";

  private static final Intent NO_INTENT = new Intent("", "", "", "", null);

  @TempDir private Path folder;

  @Test
  void html_aRun_saysVerdictFaultsOperationsAndHowToRepeatIt() throws Exception {
    String html = page(SampleRun.withOverlap(), "mvn verify -Pchaos -Dseed=42");
    assertThat(html)
        .contains("<strong>Invalid</strong>")
        .contains("both held lock &quot;orders&quot;")
        .contains("<th scope=\"row\">partition</th><td>es-2</td>")
        .contains("mvn verify -Pchaos -Dseed=42")
        .contains("href=\"./recordings/c%231.edn\"")
        .doesNotContain("{{")
        .doesNotContain("src=");
    assertThat(page(SampleRun.valid(), ""))
        .contains("<strong>Valid</strong>", "No two clients held a lock at the same time");
    assertThat(page(new HistoryScript().build(), ""))
        .contains("<strong>Unknown</strong>", "No lock was granted in this run");
  }

  @Test
  void html_anOverlap_isNamedWithItsOperationsAndDrawnAsASmallTimelineOfItsOwn() throws Exception {
    String html = page(SampleRun.withOverlap(), "");
    assertThat(html)
        .contains("<a href=\"#overlap=0\">")
        .containsPattern("operations \\d+ and \\d+</li>")
        .contains("The smallest counterexample");
    assertThat(html.split("<title>Overlap: ", -1)).as("a wide drawing and a narrow one").hasSize(3);
    Document drawing = drawing(html);
    assertThat(drawing.getElementsByTagName("circle").getLength())
        .as("only the two grants, of all in the run")
        .isEqualTo(2);
    assertThat(page(SampleRun.valid(), "")).doesNotContain("counterexample\"", "Overlap: ");
  }

  @Test
  void html_aSingleCallThatNothingExplains_isDrawnWithTheLeasesBefore() throws Exception {
    History history =
        new HistoryScript()
            .acquired(0, 10, "c1", 1, 1000)
            .released(20, 30, "c1", 1)
            .acquired(40, 50, "c2", 2, 100_000)
            .acquired(60, 70, "c3", 3, 1000)
            .build();
    String html =
        html(history, new LinearizabilityChecker("mutex", Duration.ofMinutes(1)).check(history));
    assertThat(html)
        .contains("The smallest counterexample", "No order explains the acquire of")
        .contains("<ol class=\"order\">", "<li class=\"stuck\">");
    assertThat(drawing(html).getElementsByTagName("circle").getLength()).isEqualTo(3);
  }

  @Test
  void html_aRenewalAfterAnothersGrant_isDrawnWithThatGrant() throws Exception {
    History history =
        new HistoryScript()
            .acquired(0, 10, "c1", 1, 100)
            .acquired(200, 210, "c2", 2, 1000)
            .renewed(300, 310, "c1", 1, 100)
            .build();
    String html = html(history, new RenewalChecker().check(history));
    assertThat(html).contains("A renewal succeeded, though its lock had been granted to c2.");
    assertThat(drawing(html).getElementsByTagName("circle").getLength()).isEqualTo(2);
  }

  @Test
  void html_textThatLooksLikeHtml_isOnlyText() throws Exception {
    String evil = EVIL;
    History history = SampleRun.named(evil);
    String html = page(history, evil);
    assertThat(html)
        .doesNotContain("<img", "<!--", "\u202e")
        .contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;{{test}}");
    assertThat(html.split("</script", -1)).as("the page's own ends of scripts").hasSize(4);
    drawing(html);
    String markdown =
        Markdown.of(
            RunInfo.of("a|b", Instant.EPOCH, NO_INTENT, RunAnalysis.of(history), result(history)),
            RunAnalysis.of(history),
            result(history));
    assertThat(markdown).contains("a\\|b").doesNotContain(" <img", "\"<img");
  }

  @Test
  void html_manyOperationsAndLeases_areBoundedAndThePageSaysSo() throws Exception {
    HistoryScript script = new HistoryScript();
    for (int i = 0; i < 3000; i++) {
      script.acquired(10L * i, 10L * i + 1, "c" + i % 7, i, 8).nemesis(10L * i, "kill");
    }
    String html = page(script.build(), "");
    assertThat(html)
        .contains("The first 500 of 9,000 operations; the files have the rest")
        .contains("The first 200 of 3,000 faults")
        .contains("\"tenures\":3000");
    assertThat(html.length()).isLessThan(1_500_000);
  }

  @Test
  void html_aControlRun_isGoodIfItsCheckerFoundItInvalid() {
    History overlap = SampleRun.withOverlap();
    assertThat(control(overlap, "mutual-exclusion"))
        .contains("<div class=\"verdict valid\"", "<strong>Detected</strong>")
        .contains("Expected invalid, found by mutual-exclusion.");
    assertThat(control(overlap, "fencing"))
        .contains("<div class=\"verdict invalid\"", "<strong>Not detected</strong>")
        .contains("Expected invalid, but not found by fencing.");
  }

  private static String control(History history, String checker) {
    Intent intent = NO_INTENT.expectedInvalidBy(checker);
    return new ReportPage(
            "x",
            Instant.EPOCH,
            intent,
            RunAnalysis.of(history),
            result(history),
            Path.of("x"),
            List.of(),
            "")
        .html();
  }

  @Test
  void html_overlapsOfAValidRun_sayWhyTheyAreNoViolation() {
    History history = SampleRun.withOverlap();
    Result valid = new Result("mutual-exclusion", Verdict.VALID, "In each life.", List.of());
    String html =
        new ReportPage(
                "x",
                Instant.EPOCH,
                NO_INTENT.allowingOverlaps("Deleting the index releases <all> locks."),
                RunAnalysis.of(history),
                valid,
                Path.of("x"),
                List.of(),
                "")
            .html();
    assertThat(html)
        .contains("held a lock at the same time without a violation: 1 overlap.")
        .contains("Deleting the index releases &lt;all&gt; locks.", "(allowed)")
        .contains("\"allowed\":true")
        .doesNotContain("held-words invalid\"", "class=\"alarm\"");
    assertThat(page(history, "")).contains("held-words invalid\"", "\"allowed\":false");
  }

  @Test
  void html_aViolationReadFromAFile_isDrawnAsBefore() throws Exception {
    History history = SampleRun.withOverlap();
    Path file =
        Files.writeString(
            folder.resolve("r.json"), ResultJson.text(ResultJson.toJson(result(history))));
    assertThat(html(history, ResultJson.readResult(file))).isEqualTo(page(history, ""));
  }

  private static String page(History history, String reproduce) {
    return page(history, result(history), reproduce).html();
  }

  private static String html(History history, Result result) {
    return page(history, result, "").html();
  }

  private static ReportPage page(History history, Result result, String reproduce) {
    return new ReportPage(
        "partition-heals",
        Instant.parse("2026-11-23T09:15:02Z"),
        NO_INTENT.repeatedBy(reproduce),
        RunAnalysis.of(history),
        result,
        Path.of("store/run"),
        List.of("history.edn", "history.txt", "recordings/c#1.edn", "results.edn", "results.json"),
        "");
  }

  private static Result result(History history) {
    return SampleRun.checker().check(history);
  }

  private static Document drawing(String html) throws Exception {
    int from = html.indexOf("<svg class=\"drawing\"");
    int to = html.indexOf("</svg>", from) + "</svg>".length();
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html.substring(from, to))));
  }
}
