package dev.holdfast.lock;

import java.time.Duration;

/**
 * For how long one acknowledged write lets its writer believe that it holds the lock.
 *
 * <p>Counted from the reading of the clocks <em>before</em> the write was handed to the store,
 * which is earlier than any other process can count from, and shortened by a margin for monotonic
 * clocks that run at different speeds: whoever watches the record counts a whole TTL on its own
 * clock, so the holder's may be slower than that one by the margin. The time that has passed is the
 * larger of what the two clocks say: the monotonic clock stands still while a machine is suspended,
 * and the wall clock can be set back. The wall clock's answer is padded by how far it may have been
 * set back while the monotonic clock stood still. Either clock's error can only shorten a lease,
 * unless both fail at once by more than the padding.
 *
 * @param start when the clocks were read
 * @param ttlNanos the lease's length
 * @param driftMarginNanos by how much it ends earlier than its TTL, for the drift between two
 *     monotonic clocks
 * @param wallPaddingNanos added to the time that passed by the wall clock
 */
record Validity(ClockReading start, long ttlNanos, long driftMarginNanos, long wallPaddingNanos) {
  /** The padding is never more than a tenth of the TTL. */
  private static final int WALL_PADDING_DIVISOR = 10;

  /**
   * What a write gives that was begun then.
   *
   * @param maxClockDrift the part of the TTL that is left out for the drift between two monotonic
   *     clocks
   */
  static Validity from(
      ClockReading start, Duration ttl, double maxClockDrift, Duration maxClockSkew) {
    long ttlNanos = ttl.toNanos();
    return new Validity(
        start,
        ttlNanos,
        (long) Math.ceil(ttlNanos * maxClockDrift),
        Math.min(Times.nanos(maxClockSkew), ttlNanos / WALL_PADDING_DIVISOR));
  }

  /** How long it lasts at the most, from its start. */
  long fullNanos() {
    return lengthNanos() - wallPaddingNanos;
  }

  /** How much is left; 0 or less when it has ended. */
  long remainingNanos(ClockReading now) {
    long monotonic = now.nanosSince(start);
    long wall = Times.plus(now.wallNanosSince(start), wallPaddingNanos);
    long elapsed = Math.max(monotonic, wall);
    long length = lengthNanos();
    return elapsed >= length ? 0 : length - elapsed;
  }

  private long lengthNanos() {
    return ttlNanos - driftMarginNanos;
  }

  boolean isOver(ClockReading now) {
    return remainingNanos(now) <= 0;
  }

  /** Whether the record that the write made may be gone by itself: the whole TTL has passed. */
  static boolean hasTtlPassed(ClockReading start, long ttlNanos, ClockReading now) {
    return Math.max(now.nanosSince(start), now.wallNanosSince(start)) >= ttlNanos;
  }
}
