package dev.holdfast.chaos.worker;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An executor as applications share it: a few threads and a short queue, and what does not fit is
 * rejected. All of it can be kept busy. Thread-safe.
 */
final class BoundedExecutor implements Executor {
  private final ThreadPoolExecutor pool;
  private final AtomicLong rejectedTasks;
  private CountDownLatch busy = new CountDownLatch(0);

  /**
   * Makes one.
   *
   * @param size the number of threads, and of places in the queue
   * @param rejectedTasks counts the tasks that were rejected
   */
  BoundedExecutor(int size, AtomicLong rejectedTasks) {
    this.rejectedTasks = rejectedTasks;
    this.pool =
        new ThreadPoolExecutor(
            size,
            size,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(size),
            task -> {
              Thread thread = new Thread(task, "bounded");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public void execute(Runnable task) {
    try {
      pool.execute(task);
    } catch (RejectedExecutionException e) {
      rejectedTasks.incrementAndGet();
      throw e;
    }
  }

  /** Fills all threads and the queue with tasks that wait. */
  synchronized void starve() {
    CountDownLatch until = new CountDownLatch(1);
    busy = until;
    AtomicInteger waiting = new AtomicInteger();
    // A thread that is free takes its task from the queue, in which there is room again then.
    while (waiting.get() < pool.getMaximumPoolSize() || pool.getQueue().remainingCapacity() > 0) {
      try {
        pool.execute(
            () -> {
              waiting.incrementAndGet();
              awaitQuietly(until);
            });
      } catch (RejectedExecutionException e) {
        Thread.onSpinWait();
      }
    }
  }

  /** Lets the waiting tasks end. */
  synchronized void feed() {
    busy.countDown();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
