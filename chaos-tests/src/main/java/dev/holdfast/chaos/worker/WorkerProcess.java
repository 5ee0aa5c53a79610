package dev.holdfast.chaos.worker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A worker's process, commanded from here. One command at a time. Closing ends the process.
 *
 * <p>The limit on an answer is there so that a test which hangs says where; it is no measure of
 * speed.
 */
public final class WorkerProcess implements AutoCloseable {
  private static final Duration ANSWER_LIMIT = Duration.ofMinutes(3);
  private static final Duration EXIT_LIMIT = Duration.ofSeconds(30);
  private static final String OUTPUT_ENDED = "(output ended)";

  private final String client;
  private final Process process;
  private final PrintWriter commands;
  private final Path log;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

  /**
   * What a worker is told at its start.
   *
   * @param client its name
   * @param lock the lock's id
   * @param ttl the lease's length
   * @param locksUrl where it reaches the lock store
   * @param resourceUrl where it writes what the lock protects
   * @param number its number among the writers of the history, from 0
   * @param writers how many there are
   * @param history the file that it makes
   * @param log the file that its log goes to
   */
  public record Spec(
      String client,
      String lock,
      Duration ttl,
      URI locksUrl,
      URI resourceUrl,
      int number,
      int writers,
      Path history,
      Path log) {}

  private WorkerProcess(String client, Process process, Path log) {
    this.client = client;
    this.process = process;
    this.log = log;
    this.commands = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    Thread reader = new Thread(this::readAnswers, "answers-of-" + client);
    reader.setDaemon(true);
    reader.start();
  }

  /** Starts a worker in a JVM like this one, and waits until it is ready. */
  public static WorkerProcess start(Spec spec) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(WorkerMain.class.getName());
    command.addAll(List.of("--client", spec.client(), "--lock", spec.lock()));
    command.addAll(List.of("--ttl-millis", Long.toString(spec.ttl().toMillis())));
    command.addAll(List.of("--locks-url", spec.locksUrl().toString()));
    command.addAll(List.of("--resource-url", spec.resourceUrl().toString()));
    command.addAll(List.of("--process", Integer.toString(spec.number())));
    command.addAll(List.of("--processes", Integer.toString(spec.writers())));
    command.addAll(List.of("--history", spec.history().toString()));
    Process process = new ProcessBuilder(command).redirectError(spec.log().toFile()).start();
    WorkerProcess worker = new WorkerProcess(spec.client(), process, spec.log());
    worker.expect("ready");
    return worker;
  }

  private void readAnswers() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        answers.add(line);
      }
    } catch (IOException e) {
      answers.add(OUTPUT_ENDED + ": " + e);
    }
    answers.add(OUTPUT_ENDED);
  }

  /** Sends a command without waiting for its answer. */
  public void send(String command) {
    commands.println(command);
  }

  /** Waits for the answer to a command that was sent. */
  public String answer() throws InterruptedException {
    String answer = answers.poll(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS);
    if (answer == null || answer.startsWith(OUTPUT_ENDED)) {
      throw new IllegalStateException(
          "worker "
              + client
              + (answer == null ? " did not answer within " + ANSWER_LIMIT : " ended")
              + "; its log:\n"
              + log());
    }
    return answer;
  }

  /** Whether an answer has come that was not taken yet. */
  public @Nullable String answerIfAny() {
    return answers.poll();
  }

  /** Sends a command and returns its answer. */
  public String ask(String command) throws InterruptedException {
    send(command);
    return answer();
  }

  private void expect(String expected) throws InterruptedException {
    String answer = answer();
    if (!answer.equals(expected)) {
      throw new IllegalStateException(
          "worker " + client + " said \"" + answer + "\", not \"" + expected + "\"");
    }
  }

  private String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return "(no log: " + e + ")";
    }
  }

  /** Ends the input of the worker, which ends it; by force if it does not. */
  @Override
  public void close() {
    commands.close();
    try {
      if (!process.waitFor(EXIT_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
