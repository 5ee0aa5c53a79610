package dev.holdfast.lock;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Waiting for futures that are known to be completed in bounded time, and never to fail. */
final class Joins {
  /** Bounds how long a thread gives way also on a clock that stands still. */
  private static final int MAX_TURNS = 10_000;

  private Joins() {}

  /** Waits in spite of interrupts, and leaves the interrupt flag set if there was one. */
  static <T> T uninterruptibly(CompletableFuture<T> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw new IllegalStateException("a future that never fails has failed", e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Gives way ({@link Thread#yield}) until the future is done, or for so long, or until this thread
   * is interrupted. Correct whatever the scheduler does: at worst, processor time is spent.
   */
  @SuppressWarnings("ThreadPriorityCheck")
  static void giveWay(Future<?> future, Ticker ticker, long patienceNanos) {
    if (patienceNanos <= 0 || future.isDone()) {
      return;
    }
    long since = ticker.nanos();
    for (int turn = 0; turn < MAX_TURNS; turn++) {
      Thread.yield();
      if (future.isDone()
          || Thread.currentThread().isInterrupted()
          || ticker.nanos() - since >= patienceNanos) {
        return;
      }
    }
  }
}
