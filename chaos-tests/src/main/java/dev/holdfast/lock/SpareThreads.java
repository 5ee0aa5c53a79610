package dev.holdfast.lock;

import java.util.concurrent.Executor;

/**
 * What stands in for a manager's own threads in a simulation, in which no thread may run. In the
 * engine's package, because users have no need of it.
 */
public final class SpareThreads {
  private SpareThreads() {}

  /**
   * Has what the given scheduler and callback executor reject run by these.
   *
   * @return the same builder
   */
  public static LockManager.Builder use(
      LockManager.Builder builder, Scheduler timers, Executor callbacks) {
    builder.spareScheduler = timers;
    builder.spareExecutor = callbacks;
    return builder;
  }
}
