package dev.holdfast.chaos.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * One fault of a run's schedule. Its target and its duration are functions of its dice alone:
 * removing one fault from a schedule changes no other.
 *
 * @param atMillis when, after the start of the run
 * @param kind what happens
 * @param dice whom it hits, and how hard
 */
record ScheduledFault(long atMillis, Faults.FaultKind kind, long dice) {
  private static final double MINUTE_MILLIS = 60_000;

  /**
   * Draws a random schedule: faults of a kind come as many a minute as their rate says (a Poisson
   * process).
   */
  static List<ScheduledFault> draw(SplittableRandom random, Faults faults, long untilMillis) {
    List<ScheduledFault> schedule = new ArrayList<>();
    for (Faults.FaultKind kind : Faults.FaultKind.values()) {
      double rate = faults.rate(kind);
      if (!kind.isScheduled() || rate == 0) {
        continue;
      }
      double at = 0;
      while (true) {
        at += -Math.log(1 - random.nextDouble()) * MINUTE_MILLIS / rate;
        if (at >= untilMillis) {
          break;
        }
        schedule.add(new ScheduledFault((long) at, kind, random.nextInt(Integer.MAX_VALUE)));
      }
    }
    return schedule;
  }

  /**
   * Reads a schedule as {@link #text(List)} writes it.
   *
   * @throws IllegalArgumentException if it is none, with the part that is wrong
   */
  static List<ScheduledFault> parse(String text) {
    List<ScheduledFault> schedule = new ArrayList<>();
    for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
      String[] words = part.strip().split(":", -1);
      try {
        Faults.FaultKind kind = Faults.kind(words.length == 3 ? words[1] : "");
        if (!kind.isScheduled()) {
          throw new IllegalArgumentException(kind.text() + " is a property of messages or clocks");
        }
        long at = Long.parseLong(words[0]);
        if (at < 0 || at >= Plan.FAULTY_MILLIS) {
          throw new IllegalArgumentException("faults end after " + Plan.FAULTY_MILLIS + " ms");
        }
        schedule.add(new ScheduledFault(at, kind, Long.parseLong(words[2])));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "a scheduled fault is MILLIS:FAULT:NUMBER, as in 1200:client-pause:7, but there is \""
                + part
                + "\": "
                + e.getMessage(),
            e);
      }
    }
    return schedule;
  }

  /** As a command takes it. */
  static String text(List<ScheduledFault> schedule) {
    return String.join(",", schedule.stream().map(ScheduledFault::toString).toList());
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%d:%s:%d", atMillis, kind.text(), dice);
  }
}
