package dev.holdfast.lock;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waiting for futures that are known to be completed in bounded time, and never to fail. */
final class Joins {
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
}
