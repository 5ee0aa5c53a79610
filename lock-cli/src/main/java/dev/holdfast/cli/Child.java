package dev.holdfast.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A command that runs as a child process, on this process's input and outputs. Thread-safe.
 *
 * <p>Java cannot put a child into a process group of its own. So a signal goes to the child alone,
 * as {@code kill} sends it, while {@link #terminate} takes its descendants along.
 */
final class Child {
  /**
   * A process that is killed is gone a moment later, but stays listed if nobody asks for its
   * status.
   */
  private static final Duration TO_DIE = Duration.ofSeconds(1);

  private final Process process;
  private final Duration grace;
  private @Nullable Thread killer;

  private Child(Process process, Duration grace) {
    this.process = process;
    this.grace = grace;
  }

  /**
   * Starts it.
   *
   * @param grace how long it has between being told to end and being killed
   * @throws IOException if there is no such command, or it cannot be run
   */
  static Child start(List<String> command, Map<String, String> environment, Duration grace)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().putAll(environment);
    return new Child(builder.start(), grace);
  }

  /** Waits until it has ended, and everything that {@link #terminate} ends; returns its status. */
  int await() throws InterruptedException {
    int status = process.waitFor();
    Thread last;
    // What has begun to end it also sees to its descendants, and says so before it lets go.
    synchronized (this) {
      last = killer;
    }
    if (last != null) {
      last.join();
    }
    return status;
  }

  /** Passes a signal on that asks it to end; it is killed if it has not ended after the grace. */
  synchronized void passOn(String signal) {
    send(signal);
    killAfter(grace, Set.of(process.toHandle()));
  }

  /** Passes a signal on that the child may use as it likes. */
  void send(String signal) {
    if (!process.isAlive()) {
      return;
    }
    if (signal.equals("TERM")) {
      process.destroy();
      return;
    }
    try {
      // Not /bin/kill, which small images lack; a shell's own is everywhere.
      Process unused =
          new ProcessBuilder("sh", "-c", "kill -s " + signal + " " + process.pid())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      process.destroy();
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Ends it and its descendants: by SIGTERM, and after that time by SIGKILL. */
  synchronized void terminate(Duration killAfter) {
    Set<ProcessHandle> all = family(Set.of(process.toHandle()));
    all.forEach(ProcessHandle::destroy);
    killAfter(killAfter, all);
  }

  private static Set<ProcessHandle> family(Set<ProcessHandle> heads) {
    Set<ProcessHandle> all = new LinkedHashSet<>(heads);
    heads.stream().flatMap(ProcessHandle::descendants).forEach(all::add);
    return all;
  }

  private synchronized void killAfter(Duration time, Set<ProcessHandle> told) {
    Thread before = killer;
    Thread next =
        new Thread(
            () -> {
              if (!haveEnded(told, time)) {
                Set<ProcessHandle> all = family(told);
                all.forEach(ProcessHandle::destroyForcibly);
                boolean unused = haveEnded(all, TO_DIE);
              }
              join(before);
            },
            "holdfast-kill");
    next.setDaemon(true);
    next.start();
    killer = next;
  }

  private boolean haveEnded(Set<ProcessHandle> told, Duration time) {
    long deadline = System.nanoTime() + time.toNanos();
    try {
      for (ProcessHandle each : told) {
        var unused =
            each.onExit().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      }
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException | InterruptedException e) {
      return Stream.of(process.toHandle()).noneMatch(ProcessHandle::isAlive);
    }
  }

  private static void join(@Nullable Thread thread) {
    if (thread != null) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
