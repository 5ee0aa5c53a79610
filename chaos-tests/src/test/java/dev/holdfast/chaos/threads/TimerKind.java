package dev.holdfast.chaos.threads;

import dev.holdfast.lock.internal.Daemons;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/** The schedulers that users bring. */
enum TimerKind {
  NONE {
    @Override
    @Nullable ScheduledThreadPoolExecutor make() {
      return null;
    }
  },
  POOL {
    @Override
    ScheduledThreadPoolExecutor make() {
      return pool();
    }
  },
  SHUT_DOWN {
    @Override
    ScheduledThreadPoolExecutor make() {
      ScheduledThreadPoolExecutor dead = pool();
      dead.shutdown();
      return dead;
    }
  };

  /** A new one; null to leave it to the library. */
  abstract @Nullable ScheduledThreadPoolExecutor make();

  private static ScheduledThreadPoolExecutor pool() {
    ScheduledThreadPoolExecutor pool =
        new ScheduledThreadPoolExecutor(1, task -> Daemons.daemon("timers", task));
    pool.setRemoveOnCancelPolicy(true);
    return pool;
  }
}
