package dev.holdfast.lock;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The world outside of a simulation: the only place where the engine's packages look at it. */
final class Defaults {
  private Defaults() {}

  /** Thread-safe. */
  static RandomGenerator random() {
    return new Random();
  }

  static Supplier<String> tokens() {
    return () -> UUID.randomUUID().toString();
  }

  /** Makes daemon threads of that name. */
  static ThreadFactory daemon(String name) {
    ThreadFactory threads = Executors.defaultThreadFactory();
    return task -> {
      Thread thread = threads.newThread(task);
      thread.setName(name);
      thread.setDaemon(true);
      return thread;
    };
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
