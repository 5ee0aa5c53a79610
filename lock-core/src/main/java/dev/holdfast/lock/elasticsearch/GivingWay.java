package dev.holdfast.lock.elasticsearch;

import java.util.function.BooleanSupplier;

/**
 * Lets threads that were just woken do what they do next, which then leaves with the request that
 * is about to, instead of missing it by a hair. Thread-safe.
 */
final class GivingWay {
  /** At most so long, unless the scheduler dawdles. */
  private static final long MAX_NANOS = 200_000;

  /** Bounds it where nobody else wants the processor. */
  private static final int MAX_TURNS = 64;

  private GivingWay() {}

  /** Gives way while that is so. Correct whatever the scheduler does. */
  @SuppressWarnings("ThreadPriorityCheck")
  static void during(BooleanSupplier othersAreToRun) {
    long since = System.nanoTime();
    for (int turn = 0; turn < MAX_TURNS && othersAreToRun.getAsBoolean(); turn++) {
      Thread.yield();
      if (System.nanoTime() - since >= MAX_NANOS) {
        return;
      }
    }
  }
}
