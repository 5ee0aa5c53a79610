package dev.holdfast.chaos.threads;

import dev.holdfast.lock.internal.Daemons;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The callback executors that users bring. */
enum CallbackKind {
  NONE {
    @Override
    @Nullable UserExecutor make(long seed) {
      return null;
    }
  },
  RUNS_IN_THE_CALLER {
    @Override
    UserExecutor make(long seed) {
      return new UserExecutor(Runnable::run, () -> {});
    }
  },
  BOUNDED_AND_REJECTING {
    @Override
    UserExecutor make(long seed) {
      return of(
          new ThreadPoolExecutor(
              1,
              2,
              1,
              TimeUnit.SECONDS,
              new ArrayBlockingQueue<>(2),
              task -> Daemons.daemon("bounded", task),
              new ThreadPoolExecutor.AbortPolicy()));
    }
  },
  FORK_JOIN {
    @Override
    UserExecutor make(long seed) {
      return of(new ForkJoinPool(2));
    }
  },
  VIRTUAL_THREADS {
    @Override
    UserExecutor make(long seed) {
      return of(CallerHost.virtualThreads());
    }
  },
  REJECTING {
    @Override
    UserExecutor make(long seed) {
      return new UserExecutor(
          task -> {
            throw new RejectedExecutionException("always");
          },
          () -> {});
    }
  },
  SHUT_DOWN {
    @Override
    UserExecutor make(long seed) {
      ExecutorService dead = Executors.newSingleThreadExecutor();
      dead.shutdown();
      return of(dead);
    }
  },
  /** Accepts a task, and throws, or the other way round. */
  THROWING_ERRORS {
    @Override
    UserExecutor make(long seed) {
      ExecutorService pool = Executors.newCachedThreadPool(task -> Daemons.daemon("erring", task));
      AtomicLong tasks = new AtomicLong();
      return new UserExecutor(
          task -> {
            SplittableRandom random = new SplittableRandom(seed + tasks.getAndIncrement());
            int fate = random.nextInt(6);
            if (fate != 0) {
              pool.execute(task);
            }
            if (fate < 2) {
              throw Injected.error(random);
            }
          },
          pool::shutdownNow);
    }
  },
  /** Accepts tasks, and never runs them. */
  FORGETTING {
    @Override
    UserExecutor make(long seed) {
      return new UserExecutor(task -> {}, () -> {});
    }
  };

  /** An executor, and how its threads are ended after the round. */
  record UserExecutor(Executor executor, Runnable end) {}

  /** A new one; null to leave it to the library. */
  abstract @Nullable UserExecutor make(long seed);

  private static UserExecutor of(ExecutorService pool) {
    return new UserExecutor(pool, pool::shutdownNow);
  }
}
