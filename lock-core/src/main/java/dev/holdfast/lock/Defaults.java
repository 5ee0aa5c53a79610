package dev.holdfast.lock;

import dev.holdfast.lock.internal.Daemons;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.SynchronousQueue;
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

  /**
   * Threads that are made as needed, one for each task that no idle one can take, so that tasks
   * that block keep no other from running. They end when idle. A task for which no thread can be
   * made throws what that threw.
   */
  static ThreadPoolExecutor pool(String name) {
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        10,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> Daemons.daemon(name, task));
  }

  /** Runs a task on a new daemon thread of that name. */
  static void start(String name, Runnable task) {
    Daemons.start(name, task);
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
