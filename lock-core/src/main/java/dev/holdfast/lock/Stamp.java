package dev.holdfast.lock;

import java.time.Instant;

/**
 * Both clocks, read once.
 *
 * @param nanos the monotonic clock
 * @param wall the wall clock, in whole milliseconds
 */
record Stamp(long nanos, Instant wall) {

  /** Monotonic nanoseconds from the earlier stamp to this one. */
  long nanosSince(Stamp earlier) {
    return nanos - earlier.nanos;
  }

  /**
   * Wall-clock nanoseconds from the earlier stamp to this one; saturates instead of overflowing.
   */
  long wallNanosSince(Stamp earlier) {
    return Times.nanosBetween(earlier.wall, wall);
  }
}
