package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * Applications of users, compiled and run apart from this JVM against the jar that the build made.
 */
final class ForkedJava {
  /** Generous: it starts a JVM, and does a few requests. */
  private static final long LIMIT_SECONDS = 300;

  private ForkedJava() {}

  /** What a program printed, error output too, and its exit code. */
  record Result(int exitCode, String output) {}

  /** The jar of this module, once the build has packaged it. */
  static Path jar() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("target"))) {
      return files
          .filter(
              file -> file.getFileName().toString().matches("lock-core-[0-9.]+(-SNAPSHOT)?\\.jar"))
          .findFirst()
          .orElseThrow(() -> new AssertionError("the phase package makes lock-core's jar"))
          .toAbsolutePath();
    }
  }

  /** The paths that a file of the build lists. */
  static List<Path> paths(Path file) throws IOException {
    assertThat(file).as("made by the build").exists();
    return Arrays.stream(Files.readString(file).strip().split(File.pathSeparator))
        .map(Path::of)
        .toList();
  }

  static String joined(List<Path> paths) {
    return String.join(File.pathSeparator, paths.stream().map(Path::toString).toList());
  }

  static void javac(Path to, List<String> options, Path... sources) {
    List<String> arguments = new ArrayList<>(List.of("-proc:none", "-nowarn", "-d", to.toString()));
    arguments.addAll(options);
    arguments.addAll(Arrays.stream(sources).map(Path::toString).toList());
    int result =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(System.out, System.err, arguments.toArray(String[]::new));
    assertThat(result).as("javac's exit code").isZero();
  }

  static Result java(Path folder, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile(folder, "output", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(output));
  }
}
