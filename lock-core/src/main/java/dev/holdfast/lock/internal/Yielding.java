package dev.holdfast.lock.internal;

import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Yields the processor for a bounded time, to threads that are ready to run. Correct whatever the
 * scheduler does: at worst, processor time is spent. Thread-safe.
 */
public final class Yielding {
  /** For how long threads that were just woken are let run before the next request leaves. */
  private static final long WOKEN_NANOS = 200_000;

  /** Bounds that where no other thread wants the processor. */
  private static final int WOKEN_TURNS = 64;

  private Yielding() {}

  /**
   * Yields while others are to run, so that what they do next leaves with the request that is about
   * to, instead of missing it by a hair.
   *
   * @param othersAreToRun whether there is still something to yield for
   */
  public static void toWoken(BooleanSupplier othersAreToRun) {
    during(othersAreToRun, System::nanoTime, WOKEN_NANOS, WOKEN_TURNS);
  }

  /**
   * Yields while a condition holds, at most for so long, and so often.
   *
   * @param nanos a monotonic clock
   * @param maxNanos the limit by that clock; it is looked at after each turn
   * @param maxTurns the limit where the clock stands still
   */
  @SuppressWarnings("ThreadPriorityCheck")
  public static void during(
      BooleanSupplier condition, LongSupplier nanos, long maxNanos, int maxTurns) {
    long since = nanos.getAsLong();
    for (int turn = 0; turn < maxTurns && condition.getAsBoolean(); turn++) {
      Thread.yield();
      if (nanos.getAsLong() - since >= maxNanos) {
        return;
      }
    }
  }
}
