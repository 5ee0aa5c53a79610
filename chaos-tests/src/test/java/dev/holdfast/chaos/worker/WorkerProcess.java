package dev.holdfast.chaos.worker;

import dev.holdfast.cluster.OsProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A worker's process. Closing it kills it; so does the end of this JVM, in whatever way and
 * whatever state the worker is in. Thread-safe.
 *
 * <p>The limits are there so that a test which hangs says where; they are no measure of speed.
 */
public final class WorkerProcess implements AutoCloseable {
  /** Has the threads of the worker's executor be busy. */
  public static final String STARVE = "starve";

  /** Ends {@link #STARVE}. */
  public static final String FEED = "feed";

  /** Followed by a space and a number: has both clocks of the worker be fast by so many ppm. */
  public static final String SLEW = "slew";

  /** The time between two reports of a worker. */
  static final long STATUS_MILLIS = 200;

  static final String STATUS = "status ";

  private static final Duration START_LIMIT = Duration.ofMinutes(2);
  private static final Duration STOP_LIMIT = Duration.ofMinutes(1);

  /**
   * Waits for a line, or for the end of its input, which is a pipe from this JVM. In the latter
   * case it kills the worker, which may be paused and not see the end of its own input.
   */
  private static final String GUARD = "trap '' HUP INT TERM; read -r line || kill -s KILL \"$0\"";

  private final String client;
  private final Process process;
  private final OsProcess os;
  private final Process guard;
  private final CountDownLatch ready = new CountDownLatch(1);
  private volatile Status status = new Status(0, 0, 0, 0, 0, 0);
  private final AtomicInteger statuses = new AtomicInteger();

  /**
   * The progress of a worker.
   *
   * @param operations how many lock operations have ended
   * @param grants how many acquisitions were granted
   * @param lastGrantNanos when the latest was, by {@link System#nanoTime}; 0 if there was none
   * @param leases how many of {@link Workload#leases} are held
   * @param rejectedTasks how many tasks its executor had no thread for
   * @param clockOffMillis by how much its clocks have gone off
   */
  public record Status(
      long operations,
      long grants,
      long lastGrantNanos,
      long leases,
      long rejectedTasks,
      long clockOffMillis) {}

  private WorkerProcess(String client, Process process) throws IOException {
    this.client = client;
    this.process = process;
    this.os = new OsProcess(process.toHandle());
    this.guard =
        new ProcessBuilder("sh", "-c", GUARD, Long.toString(process.pid()))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    Thread reader = new Thread(this::readStatus, "status-of-" + client);
    reader.setDaemon(true);
    reader.start();
  }

  /**
   * Starts a worker in a JVM like this one.
   *
   * @param log the file that its log goes to
   */
  public static WorkerProcess start(WorkerSpec spec, Path log) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(WorkerMain.class.getName());
    command.add(spec.toJson());
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    try {
      return new WorkerProcess(spec.client(), process);
    } catch (IOException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private void readStatus() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.startsWith(STATUS)) {
          String[] words = line.substring(STATUS.length()).split(" ", 6);
          status =
              new Status(
                  Long.parseLong(words[0]),
                  Long.parseLong(words[1]),
                  Long.parseLong(words[2]),
                  Long.parseLong(words[3]),
                  Long.parseLong(words[4]),
                  Long.parseLong(words[5]));
          statuses.incrementAndGet();
          ready.countDown();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      ready.countDown();
    }
  }

  /** Returns the worker's name. */
  public String client() {
    return client;
  }

  /**
   * Waits until the worker runs.
   *
   * @throws IllegalStateException if it does not
   */
  public void awaitReady() throws InterruptedException {
    if (!ready.await(START_LIMIT.toSeconds(), TimeUnit.SECONDS) || !process.isAlive()) {
      throw new IllegalStateException("worker " + client + " did not start; see its log");
    }
  }

  /** Returns what it last said. */
  public Status status() {
    return status;
  }

  /**
   * Waits for a status of from now on: for the one after the next, which may be on its way. Gives
   * up when the process has ended, or after a minute, which a busy machine may take.
   */
  public void awaitStatus() throws InterruptedException {
    int wanted = statuses.get() + 2;
    long end = System.nanoTime() + STOP_LIMIT.toNanos();
    while (statuses.get() < wanted && isAlive() && System.nanoTime() - end < 0) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  /** Returns whether the process runs, paused or not. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Pauses the worker, and returns when it has stopped. */
  public void pause() {
    os.pause();
  }

  /** Lets a paused worker go on. */
  public void resume() {
    os.resume();
  }

  /** Kills the worker, as a crash would, and returns when it is gone. */
  public void kill() {
    os.kill();
  }

  /** Gives the worker a command: one of the constants of this class. */
  public void tell(String command) throws IOException {
    OutputStream input = process.getOutputStream();
    input.write((command + "\n").getBytes(StandardCharsets.UTF_8));
    input.flush();
  }

  /** Asks the worker to release its locks and end. */
  public void askToStop() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // It has ended already, which awaitStopped will tell.
    }
  }

  /**
   * Waits until the worker that was asked to stop has ended.
   *
   * @throws IllegalStateException if it does not, or ended in another way
   */
  public void awaitStopped() throws InterruptedException {
    if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("worker " + client + " did not end within " + STOP_LIMIT);
    }
    if (process.exitValue() != 0) {
      throw new IllegalStateException(
          "worker " + client + " ended with " + process.exitValue() + "; see its log");
    }
  }

  /** Kills the worker if it still runs. */
  @Override
  public void close() {
    os.kill();
    askToStop();
    try {
      guard.getOutputStream().write('\n');
      guard.getOutputStream().close();
    } catch (IOException e) {
      guard.destroyForcibly(); // cannot be told: it is gone, or is to be
    }
  }
}
