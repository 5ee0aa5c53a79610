package dev.holdfast.cluster;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Queries about processes, for tests. */
final class Processes {

  private Processes() {}

  /** Returns whether the process runs; one that only waits to be reaped does not. */
  static boolean isRunning(long pid) {
    if (ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty()) {
      return false;
    }
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return !Files.exists(Path.of("/proc/self/stat"));
    }
  }

  /** Returns whether the shell can be run here, for example {@code busybox sh}. */
  static boolean isRunnable(String... shell) {
    List<String> command = new ArrayList<>(Arrays.asList(shell));
    command.addAll(List.of("-c", "exit 0"));
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Starts a JVM with the class path and distributions of this one; its output is a pipe. */
  static Process startJvm(Class<?> main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.addAll(List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    String dists = System.getProperty(Distributions.PROPERTY);
    if (dists != null) {
      command.add("-D" + Distributions.PROPERTY + "=" + dists);
    }
    command.add(main.getName());
    command.addAll(Arrays.asList(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
