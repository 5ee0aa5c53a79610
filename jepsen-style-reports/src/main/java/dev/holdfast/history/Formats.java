package dev.holdfast.history;

import java.util.Locale;

/** Formats numbers, times and counts, alike in results, pages and tables. Stateless. */
public final class Formats {

  private Formats() {}

  /**
   * Writes a time or duration in seconds.
   *
   * @param nanos nanoseconds
   * @return for example {@code 1.234 s}; {@code never} for {@link Long#MAX_VALUE}
   */
  public static String seconds(long nanos) {
    return nanos == Long.MAX_VALUE ? "never" : String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
  }

  /**
   * Writes a duration in seconds with one digit after the point, for tables.
   *
   * @param nanos nanoseconds
   * @return for example {@code 1.2 s}
   */
  public static String roundSeconds(long nanos) {
    return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
  }

  /**
   * Writes a duration in milliseconds.
   *
   * @param nanos nanoseconds
   * @return for example {@code 1,234.5 ms}
   */
  public static String millis(long nanos) {
    return String.format(Locale.ROOT, "%,.1f ms", nanos / 1e6);
  }

  /**
   * Writes a whole number.
   *
   * @param number the number
   * @return for example {@code 1,200}
   */
  public static String number(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /**
   * Counts something in words.
   *
   * @param count how many
   * @param what one of them
   * @return for example {@code 1 lease} or {@code 1,200 leases}
   */
  public static String count(long count, String what) {
    return number(count) + " " + what + (count == 1 ? "" : "s");
  }

  /**
   * Adds without going past the largest number.
   *
   * @param nanos a time in nanoseconds
   * @param durationNanos at least 0
   * @return the sum, or {@link Long#MAX_VALUE}, which stands for never
   */
  public static long plus(long nanos, long durationNanos) {
    long sum = nanos + durationNanos;
    return nanos > 0 && sum < nanos ? Long.MAX_VALUE : sum;
  }
}
