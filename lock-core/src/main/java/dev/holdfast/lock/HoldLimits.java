package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import java.time.Duration;

/**
 * How long a lock is held at least and at most, from a moment of the monotonic clock. Immutable.
 *
 * @param sinceNanos from when both count
 * @param atLeastNanos 0 for no such limit
 * @param atMostNanos {@link Long#MAX_VALUE} for no such limit
 * @param over whether the longest hold was found to be over, which is final: somebody may have been
 *     notified of the loss ({@link Reason#MAX_HOLD})
 */
record HoldLimits(long sinceNanos, long atLeastNanos, long atMostNanos, boolean over) {

  static HoldLimits of(LockOptions options, long sinceNanos) {
    return new HoldLimits(
        sinceNanos,
        Times.nanos(options.holdAtLeast()),
        options.maxHold().map(Times::nanos).orElse(Long.MAX_VALUE),
        false);
  }

  /**
   * The limits that take the place of others.
   *
   * @throws IllegalArgumentException if one is out of range, or they contradict each other
   */
  static HoldLimits of(Duration holdAtLeast, Duration maxHold, long sinceNanos) {
    LockOptions options = LockOptions.defaults().withHoldAtLeast(holdAtLeast).withMaxHold(maxHold);
    options.check();
    return of(options, sinceNanos);
  }

  boolean hasMaximum() {
    return atMostNanos != Long.MAX_VALUE;
  }

  HoldLimits found(boolean isOver) {
    return new HoldLimits(sinceNanos, atLeastNanos, atMostNanos, isOver);
  }

  /** How much is left of the longest hold; 0 or less if nothing. */
  long atMostNanosLeft(long nowNanos) {
    return atMostNanos - (nowNanos - sinceNanos);
  }

  /** How much is left of the shortest hold; 0 if nothing. */
  long atLeastNanosLeft(long nowNanos) {
    return Math.max(0, atLeastNanos - Math.max(0, nowNanos - sinceNanos));
  }
}
