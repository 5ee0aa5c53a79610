package dev.holdfast.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program in a JVM of its own, which finds the node in its environment. */
public final class Jvm implements AutoCloseable {
  private final Process process;
  private final Path output;

  private Jvm(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /** Starts it. */
  public static Jvm start(Path folder, URI node, List<String> arguments) throws IOException {
    Path output = Files.createTempFile(folder, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    builder.command().addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
    builder.command().addAll(arguments);
    builder.environment().put("HOLDFAST_URL", node.toString());
    return new Jvm(
        builder.redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
  }

  public long pid() {
    return process.pid();
  }

  /** What it has printed until now, error output too. */
  public String output() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for its end, and returns what it has printed. */
  public String end() throws InterruptedException {
    // Generous: it starts a JVM, and does a few requests.
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      throw new AssertionError("does not end: " + output());
    }
    return output();
  }

  /** SIGKILL. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    String unused = end();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
