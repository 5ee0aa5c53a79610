package dev.holdfast.lock;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Waiting for the engine's futures on real time. A thread that waits does nothing else: not {@link
 * CompletableFuture#get}, which makes a worker of a {@code ForkJoinPool} run other tasks of its
 * pool on the same stack, and so one call for a lock inside another. Such a worker is replaced by a
 * spare one while it waits.
 */
final class FutureWaits {
  private FutureWaits() {}

  /**
   * Waits until the future is done, or for so long.
   *
   * @return whether it is done
   * @throws InterruptedException if this thread is interrupted first
   */
  static boolean await(CompletableFuture<?> future, Duration limit) throws InterruptedException {
    Wait wait = new Wait(future, Times.nanos(limit), true);
    wait.run();
    if (!future.isDone() && Thread.interrupted()) {
      throw new InterruptedException();
    }
    return future.isDone();
  }

  /**
   * Waits until the future is done, or for so long, in spite of interrupts; leaves the interrupt
   * flag set if there was one.
   *
   * @return whether it is done
   */
  static boolean awaitUninterruptibly(CompletableFuture<?> future, Duration limit) {
    Wait wait = new Wait(future, Times.nanos(limit), false);
    try {
      wait.run();
    } finally {
      if (wait.interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return future.isDone();
  }

  /** One thread that waits for one future. */
  private static final class Wait implements ForkJoinPool.ManagedBlocker {
    private final CompletableFuture<?> future;
    private final Thread thread = Thread.currentThread();
    private final long limitNanos;
    private final long since = System.nanoTime();
    private final boolean interruptible;
    private boolean interrupted;

    Wait(CompletableFuture<?> future, long limitNanos, boolean interruptible) {
      this.future = future;
      this.limitNanos = limitNanos;
      this.interruptible = interruptible;
    }

    void run() {
      if (isReleasable()) {
        return;
      }
      BiFunction<@Nullable Object, @Nullable Throwable, @Nullable Void> wakeUp =
          (result, failure) -> {
            LockSupport.unpark(thread);
            return null;
          };
      var unused = future.handle(wakeUp);
      if (thread instanceof ForkJoinWorkerThread) {
        try {
          ForkJoinPool.managedBlock(this);
          return;
        } catch (RejectedExecutionException | OutOfMemoryError e) {
          // The pool has as many threads as it may have, or can make no more: this one waits
          // without a spare.
        } catch (InterruptedException e) {
          throw new AssertionError("block() throws no such thing", e);
        }
      }
      boolean unusedToo = block();
    }

    /** Whether there is nothing to wait for, or no time left. */
    @Override
    public boolean isReleasable() {
      return future.isDone() || leftNanos() <= 0 || (interruptible && thread.isInterrupted());
    }

    private long leftNanos() {
      return limitNanos - (System.nanoTime() - since);
    }

    @Override
    public boolean block() {
      while (!isReleasable()) {
        LockSupport.parkNanos(this, leftNanos());
        if (!interruptible && Thread.interrupted()) {
          interrupted = true;
        }
      }
      return true;
    }
  }
}
