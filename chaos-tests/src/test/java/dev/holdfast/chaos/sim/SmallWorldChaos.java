package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.ScheduleSearch.Explored;
import dev.holdfast.chaos.sim.SmallWorld.Beginning;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every schedule of a small world: more than a million; with {@code
 * -Dholdfast.test.small-world=deep}, more than ten million.
 */
class SmallWorldChaos {
  private static final boolean DEEP =
      System.getProperty("holdfast.test.small-world", "").equals("deep");

  private static final long WANTED = DEEP ? 10_000_000 : 1_000_000;
  private static final int FAULTS = 1;

  /** All, or some. */
  private static final Set<Beginning> BEGINNINGS =
      Stream.of(System.getProperty("holdfast.test.beginnings", "").split(","))
          .filter(name -> !name.isBlank())
          .map(Beginning::valueOf)
          .collect(Collectors.toSet());

  /** The number of free choices: some beginnings have more choices at each step than others. */
  private static int free(Beginning beginning) {
    return switch (beginning) {
          case NOTHING, RENEWING, HELD_OF_THREE, CRASHED_OF_THREE -> 7;
          case HANDOFF, LINGERING_TASKS -> 8;
          case HELD, CRASHED, LINGERING -> 9;
          case NOTHING_OF_THREE -> 6;
        }
        + (DEEP ? 2 : 0);
  }

  @Test
  void library_inEverySchedule_keepsEveryInvariant() {
    long schedules = 0;
    for (Beginning beginning : BEGINNINGS.isEmpty() ? EnumSet.allOf(Beginning.class) : BEGINNINGS) {
      long begun = System.nanoTime();
      Explored explored =
          ScheduleSearch.of(beginning, free(beginning), FAULTS, Planted.NOTHING).explore();
      schedules += explored.schedules();
      System.out.printf(
          "[small world] %s, %d clients, %d free choices, %d steps at most: %,d schedules,"
              + " %,d left as repetitions, %d s%n",
          beginning,
          beginning.clients,
          free(beginning),
          explored.longest(),
          explored.schedules(),
          explored.left(),
          TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
      assertThat(explored.violation()).as("%s", explored.trace()).isNull();
    }
    System.out.printf(
        "[small world] %,d schedules, no two of which differ only in the order of independent"
            + " steps; all invariants held%n",
        schedules);
    System.out.println(
        "[small world] not covered: more free choices than these (the rest happens in order); more"
            + " than one loss and one duplicate; callbacks of one client in another order than"
            + " theirs; crashes, and clocks that are wrong, during the free choices");

    assertThat(schedules).isGreaterThanOrEqualTo(BEGINNINGS.isEmpty() ? WANTED : 1);
  }
}
