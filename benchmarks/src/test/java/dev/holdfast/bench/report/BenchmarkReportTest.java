package dev.holdfast.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.bench.scenarios.ManagerScenarios;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Measurements, their goals, and how they are shown. */
class BenchmarkReportTest {
  private static final Measurement RATE =
      Measurement.of("locks", "Holdfast", 1_234.4, "acquire+release/s");

  @Test
  void goal_onEitherSide_isMetOrMissed() {
    assertThat(RATE.verdict()).isEmpty();
    assertThat(RATE.atLeast(1_234.4).verdict()).isEqualTo("at least 1,234: met");
    assertThat(RATE.atLeast(1_235).verdict()).isEqualTo("at least 1,235: missed");
    assertThat(RATE.atMost(1_234.4).verdict()).endsWith("met");
    assertThat(RATE.atMost(1.05).verdict()).isEqualTo("at most 1.05: missed");
  }

  @Test
  void goal_ofWhatWasNotMeasured_isMissed() {
    Measurement nothing = Measurement.of("locks", "Holdfast", Double.NaN, "times");
    assertThat(nothing.atLeast(1).verdict()).endsWith("missed");
    assertThat(nothing.atMost(1).verdict()).endsWith("missed");
  }

  @Test
  void jain_ofShares_isOneWhereTheyAreEqualAndOneNthWhereOneHasAll() {
    assertThat(ManagerScenarios.jain(new long[] {7, 7, 7, 7})).isEqualTo(1, within(1e-9));
    assertThat(ManagerScenarios.jain(new long[] {9, 0, 0, 0})).isEqualTo(0.25, within(1e-9));
    assertThat(ManagerScenarios.jain(new long[] {3, 1})).isEqualTo(0.8, within(1e-9));
  }

  @Test
  void markdown_ofMeasurements_hasARowForEachAndTheNotes() {
    String text =
        new BenchmarkReport(List.of(RATE.atLeast(1), RATE), List.of("left out: nobody")).markdown();

    assertThat(text)
        .contains(
            "| locks | Holdfast | 1,234 | acquire+release/s | at least 1: met |\n",
            "| locks | Holdfast | 1,234 | acquire+release/s |  |\n",
            "\n- left out: nobody\n");
  }

  @Test
  void html_ofMeasurements_plotsThoseThatCompareAndNeedsNoNetwork() {
    Measurement evil = Measurement.of("a", "</script><b>", 1, "x");
    String page =
        new BenchmarkReport(
                List.of(RATE, evil, Measurement.of("a", "other", 2, "x")), List.of("<i>"))
            .html();

    assertThat(page)
        .contains("style=\"width:50.0%\"", "&lt;/script&gt;&lt;b&gt;", "<li>&lt;i&gt;")
        .containsOnlyOnce("<figure")
        .doesNotContain("</script><b>", "<script", "<link", "http");
  }
}
