package dev.holdfast.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * A process, as the operating system sees it, and what can be done to it. Immutable.
 *
 * @param handle knows when the process started, so that another one with the same id is not taken
 *     for it
 */
public record OsProcess(ProcessHandle handle) {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  /**
   * Pauses the process (SIGSTOP). On Linux it has stopped when this returns. Idempotent.
   *
   * @throws IllegalStateException if it does not run, or the wait was interrupted
   */
  public void pause() {
    signal("STOP");
    await("stop", () -> hasStopped(handle.pid()));
  }

  /**
   * Lets the process go on (SIGCONT). Idempotent.
   *
   * @throws IllegalStateException if it does not run
   */
  public void resume() {
    signal("CONT");
  }

  /**
   * Kills the process (SIGKILL), paused or not, and returns when it is gone. Idempotent.
   *
   * @throws IllegalStateException if it is not gone after 30 s, or the wait was interrupted
   */
  public void kill() {
    boolean unused = handle.destroyForcibly();
    await("die", () -> !handle.isAlive());
  }

  /**
   * Asks the process to end (SIGTERM), kills it if it has not after 30 s, as service managers do,
   * and returns when it is gone. Idempotent.
   *
   * @throws IllegalStateException if it is not gone after another 30 s, or the wait was interrupted
   */
  public void terminate() {
    boolean unused = handle.destroy();
    try {
      if (!Polling.until(LIMIT, () -> !handle.isAlive())) {
        kill();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(
          "interrupted while process %d was to end".formatted(handle.pid()), e);
    }
  }

  private void signal(String name) {
    if (!handle.isAlive()) {
      throw new IllegalStateException("process " + handle.pid() + " does not run");
    }
    String pid = Long.toString(handle.pid());
    try {
      Process process =
          new ProcessBuilder("sh", "-c", "kill -s \"$0\" \"$1\"", name, pid)
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("SIG%s for %s: %s".formatted(name, pid, output.strip()));
      }
    } catch (IOException e) {
      throw new IllegalStateException("SIG%s for %s".formatted(name, pid), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while sending SIG%s".formatted(name), e);
    }
  }

  private void await(String what, BooleanSupplier condition) {
    try {
      if (!Polling.until(LIMIT, condition)) {
        throw new IllegalStateException(
            "process %d did not %s within %s".formatted(handle.pid(), what, LIMIT));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(
          "interrupted while process %d was to %s".formatted(handle.pid(), what), e);
    }
  }

  /**
   * Returns whether all threads of the process have stopped. On a busy machine they go on for a
   * while after the signal was sent. Where threads cannot be seen, which is not on Linux, true.
   */
  private static boolean hasStopped(long pid) {
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
      for (Path thread : threads) {
        String stat = WorkDir.read(thread.resolve("stat")); // empty if the thread has just ended
        int state = stat.lastIndexOf(')') + 2;
        if (state < stat.length() && stat.charAt(state) != 'T') {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return true;
    }
  }
}
