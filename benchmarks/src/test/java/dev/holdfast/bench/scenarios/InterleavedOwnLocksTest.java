package dev.holdfast.bench.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.bench.report.Measurement;
import dev.holdfast.bench.scenarios.InterleavedOwnLocks.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterleavedOwnLocksTest {
  private static Measurement measurement(List<Turn> turns, String subject, String unit) {
    return InterleavedOwnLocks.measurements("own locks", turns, 2).stream()
        .filter(
            measurement ->
                measurement.subject().equals(subject) && measurement.unit().startsWith(unit))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void ratio_onAMachineThatSlowsDown_isThatOfTheMedianTurn() {
    // The ratio of the median rates is that of the second turn, 0.78, 0.25 and 2.
    List<Turn> turns =
        List.of(
            new Turn(900, 810, 1_000, 1_800, 300),
            new Turn(700, 1_400, 900, 2_800, 350),
            new Turn(90, 81, 100, 180, 30));

    assertThat(measurement(turns, "Holdfast / raw _bulk", "times").value())
        .isEqualTo(0.9, within(1e-9));
    assertThat(measurement(turns, "Holdfast / raw _bulk", "times, lowest").value())
        .isEqualTo(7.0 / 9, within(1e-9));
    assertThat(measurement(turns, "Holdfast / raw _bulk", "times, highest").value())
        .isEqualTo(0.9, within(1e-9));
    assertThat(measurement(turns, "Holdfast / raw _bulk in one piece", "times").value())
        .isEqualTo(0.5, within(1e-9));
    assertThat(
            measurement(turns, "Holdfast, own connections / raw _bulk in one piece", "times")
                .value())
        .isEqualTo(0.45, within(1e-9));
    assertThat(measurement(turns, "Holdfast, own connections", "acquire").value()).isEqualTo(810);
    assertThat(measurement(turns, "Holdfast / one by one", "times").value())
        .isEqualTo(3, within(1e-9));
    assertThat(measurement(turns, "Holdfast", "acquire").value()).isEqualTo(700);
    assertThat(measurement(turns, "raw _bulk of 32, two at a time", "acquire").value())
        .isEqualTo(900);
    assertThat(measurement(turns, "raw _bulk of 32 in one piece", "acquire").value())
        .isEqualTo(1_800);
    assertThat(measurement(turns, "raw requests, one by one", "acquire").value()).isEqualTo(300);
  }

  @Test
  void goals_areMetOrMissed() {
    List<Turn> slow = List.of(new Turn(84, 80, 100, 200, 43));
    List<Turn> fast = List.of(new Turn(86, 80, 100, 200, 43));

    assertThat(measurement(slow, "Holdfast / raw _bulk", "times").verdict()).endsWith("missed");
    assertThat(measurement(slow, "Holdfast / one by one", "times").verdict()).endsWith("missed");
    assertThat(measurement(fast, "Holdfast / raw _bulk", "times").verdict()).endsWith("met");
    assertThat(measurement(fast, "Holdfast / one by one", "times").verdict()).endsWith("met");
  }
}
