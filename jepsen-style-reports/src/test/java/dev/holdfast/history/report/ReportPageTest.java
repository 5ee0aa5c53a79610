package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.NotVacuousChecker;
import dev.holdfast.history.check.TtlExpiryChecker;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ReportPageTest {

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
        .doesNotContain("<script")
        .doesNotContain("src=");
    assertThat(drawing(html).getElementsByTagName("rect").getLength()).isGreaterThan(10);
    // Left behind to be looked at.
    Files.writeString(
        Files.createDirectories(Path.of("target/pages")).resolve("invalid.html"), html);
    Files.writeString(
        Path.of("target/pages/valid.html"), page(SampleRun.valid(), "mvn verify -Pchaos"));
    Files.writeString(
        Path.of("target/pages/unknown.html"), page(new HistoryScript().build(), "mvn verify"));
  }

  @Test
  void html_anOverlap_isDrawnOnceAndNamed() throws Exception {
    assertThat(page(SampleRun.withOverlap(), "")).containsOnlyOnce("<title>Overlap: ");
    assertThat(page(SampleRun.valid(), "")).doesNotContain("<title>Overlap: ");
  }

  @Test
  void html_textThatLooksLikeHtml_isOnlyText() throws Exception {
    String evil = "<img src=x onerror=alert(1)>\"'&{{test}}\u0007\ud800";
    History history =
        new HistoryScript()
            .ok(0, 10, "acquire", "lock", evil, "client", evil, "fence", 1, "ttl", 1000)
            .ok(20, 30, "acquire", "lock", evil, "client", evil + "2", "fence", 2, "ttl", 1000)
            .nemesis(15, "kill", "target", evil)
            .build();
    String html = page(history, evil);
    assertThat(html)
        .doesNotContain("<img")
        .contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;{{test}}");
    drawing(html);
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
        .contains("Drawn are 2,000 of 3,000 leases");
    assertThat(html.length()).isLessThan(3_000_000);
  }

  private static String page(History history, String reproduce) {
    return new ReportPage(
            "partition-heals",
            Instant.parse("2026-11-23T09:15:02Z"),
            history,
            Checkers.compose(
                    new MutualExclusionChecker(),
                    new FencingChecker(),
                    new TtlExpiryChecker(0.02, Duration.ofMillis(1500)),
                    new LossNoticeChecker(),
                    new NotVacuousChecker(Set.of("acquire", "renew", "release", "write"), true))
                .check(history),
            reproduce,
            List.of(
                "history.edn", "history.txt", "recordings/c#1.edn", "results.edn", "results.json"))
        .html();
  }

  private static Document drawing(String html) throws Exception {
    int from = html.indexOf("<svg class=\"drawing\"");
    int to = html.indexOf("</svg>\n</div>", from) + "</svg>".length();
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html.substring(from, to))));
  }
}
