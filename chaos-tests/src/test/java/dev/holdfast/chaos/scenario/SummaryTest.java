package dev.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The table, where there is little to tell. */
class SummaryTest {

  @Test
  void table_ofWhatBrokeOff_hasTheFirstLineOfWhy_andStaysATable() {
    var failure = new IllegalStateException("n1 | did not start\nits log\n" + "x".repeat(500));
    List<String> rows =
        Summary.table(
                List.of(
                    ScenarioOutcome.brokenOff("storm", failure),
                    ScenarioOutcome.skipped("nodes-partitioned", "only root can")))
            .lines()
            .toList();

    assertThat(rows).hasSize(5).allMatch(row -> row.chars().filter(c -> c == '|').count() == 9);
    assertThat(rows.get(2))
        .contains("broken off: java.lang.IllegalStateException: n1 / did not start")
        .doesNotContain("its log");
    assertThat(rows.get(3)).contains("skipped, because only root can");
    assertThat(rows.get(4)).contains("2 scenarios").contains("0 valid");
  }
}
