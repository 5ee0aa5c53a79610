package dev.holdfast.lock;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The world outside of a simulation: the only place where the engine's packages look at it. */
final class Defaults {
  private Defaults() {}

  /** Thread-safe. */
  static RandomGenerator random() {
    return new Random();
  }

  static InstantSource wallClock() {
    return InstantSource.system();
  }

  static Supplier<String> tokens() {
    return () -> UUID.randomUUID().toString();
  }

  /** Makes daemon threads of that name. */
  private static ThreadFactory daemon(String name) {
    ThreadFactory threads = Executors.defaultThreadFactory();
    return task -> {
      Thread thread = threads.newThread(task);
      thread.setName(name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** At most so many threads, which are made as needed, and end when idle. */
  static ThreadPoolExecutor pool(String name, int threads) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemon(name));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** Runs a task on a new daemon thread of that name. */
  static void start(String name, Runnable task) {
    daemon(name).newThread(task).start();
  }

  /** Host, process, and a number that tells the managers of one process apart. */
  static String owner() {
    String host = System.getenv("HOSTNAME");
    if (host == null || host.isBlank()) {
      try {
        host = InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        host = "unknown-host";
      }
    }
    String manager = UUID.randomUUID().toString().substring(0, 8);
    return host + "/" + ProcessHandle.current().pid() + "/" + manager;
  }
}
