package dev.holdfast.lock;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * The two clocks of a manager.
 *
 * @param ticker monotonic, for leases
 * @param wall the time of day: what others see, and a second witness of time that passes while the
 *     machine sleeps
 */
record Clocks(Ticker ticker, InstantSource wall) {

  /**
   * Reads both. Truncated to milliseconds, as records are, so that what is written and what is
   * reckoned with are the same moment.
   */
  ClockReading read() {
    return new ClockReading(ticker.nanos(), wallNow());
  }

  Instant wallNow() {
    // One object a reading, of which each grant takes several: Instant.truncatedTo makes three.
    return Instant.ofEpochMilli(wall.millis());
  }

  Duration since(ClockReading earlier) {
    return Duration.ofNanos(Math.max(0, ticker.nanos() - earlier.nanos()));
  }
}
