package dev.holdfast.chaos.threads;

import dev.holdfast.lock.internal.Daemons;
import java.lang.reflect.Method;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;

/** The kind of thread on which a caller makes its calls. */
enum CallerHost {
  PLATFORM_THREAD {
    @Override
    ExecutorService make(int threads) {
      return Executors.newFixedThreadPool(threads, task -> Daemons.daemon("caller", task));
    }
  },
  FORK_JOIN {
    @Override
    ExecutorService make(int threads) {
      return new ForkJoinPool(threads);
    }
  },
  VIRTUAL_THREAD {
    @Override
    ExecutorService make(int threads) {
      return virtualThreads();
    }
  };

  /** An executor with at least so many threads, to be shut down. */
  abstract ExecutorService make(int threads);

  /** On a JDK that has them, from 21 on; else a thread for each task. */
  static ExecutorService virtualThreads() {
    try {
      Method make = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
      return (ExecutorService) make.invoke(null);
    } catch (NoSuchMethodException e) {
      return Executors.newCachedThreadPool(task -> Daemons.daemon("no-virtual-threads", task));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("this JDK has virtual threads, but gives none", e);
    }
  }

  static boolean hasVirtualThreads() {
    return Runtime.version().feature() >= 21;
  }
}
