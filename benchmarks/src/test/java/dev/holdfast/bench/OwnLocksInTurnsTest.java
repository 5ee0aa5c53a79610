package dev.holdfast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.bench.OwnLocksInTurns.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

class OwnLocksInTurnsTest {
  private final OwnLocksInTurns inTurns = new OwnLocksInTurns("own locks", 2);

  private Figure figure(List<Turn> turns, String subject) {
    return inTurns.figures(turns).stream()
        .filter(figure -> figure.subject().equals(subject))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void ratio_onAMachineThatSlowsDown_isThatOfEachTurn() {
    // The ratio of the median rates, 700 and 900, is none that was ever seen.
    List<Turn> turns =
        List.of(
            new Turn(900, 1_000, 1_800, 300),
            new Turn(700, 900, 1_400, 350),
            new Turn(90, 100, 180, 30));

    assertThat(figure(turns, "Holdfast / raw _bulk").value()).isEqualTo(0.9, within(1e-9));
    assertThat(figure(turns, "Holdfast / raw _bulk in one piece").value())
        .isEqualTo(0.5, within(1e-9));
    assertThat(figure(turns, "Holdfast / one by one").value()).isEqualTo(3, within(1e-9));
    assertThat(figure(turns, "Holdfast").value()).isEqualTo(700);
    assertThat(figure(turns, "raw _bulk of 32, two at a time").value()).isEqualTo(900);
  }

  @Test
  void goals_thatAreNotReached_areMissed() {
    List<Turn> turns = List.of(new Turn(84, 100, 200, 43));

    assertThat(figure(turns, "Holdfast / raw _bulk").verdict()).endsWith("missed");
    assertThat(figure(turns, "Holdfast / one by one").verdict()).endsWith("missed");
    assertThat(figure(List.of(new Turn(86, 100, 200, 43)), "Holdfast / raw _bulk").verdict())
        .endsWith("met");
  }
}
