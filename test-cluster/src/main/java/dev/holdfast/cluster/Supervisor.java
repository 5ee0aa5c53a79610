package dev.holdfast.cluster;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The process that starts a node, and that kills it and removes its work dir when told to or when
 * this JVM is gone. See {@code supervisor.sh}.
 */
final class Supervisor implements AutoCloseable {

  /** Longer than the script's own bounds, after which it gives up. */
  private static final Duration CLOSE_LIMIT = Duration.ofMinutes(1);

  private static final List<String> KEPT_VARIABLES =
      List.of("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH");

  private final WorkDir dir;
  private final Process process;

  private Supervisor(WorkDir dir, Process process) {
    this.dir = dir;
    this.process = process;
  }

  /** Starts the supervisor, which from then on removes the work dir, but not yet the command. */
  static Supervisor start(WorkDir dir, List<String> command, Map<String, String> environment)
      throws IOException {
    List<String> script = List.of("sh", dir.script().toString(), "detach");
    return start(script, dir, command, environment);
  }

  /** The same, for tests of the script in other shells. */
  static Supervisor start(
      List<String> script, WorkDir dir, List<String> command, Map<String, String> environment)
      throws IOException {
    List<String> line = new ArrayList<>(script);
    line.add(dir.root().toString());
    line.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .directory(Path.of("/").toFile())
            .redirectErrorStream(true)
            .redirectOutput(dir.output().toFile());
    Map<String, String> variables = builder.environment();
    variables.keySet().retainAll(KEPT_VARIABLES);
    variables.putAll(environment);
    return new Supervisor(dir, builder.start());
  }

  /** Starts the command. */
  void launch() throws IOException {
    tell("start");
  }

  /** Kills what is left of the command, and starts it again. */
  void relaunch() throws IOException {
    Files.deleteIfExists(dir.exitCode()); // the previous run's; the caller has waited for it
    tell("restart");
  }

  /** Returns whether the command ended by itself. */
  boolean hasEnded() {
    return Files.exists(dir.exitCode()) || !process.isAlive();
  }

  /**
   * Kills the command with all its descendants and removes the work dir. Returns when that is done,
   * at once if it was done before. An interrupt does not cut it short.
   *
   * @throws IllegalStateException if something is left after a minute
   */
  @Override
  public void close() {
    try {
      tell("stop");
      process.getOutputStream().close();
    } catch (IOException e) {
      // It is gone already, or going: what counts is seen below.
    }
    boolean ended = waitFor(process);
    if (!ended || Files.exists(dir.root())) {
      throw new IllegalStateException(
          "the supervisor %d %s, and left %s; what was started from there may still run"
              .formatted(process.pid(), ended ? "has ended" : "still runs", dir.root()));
    }
  }

  private void tell(String order) throws IOException {
    OutputStream orders = process.getOutputStream();
    orders.write((order + "\n").getBytes(StandardCharsets.US_ASCII));
    orders.flush();
  }

  private static boolean waitFor(Process process) {
    long deadlineNanos = System.nanoTime() + CLOSE_LIMIT.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return process.waitFor(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
