package dev.holdfast.lock;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs a task later, once. Thread-safe. Tasks given by Holdfast are short and never block.
 *
 * <p>A task must not run inside the call that schedules it, and being late is allowed: a late
 * scheduler costs leases, never exclusion.
 */
@FunctionalInterface
public interface Scheduler {
  /**
   * Runs the task after the delay, unless it was cancelled before.
   *
   * @param delayNanos nanoseconds, 0 or more
   */
  Timer schedule(Runnable task, long delayNanos);

  /** A task that was scheduled. */
  @FunctionalInterface
  interface Timer {
    /** Keeps the task from running, if it has not begun. */
    void cancel();
  }

  /** Runs tasks on the given executor, which stays the caller's to shut down. */
  static Scheduler of(ScheduledExecutorService executor) {
    return (task, delayNanos) -> {
      var future = executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
      return () -> future.cancel(false);
    };
  }
}
