package dev.holdfast.cluster;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what cannot be subscribed to. */
final class Polling {

  private static final long INTERVAL_MILLIS = 50;

  private Polling() {}

  /** Returns whether the condition became true within the limit; looks at least once. */
  static boolean until(Duration limit, BooleanSupplier condition) throws InterruptedException {
    long deadlineNanos = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        return false;
      }
      Thread.sleep(INTERVAL_MILLIS);
    }
    return true;
  }
}
