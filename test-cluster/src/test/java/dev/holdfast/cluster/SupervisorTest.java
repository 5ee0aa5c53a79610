package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script with small commands in the place of a node. */
class SupervisorTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  /**
   * A launcher with a server that is paused, and one that has lost its parent; it writes its own
   * pid and theirs.
   */
  private static final String FAMILY =
      """
      sleep 1000 & paused=$!
      kill -s STOP $paused
      (sleep 1000 & echo $! >"$0/orphan")
      echo $$ $paused $(cat "$0/orphan") >"$0/pids.new"
      mv "$0/pids.new" "$0/pids"
      sleep 1000
      """;

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"sh", "dash", "bash", "busybox sh", "ksh", "zsh --emulate sh"})
  void close_familyRuns_killsAllAndRemovesTheDir(String shell) throws Exception {
    String[] words = shell.split(" ", -1);
    assumeTrue(Processes.isRunnable(words), shell + " is not installed");
    WorkDir dir = WorkDir.create();
    Supervisor supervisor = Supervisor.start(script(dir, words), dir, family(dir), Map.of());

    assertCloseLeavesNothing(supervisor, dir);
  }

  @Test
  void close_detached_killsAllAndRemovesTheDir() throws Exception {
    WorkDir dir = WorkDir.create();

    assertCloseLeavesNothing(Supervisor.start(dir, family(dir), Map.of()), dir);
  }

  @Test
  void close_machineWithoutSetsid_killsAllAndRemovesTheDir() throws Exception {
    Path tools = Files.createDirectory(temp.resolve("bin"));
    for (String tool : List.of("sh", "bash", "sleep", "rm", "mv", "cat", "sed")) {
      String wrapper = "#!/bin/sh\nexec " + findOnPath(tool) + " \"$@\"\n";
      assertThat(Files.writeString(tools.resolve(tool), wrapper).toFile().setExecutable(true))
          .isTrue();
    }
    WorkDir dir = WorkDir.create();
    Supervisor supervisor = Supervisor.start(dir, family(dir), Map.of("PATH", tools.toString()));

    assertCloseLeavesNothing(supervisor, dir);
  }

  @Test
  void close_notLaunched_removesTheDir() throws Exception {
    WorkDir dir = WorkDir.create();
    Supervisor supervisor = Supervisor.start(dir, List.of("false"), Map.of());

    supervisor.close();
    supervisor.close();

    assertThat(dir.root()).doesNotExist();
  }

  @Test
  void close_rightAfterLaunch_leavesNothing() throws Exception {
    for (int run = 0; run < 20; run++) { // the order comes before or while the family grows
      WorkDir dir = WorkDir.create();
      Supervisor supervisor = Supervisor.start(dir, family(dir), Map.of());
      supervisor.launch();
      List<ProcessHandle> seen = ProcessHandle.current().descendants().toList();
      supervisor.close();

      assertThat(dir.root()).doesNotExist();
      assertThat(seen).noneMatch(handle -> Processes.isRunning(handle.pid()));
    }
  }

  @Test
  void relaunch_afterTheCommandEnded_endsWhatIsLeftAndRunsItAgain() throws Exception {
    WorkDir dir = WorkDir.create();
    String once = "echo run >>\"$0/runs\"; sleep 1000 & echo $! >>\"$0/left\"; exit 3";
    try (Supervisor supervisor =
        Supervisor.start(dir, List.of("sh", "-c", once, dir.root().toString()), Map.of())) {
      supervisor.launch();
      assertThat(Polling.until(LIMIT, supervisor::hasEnded)).isTrue();
      long left = Long.parseLong(WorkDir.read(dir.root().resolve("left")).strip());
      assertThat(Processes.isRunning(left)).isTrue();

      supervisor.relaunch();

      assertThat(Polling.until(LIMIT, () -> Files.exists(dir.exitCode()))).isTrue();
      assertThat(dir.root().resolve("runs")).hasContent("run\nrun\n");
      assertThat(Processes.isRunning(left)).isFalse();
    }
    assertThat(dir.root()).doesNotExist();
  }

  @Test
  void hasEnded_commandFails_isTrueAndItsExitCodeAndOutputAreKept() throws Exception {
    WorkDir dir = WorkDir.create();
    try (Supervisor supervisor =
        Supervisor.start(dir, List.of("sh", "-c", "echo oh no >&2; exit 7"), Map.of())) {
      assertThat(supervisor.hasEnded()).isFalse();
      supervisor.launch();

      assertThat(Polling.until(LIMIT, supervisor::hasEnded)).isTrue();
      assertThat(dir.exitCode()).hasContent("7");
      assertThat(WorkDir.read(dir.output())).contains("oh no");
    }
  }

  @Test
  void launch_copiesWanted_makesThemOpenToAll() throws Exception {
    Path source = Files.createDirectories(temp.resolve("source"));
    Files.writeString(source.resolve("file"), "text");
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rwx------"));
    WorkDir dir = WorkDir.create();
    try (Supervisor supervisor =
        Supervisor.start(dir, List.of("true"), Map.of("COPY_DIST", source.toString()))) {
      supervisor.launch();

      assertThat(Polling.until(LIMIT, supervisor::hasEnded)).isTrue();
      assertThat(dir.distribution().resolve("file")).hasContent("text");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.distribution())))
          .isEqualTo("rwxr-xr-x");
    }
  }

  @Test
  void supervisor_jvmIsKilled_killsAllAndRemovesTheDir() throws Exception {
    Process jvm = Processes.startJvm(FamilyJvm.class);
    try (BufferedReader lines = jvm.inputReader()) {
      WorkDir dir = new WorkDir(Path.of(lines.readLine()));
      List<Long> pids = awaitPids(dir);

      jvm.destroyForcibly();

      assertGone(dir, pids);
    } finally {
      jvm.destroyForcibly();
    }
  }

  private static void assertCloseLeavesNothing(Supervisor supervisor, WorkDir dir)
      throws Exception {
    supervisor.launch();
    List<Long> pids = awaitPids(dir);
    assertThat(pids).hasSize(3).allMatch(Processes::isRunning);

    supervisor.close();

    assertThat(dir.root()).doesNotExist();
    assertThat(pids).noneMatch(Processes::isRunning);
  }

  private static void assertGone(WorkDir dir, List<Long> pids) throws InterruptedException {
    assertThat(Polling.until(LIMIT, () -> !Files.exists(dir.root()))).isTrue();
    assertThat(pids).noneMatch(Processes::isRunning);
  }

  private static List<Long> awaitPids(WorkDir dir) throws InterruptedException {
    Path pids = dir.root().resolve("pids");
    assertThat(Polling.until(LIMIT, () -> Files.exists(pids)))
        .as(() -> WorkDir.read(dir.output()))
        .isTrue();
    return List.of(WorkDir.read(pids).strip().split(" ", -1)).stream().map(Long::valueOf).toList();
  }

  private static List<String> family(WorkDir dir) {
    return List.of("sh", "-c", FAMILY, dir.root().toString());
  }

  private static List<String> script(WorkDir dir, String... shell) {
    List<String> script = new ArrayList<>(List.of(shell));
    script.add(dir.script().toString());
    return script;
  }

  private static Path findOnPath(String tool) {
    return List.of(System.getenv("PATH").split(":", -1)).stream()
        .map(folder -> Path.of(folder, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow();
  }

  /** A JVM that starts the family, tells where, and waits to be killed. */
  static final class FamilyJvm {

    private FamilyJvm() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
      WorkDir dir = WorkDir.create();
      Supervisor.start(dir, family(dir), Map.of()).launch();
      System.out.println(dir.root());
      Thread.currentThread().join();
    }
  }
}
