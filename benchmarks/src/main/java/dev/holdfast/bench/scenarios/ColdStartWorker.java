package dev.holdfast.bench.scenarios;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.util.Locale;

/**
 * A new process that acquires one lock, as a cron job does. Prints that it holds the lock, and then
 * the nanoseconds that each step took.
 */
final class ColdStartWorker {
  private ColdStartWorker() {}

  /**
   * Runs once.
   *
   * @param arguments the cluster's URL
   */
  public static void main(String[] arguments) throws InterruptedException {
    long[] at = new long[5];
    at[0] = System.nanoTime();
    try (ElasticsearchLockStore store = ElasticsearchLockStore.builder(arguments[0]).build()) {
      at[1] = System.nanoTime();
      try (LockManager locks = LockManager.create(store)) {
        at[2] = System.nanoTime();
        locks.withLock(
            "cold-start",
            () -> {
              at[3] = System.nanoTime();
              System.out.println(ColdStart.HOLDS);
            });
        long begin = System.nanoTime();
        locks.withLock("cold-start-again", () -> at[4] = System.nanoTime());
        System.out.printf(
            Locale.ROOT,
            "%s %d %d %d %d%n",
            ColdStart.MARK,
            at[1] - at[0],
            at[2] - at[1],
            at[3] - at[2],
            at[4] - begin);
      }
    }
  }
}
