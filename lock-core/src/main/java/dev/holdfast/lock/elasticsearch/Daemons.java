package dev.holdfast.lock.elasticsearch;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads that do not keep the JVM running: a process whose work is over, but that does not close
 * its store, must not hold its locks for ever. They inherit nothing of the thread that happens to
 * start them: see Defaults of the engine.
 */
final class Daemons {
  private static final ThreadFactory FACTORY = factory();

  private Daemons() {}

  static ThreadFactory factory() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      String name = "holdfast-elasticsearch-" + number.incrementAndGet();
      Thread thread = new Thread(null, task, name, 0, false);
      thread.setDaemon(true);
      thread.setContextClassLoader(Daemons.class.getClassLoader());
      return thread;
    };
  }

  /** Runs a task on a new thread. */
  static void start(Runnable task) {
    FACTORY.newThread(task).start();
  }
}
