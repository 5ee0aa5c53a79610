package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The command line as its users have it: the launcher script and the jar that the build made, in
 * processes of their own, piped or in a pseudo-terminal; or within this JVM, which is quicker.
 */
final class Cli {
  /** Generous: some start a JVM on a busy machine. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final HttpClient HTTP =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private Cli() {}

  /** The node that all tests share; skips the test where none can run. */
  static ElasticsearchNode node() {
    Optional<String> reason = ElasticsearchNode.unsupportedReason(ElasticsearchVersion.V8);
    assumeTrue(reason.isEmpty(), () -> reason.orElse(""));
    return SharedNodes.get(ElasticsearchVersion.V8);
  }

  /** The alias of a lock index that no other test uses. */
  static String newAlias() {
    return "cli-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
  }

  /** A store and a manager of the test's own, as in another process. */
  record Other(ElasticsearchLockStore store, LockManager locks) implements AutoCloseable {
    static Other on(String url, String alias) {
      ElasticsearchLockStore store =
          ElasticsearchLockStore.builder(url).indexNames(alias + "-1", alias).build();
      return new Other(store, LockManager.builder(store).owner("the-test").build());
    }

    @Override
    public void close() {
      locks.close();
      store.close();
    }
  }

  /** What a finished command printed. */
  record Result(int status, String out, String err) {}

  // --- In this JVM

  static Result execute(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int status = commandLine.execute(arguments);
    return new Result(status, out.toString(), err.toString());
  }

  // --- In a process

  private static Path launcher() {
    return Path.of("src/main/bin/holdfast").toAbsolutePath();
  }

  private static ProcessBuilder builder(List<String> command) {
    // A shell in the background of a script ignores INT, and so would all that it starts.
    List<String> all = new ArrayList<>(List.of("env", "--default-signal"));
    all.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(all);
    builder.environment().keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder
        .environment()
        .put("HOLDFAST_JAR", Path.of("target/holdfast.jar").toAbsolutePath().toString());
    return builder;
  }

  /** Starts the command with its outputs in files below the folder. */
  static Running start(Path folder, String... arguments) {
    return startWith(folder, Map.of(), arguments);
  }

  /** Starts the command with these variables. */
  static Running startWith(Path folder, Map<String, String> environment, String... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher().toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = builder(command);
    builder.environment().putAll(environment);
    return start(folder, builder);
  }

  /** Runs the command with its standard output on a device that is full. */
  static Result runOnAFullDevice(Path folder, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of("sh", "-c", "exec \"$0\" \"$@\" >/dev/full", launcher().toString()));
    command.addAll(List.of(arguments));
    try (Running running = start(folder, builder(command))) {
      return running.await();
    }
  }

  /** Starts the command in a pseudo-terminal. */
  static Running startInTerminal(Path folder, String... arguments) {
    StringBuilder line = new StringBuilder("exec " + launcher());
    for (String argument : arguments) {
      line.append(" '").append(argument.replace("'", "'\\''")).append('\'');
    }
    return startLineInTerminal(folder, line.toString());
  }

  /**
   * Starts a line of a shell in a pseudo-terminal. {@code "$HOLDFAST"} in it is the command, and
   * what the terminal is set to can be asked by {@code stty}.
   */
  static Running startLineInTerminal(Path folder, String line) {
    ProcessBuilder builder = builder(List.of("script", "-qec", line, "/dev/null"));
    builder.environment().put("HOLDFAST", launcher().toString());
    return start(folder, builder);
  }

  private static Running start(Path folder, ProcessBuilder builder) {
    try {
      File out = Files.createTempFile(folder, "out", "").toFile();
      File err = Files.createTempFile(folder, "err", "").toFile();
      return new Running(
          builder.redirectOutput(out).redirectError(err).start(), out.toPath(), err.toPath());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Result run(Path folder, String... arguments) {
    try (Running running = start(folder, arguments)) {
      return running.await();
    }
  }

  /** A command that runs. */
  record Running(Process process, Path outFile, Path errFile) implements AutoCloseable {
    String out() {
      return text(outFile);
    }

    String err() {
      return text(errFile);
    }

    private static String text(Path file) {
      try {
        return Files.readString(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void signal(String name) {
      try {
        int status =
            new ProcessBuilder("sh", "-c", "kill -s " + name + " " + process.pid())
                .start()
                .waitFor();
        assertThat(status).isZero();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    void type(String keys) {
      try {
        process.getOutputStream().write(keys.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Waits until standard output contains that. */
    void awaitOut(String text) {
      until("prints " + text, this, () -> out().contains(text));
    }

    void awaitErr(String text) {
      until("says " + text, this, () -> err().contains(text));
    }

    Result await() {
      try {
        assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
            .as("ends; it printed %s%s", out(), err())
            .isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return new Result(process.exitValue(), out(), err());
    }

    @Override
    public void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  static void until(String what, @Nullable Running running, BooleanSupplier condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      boolean ended = running != null && !running.process().isAlive();
      if ((ended && !condition.getAsBoolean()) || System.nanoTime() > deadline) {
        throw new AssertionError(
            (ended ? "ended before: " : "not within " + LIMIT + ": ")
                + what
                + (running == null ? "" : "; it printed " + running.out() + running.err()));
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  // --- Past the library

  /** A request that must succeed. */
  static String send(String method, URI node, String path, @Nullable String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(node + path))
            .header("Content-Type", "application/json")
            .timeout(LIMIT)
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
      return response.body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
