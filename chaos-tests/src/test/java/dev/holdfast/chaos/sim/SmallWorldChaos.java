package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.SmallWorld.Beginning;
import dev.holdfast.chaos.sim.SmallWorld.Explored;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every schedule of a small world: more than a million. */
class SmallWorldChaos {
  private static final long WANTED = 1_000_000;

  /** The number of free choices from each beginning: some have more choices at each step. */
  private static final Map<Beginning, Integer> FREE =
      Map.of(
          Beginning.NOTHING,
          7,
          Beginning.HELD,
          9,
          Beginning.RENEWING,
          8,
          Beginning.CRASHED,
          10,
          Beginning.LINGERING,
          8);

  @Test
  void library_inEverySchedule_keepsEveryInvariant() {
    long schedules =
        FREE.entrySet().parallelStream()
            .mapToLong(
                entry -> {
                  Explored explored =
                      SmallWorld.explore(entry.getKey(), entry.getValue(), 1, Planted.NOTHING);
                  System.out.printf(
                      "[small world] %s, %d free choices: %,d schedules%n",
                      entry.getKey(), entry.getValue(), explored.schedules());
                  assertThat(explored.violation()).as("%s", explored.trace()).isNull();
                  return explored.schedules();
                })
            .sum();
    System.out.printf("[small world] %,d distinct schedules, all invariants held%n", schedules);

    assertThat(schedules).isGreaterThanOrEqualTo(WANTED);
  }
}
