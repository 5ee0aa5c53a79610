package dev.holdfast.bench.report;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One number of a run.
 *
 * @param scenario what was done
 * @param subject by whom
 * @param value in that unit
 * @param goal what it is held to; null if to nothing
 */
public record Measurement(
    String scenario, String subject, double value, String unit, @Nullable Goal goal) {

  public static Measurement of(String scenario, String subject, double value, String unit) {
    return new Measurement(scenario, subject, value, unit, null);
  }

  /** The median; not a number if there are none. */
  public static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  public Measurement atMost(double limit) {
    return new Measurement(scenario, subject, value, unit, new Goal(limit, false));
  }

  public Measurement atLeast(double limit) {
    return new Measurement(scenario, subject, value, unit, new Goal(limit, true));
  }

  /** "met" or "missed", with the goal; empty if there is none. */
  public String verdict() {
    return goal == null
        ? ""
        : "%s %s: %s"
            .formatted(
                goal.atLeast ? "at least" : "at most",
                format(goal.limit),
                goal.isMetBy(value) ? "met" : "missed");
  }

  String formatted() {
    return format(value);
  }

  private static String format(double number) {
    double size = Math.abs(number);
    String digits =
        size >= 100 || number == Math.rint(number) ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, digits, number);
  }

  /** A bound. */
  record Goal(double limit, boolean atLeast) {
    boolean isMetBy(double value) {
      // Not-a-number meets nothing.
      return atLeast ? value >= limit : value <= limit;
    }
  }
}
