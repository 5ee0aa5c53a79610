package dev.holdfast.lock;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Arithmetic on times that saturates where {@code java.time} throws. */
final class Times {
  private Times() {}

  static final long NANOS_PER_MILLI = 1_000_000L;

  /** Nanoseconds from one instant to another, at most about 292 years either way. */
  static long nanosBetween(Instant from, Instant to) {
    try {
      return from.until(to, ChronoUnit.NANOS);
    } catch (ArithmeticException e) {
      return from.isAfter(to) ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  static long nanos(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  /** The product of a number of milliseconds, 0 or more, and a million. */
  static long millisToNanos(long millis) {
    return millis > Long.MAX_VALUE / NANOS_PER_MILLI ? Long.MAX_VALUE : millis * NANOS_PER_MILLI;
  }

  /** The least number of milliseconds that is no shorter. */
  static long toMillisUp(long nanos) {
    return Math.floorDiv(nanos - 1, NANOS_PER_MILLI) + 1;
  }

  /** The sum of two numbers, the second of which is 0 or more. */
  static long plus(long a, long b) {
    long sum = a + b;
    return sum < a ? Long.MAX_VALUE : sum;
  }
}
