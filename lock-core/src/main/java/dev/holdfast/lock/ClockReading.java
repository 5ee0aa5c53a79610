package dev.holdfast.lock;

import java.time.Instant;

/**
 * Both clocks, read once.
 *
 * @param nanos the monotonic clock
 * @param wall the wall clock, in whole milliseconds
 */
record ClockReading(long nanos, Instant wall) {

  /** Monotonic nanoseconds from the earlier reading to this one. */
  long nanosSince(ClockReading earlier) {
    return nanos - earlier.nanos;
  }

  /**
   * Wall-clock nanoseconds from the earlier reading to this one; saturates instead of overflowing.
   */
  long wallNanosSince(ClockReading earlier) {
    return Times.nanosBetween(earlier.wall, wall);
  }
}
