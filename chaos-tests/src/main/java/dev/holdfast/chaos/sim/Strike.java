package dev.holdfast.chaos.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * One fault of a run's schedule. What it hits, and for how long, are functions of its dice alone:
 * taking a strike out of a schedule leaves the others as they are.
 *
 * @param atMillis when, after the start of the run
 * @param kind what happens
 * @param dice whom it hits, and how hard
 */
record Strike(long atMillis, Faults.Kind kind, long dice) {
  private static final double MINUTE_MILLIS = 60_000;

  /**
   * A schedule drawn by chance: faults of a kind come as many a minute as their rate says (a
   * Poisson process).
   */
  static List<Strike> draw(SplittableRandom random, Faults faults, long untilMillis) {
    List<Strike> strikes = new ArrayList<>();
    for (Faults.Kind kind : Faults.Kind.values()) {
      double rate = faults.rate(kind);
      if (!kind.strikes() || rate == 0) {
        continue;
      }
      double at = 0;
      while (true) {
        at += -Math.log(1 - random.nextDouble()) * MINUTE_MILLIS / rate;
        if (at >= untilMillis) {
          break;
        }
        strikes.add(new Strike((long) at, kind, random.nextInt(Integer.MAX_VALUE)));
      }
    }
    return strikes;
  }

  /**
   * Reads a schedule as {@link #text(List)} writes it.
   *
   * @throws IllegalArgumentException if it is none, with the part that is wrong
   */
  static List<Strike> parse(String text) {
    List<Strike> strikes = new ArrayList<>();
    for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
      String[] words = part.strip().split(":", -1);
      try {
        Faults.Kind kind = Faults.kind(words.length == 3 ? words[1] : "");
        if (!kind.strikes()) {
          throw new IllegalArgumentException(kind.text() + " is a property of messages or clocks");
        }
        long at = Long.parseLong(words[0]);
        if (at < 0 || at >= Plan.FAULTY_MILLIS) {
          throw new IllegalArgumentException("faults end after " + Plan.FAULTY_MILLIS + " ms");
        }
        strikes.add(new Strike(at, kind, Long.parseLong(words[2])));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "a strike is MILLIS:FAULT:NUMBER, as in 1200:client-pause:7, but there is \""
                + part
                + "\": "
                + e.getMessage(),
            e);
      }
    }
    return strikes;
  }

  /** As a command takes it. */
  static String text(List<Strike> strikes) {
    return String.join(",", strikes.stream().map(Strike::toString).toList());
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%d:%s:%d", atMillis, kind.text(), dice);
  }
}
