package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.chaos.sim.SmallWorld.Beginning;
import dev.holdfast.chaos.sim.SmallWorld.Explored;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All schedules of a small world, but fewer choices of each than in the chaos profile. */
class SmallWorldTest {
  private static final int FREE = 5;

  @ParameterizedTest
  @EnumSource(Beginning.class)
  void library_inEverySchedule_keepsEveryInvariant(Beginning beginning) {
    Explored explored = SmallWorld.explore(beginning, FREE, 1, Planted.NOTHING);

    System.out.printf("%s: %,d schedules%n", beginning, explored.schedules());
    assertThat(explored.violation()).as("%s", explored.trace()).isNull();
    assertThat(explored.schedules()).isGreaterThan(100);
  }

  @Test
  void explored_withoutFaults_countsEverySequenceOnce() {
    // One create that is sent, arrives and is answered, while the other's does the same: two
    // choices at each step but when one is through, and time may go on at any.
    assertThat(SmallWorld.explore(Beginning.NOTHING, 1, 0, Planted.NOTHING).schedules())
        .isEqualTo(3);
  }

  @Test
  void library_thatBelievesReads_isCaught() {
    Explored explored = SmallWorld.explore(Beginning.NOTHING, FREE, 1, PlantedBug.READ_IS_PROOF);

    assertThat(explored.violation()).extracting("invariant").isEqualTo(Invariant.BELIEF);
    assertThat(explored.trace()).last().asString().contains("VIOLATION");
  }

  /** Its record is deleted at its release, and it is granted again in memory. */
  @Test
  void library_thatLingersWithoutItsRecord_isCaught() {
    BuggyLibrary library = new BuggyLibrary(EngineBug.LINGERING_RECORD_IS_DELETED);

    assertThat(library.explore(Beginning.LINGERING, FREE + 3)).startsWith("TOKENS_RISE");
  }

  @Test
  void library_thatOverwrites_isCaught() {
    assertThat(
            SmallWorld.explore(Beginning.HELD, FREE, 0, PlantedBug.CREATE_OVERWRITES).violation())
        .isNotNull();
  }
}
