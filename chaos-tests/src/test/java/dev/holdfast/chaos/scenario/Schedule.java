package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.fault.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * When which fault begins and ends, from the start of a run. Immutable.
 *
 * @param steps the faults in order of their beginnings
 * @param length how long the run goes on before all faults are ended
 * @param keepsTime whether a fault whose moment has passed is left out; else all come, later
 */
public record Schedule(List<PlannedFault> steps, Duration length, boolean keepsTime) {

  /** One fault. */
  public record PlannedFault(Duration at, Fault what, Duration lasting) {}

  /** Copies the list. */
  public Schedule {
    steps = List.copyOf(steps);
  }

  /** Returns one without faults. */
  public static Schedule quiet(Duration length) {
    return new Schedule(List.of(), length, false);
  }

  /** Returns the first faults alone; without any, the length stays. */
  Schedule first(int count) {
    List<PlannedFault> first = steps.subList(0, Math.min(count, steps.size()));
    return first.isEmpty()
        ? new Schedule(first, length, keepsTime)
        : new Schedule(
            first,
            first.stream()
                .map(step -> step.at().plus(step.lasting()))
                .max(Comparator.naturalOrder())
                .orElseThrow()
                .plusSeconds(2),
            keepsTime);
  }

  /** Puts faults one after the other, with pauses before and after each. Not thread-safe. */
  static final class Writer {
    private final List<PlannedFault> steps = new ArrayList<>();
    private Duration now = Duration.ofSeconds(1);

    /** Adds a fault, and a pause after it. */
    Writer add(Fault what, long lastingMillis, long pauseMillis) {
      steps.add(new PlannedFault(now, what, Duration.ofMillis(lastingMillis)));
      now = now.plusMillis(lastingMillis + pauseMillis);
      return this;
    }

    Schedule end() {
      return new Schedule(steps, now, false);
    }
  }
}
