package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.WovenLibrary;
import org.jspecify.annotations.Nullable;

/** A copy of the library with a bug, and of the simulator that runs it. */
final class BuggyLibrary {
  private final WovenLibrary copy;

  BuggyLibrary(EngineBug bug) {
    copy = new WovenLibrary(BuggyLibrary.class, bug::plant);
  }

  /**
   * Runs one seed with the bug.
   *
   * @return the violation, or null
   */
  @Nullable String run(long seed, SimScenario scenario) {
    return (String) copy.call(Inside.class, "violation", seed, scenario.name());
  }

  /**
   * Tries all schedules of a small world with the bug, without faults.
   *
   * @return the violation, or null
   */
  @Nullable String explore(SmallWorld.Beginning beginning, long free) {
    return (String) copy.call(Inside.class, "smallViolation", free, beginning.name());
  }

  /** Entry points that are called through reflection, in the copy. */
  static final class Inside {
    private Inside() {}

    static @Nullable String violation(long seed, String scenario) {
      InvariantViolation violation =
          SimRun.of(seed, SimScenario.valueOf(scenario).faults(), Planted.NOTHING, false)
              .violation();
      return violation == null ? null : violation.getMessage();
    }

    static @Nullable String smallViolation(long free, String beginning) {
      InvariantViolation violation =
          ScheduleSearch.of(SmallWorld.Beginning.valueOf(beginning), (int) free, 0, Planted.NOTHING)
              .explore()
              .violation();
      return violation == null ? null : violation.getMessage();
    }
  }
}
