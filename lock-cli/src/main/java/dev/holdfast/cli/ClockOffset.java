package dev.holdfast.cli;

import java.time.Duration;

/**
 * By how much another clock is ahead of this machine's: somewhere in an interval, as the round trip
 * leaves open when the other clock was read.
 *
 * @param lowMillis the least that it can be ahead, negative if it may be behind
 * @param highMillis the most that it can be ahead
 */
record ClockOffset(long lowMillis, long highMillis) {
  /** Nothing known. */
  static final ClockOffset ANY = new ClockOffset(Long.MIN_VALUE / 2, Long.MAX_VALUE / 2);

  /**
   * Narrowed by one exchange.
   *
   * @param beforeMillis this machine's clock when the request left
   * @param afterMillis when the answer came
   * @param otherMillis the other clock in between, rounded down
   */
  ClockOffset narrowedBy(long beforeMillis, long afterMillis, long otherMillis) {
    return new ClockOffset(
        Math.max(lowMillis, otherMillis - afterMillis),
        Math.min(highMillis, otherMillis + 1 - beforeMillis));
  }

  /** By how much the clocks differ at least; zero if they may agree. */
  Duration atLeast() {
    return Duration.ofMillis(Math.max(0, Math.max(lowMillis, -highMillis)));
  }

  boolean isAhead() {
    return lowMillis > 0;
  }
}
