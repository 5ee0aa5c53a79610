package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Cli.Other;
import dev.holdfast.cli.Cli.Result;
import dev.holdfast.cli.Cli.Running;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code holdfast run} in processes of its own, killed and signalled, on a real node. */
@Timeout(300)
class RunCommandIT {
  /**
   * Ends soon after a signal whose name it prints; the loop is there as a trap waits for a child.
   */
  private static final String LOOP = "echo started; while :; do sleep 0.05; done";

  @TempDir Path folder;

  private final ElasticsearchNode node = Cli.node();
  private final String alias = Cli.newAlias();
  private final Other other = Other.on(node.httpUri().toString(), alias);

  @AfterEach
  void close() {
    other.close();
  }

  private String[] arguments(String... more) {
    List<String> all =
        new ArrayList<>(List.of("run", "--url", node.httpUri().toString(), "--index", alias));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Result run(String... more) {
    return Cli.run(folder, arguments(more));
  }

  private Running start(String... more) {
    return Cli.start(folder, arguments(more));
  }

  private void assertFree() {
    assertThat(other.locks().find("job")).isEmpty();
  }

  @Test
  void command_runsUnderTheLock_withItsToken_andItsStatusIsReturned() throws Exception {
    try (Running running =
        start(
            "job",
            "--",
            "sh",
            "-c",
            "read line; echo \"$line $HOLDFAST_LOCK_ID $HOLDFAST_FENCING_TOKEN $1\"; read wait;"
                + " exit 7",
            "x",
            "@arg --json")) {
      running.type("hello\n");
      running.awaitOut("@arg --json");
      String[] words = running.out().strip().split(" ", 4);
      assertThat(words).startsWith("hello", "job").endsWith("@arg --json");
      FencingToken token = FencingToken.parse(words[2]);
      assertThat(other.locks().find("job"))
          .hasValueSatisfying(
              info -> {
                assertThat(info.version().seqNo()).isEqualTo(token.seqNo());
                assertThat(info.metadata()).containsEntry("command", "sh");
              });

      running.type("end\n");

      Result result = running.await();
      assertThat(result.status()).isEqualTo(7);
      assertThat(result.err()).isEmpty();
      assertFree();
    }
  }

  @Test
  void command_thatASignalEnds_andOnesThatCannotRun_haveTheStatusesOfShells() throws Exception {
    assertThat(run("job", "--", "sh", "-c", "kill -s KILL $$").status()).isEqualTo(137);
    Result missing = run("job", "--", "no-such-command");
    assertThat(missing.status()).isEqualTo(127);
    assertThat(missing.err()).isEqualTo("holdfast: \"no-such-command\" was not found\n");
    Path file = Files.writeString(folder.resolve("file"), "");
    Result notExecutable = run("job", "--", file.toString());
    assertThat(notExecutable.status()).isEqualTo(126);
    assertThat(notExecutable.err()).contains("cannot be run");
    assertFree();
  }

  @Test
  void lock_thatAnotherHolds_failsOrSkips_andTheCommandDoesNotRun() throws Exception {
    try (Lease lease = other.locks().acquire("job")) {
      Result failed = run("job", "--", "echo", "ran");
      assertThat(failed.status()).isEqualTo(1);
      assertThat(failed.err())
          .contains("lock \"job\" is held by the-test for ", "the command did not run");
      Result skipped = run("job", "--on-contention", "skip", "--json", "--", "echo", "ran");
      assertThat(skipped.status()).isZero();
      assertThat(skipped.err()).contains("\"event\":\"skipped\"");
      assertThat(failed.out() + skipped.out()).isEmpty();
      assertThat(lease.isHeld()).isTrue();
    }
  }

  @Test
  void lock_thatIsReleasedWhileItWaits_isAcquired() throws Exception {
    Lease lease = other.locks().acquire("job");
    try (Running running = start("job", "--wait", "PT1M", "--", "echo", "ran")) {
      running.awaitErr("waiting for up to 1m");
      assertThat(lease.release().name()).isEqualTo("RELEASED");

      Result result = running.await();

      assertThat(result.status()).isZero();
      assertThat(result.out()).isEqualTo("ran\n");
    }
  }

  @Test
  void signal_whileItWaits_endsTheWait() throws Exception {
    try (Lease lease = other.locks().acquire("job");
        Running running = start("job", "--wait", "1h", "--", "echo", "ran")) {
      running.awaitErr("waiting");

      running.signal("TERM");

      Result result = running.await();
      assertThat(result.status()).isEqualTo(143);
      assertThat(result.out()).isEmpty();
      assertThat(lease.isHeld()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT", "HUP"})
  void signal_isPassedOn_andTheCommandMayEndAsItLikes(String signal) {
    try (Running running =
        start(
            "job",
            "--kill-after",
            "1m",
            "--",
            "sh",
            "-c",
            "trap 'echo got-" + signal + "; exit 9' " + signal + "; " + LOOP)) {
      running.awaitOut("started");

      running.signal(signal);

      Result result = running.await();
      assertThat(result.status()).isEqualTo(9);
      assertThat(result.out().split("got-" + signal, -1)).hasSize(2);
      assertFree();
    }
  }

  /** Which end a process that does not handle them; the command may use them as it likes. */
  @ParameterizedTest
  @ValueSource(strings = {"USR1", "USR2", "ALRM"})
  void signal_thatDoesNotAskForTheEnd_isPassedOn_andTheCommandGoesOn(String signal) {
    String traps = "trap 'echo got-" + signal + "' " + signal + "; trap 'exit 9' TERM; ";
    try (Running running = start("job", "--kill-after", "1ms", "--", "sh", "-c", traps + LOOP)) {
      running.awaitOut("started");
      running.signal(signal);
      running.awaitOut("got-" + signal);

      assertThat(running.process().isAlive()).isTrue();
      assertThat(other.locks().find("job")).isPresent();
    }
  }

  @Test
  void command_thatDoesNotHandleASignal_hasItsStatus() {
    try (Running running = start("job", "--", "sh", "-c", LOOP)) {
      running.awaitOut("started");
      running.signal("INT");
      assertThat(running.await().status()).isEqualTo(130);
      assertFree();
    }
  }

  @Test
  void command_thatIgnoresSignals_isKilledAfterTheGrace() {
    try (Running running =
        start("job", "--kill-after", "300ms", "--", "sh", "-c", "trap '' TERM; " + LOOP)) {
      running.awaitOut("started");

      running.signal("TERM");

      assertThat(running.await().status()).isEqualTo(137);
      assertFree();
    }
  }

  @Test
  void lease_thatIsReleasedByForce_endsTheCommandAndItsDescendants() throws Exception {
    Path pid = folder.resolve("pid");
    try (Running running =
        start(
            "job",
            "--ttl",
            "9s",
            "--wait",
            "1m",
            "--kill-after",
            "300ms",
            "--",
            "sh",
            "-c",
            "(trap '' TERM; echo started; while :; do sleep 0.05; done) & echo $! >"
                + pid
                + "; wait")) {
      running.awaitOut("started");

      assertThat(other.locks().forceRelease("job")).isTrue();

      Result result = running.await();
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err())
          .contains(
              "the lease of lock \"job\" was lost, the command is terminated",
              "was lost before the command had ended: record deleted");
      Cli.until("is killed", running, () -> !isRunning(pid));
    }
  }

  /** Whether it runs; one that has ended may stay listed where nobody asks for its status. */
  private static boolean isRunning(Path pid) {
    try {
      Path stat = Path.of("/proc", Files.readString(pid).strip(), "stat");
      return Files.exists(stat) && !Files.readString(stat).contains(") Z ");
    } catch (IOException e) {
      return false; // It has just gone.
    }
  }

  @Test
  void lease_thatCannotBeRenewed_isLost_andACommandThatEndsWellIsNoSuccess() {
    try (Running running =
        start(
            "job",
            // The last tenths of it are what the command has to end.
            "--ttl",
            "20s",
            "--wait",
            "1m",
            "--",
            "sh",
            "-c",
            "trap 'echo told; exit 0' TERM; " + LOOP)) {
      running.awaitOut("started");
      node.pause();
      try {
        running.awaitOut("told");
        assertThat(running.await().status()).isEqualTo(1);
      } finally {
        node.resume();
      }
      assertThat(running.err()).contains("was lost", "expired");
    }
  }

  @Test
  void interruptKey_inATerminal_reachesTheCommandOnce() {
    try (Running running =
        Cli.startInTerminal(
            folder,
            arguments(
                "job",
                "--",
                "sh",
                "-c",
                "trap 'echo got-INT' INT; echo started;"
                    + " i=0; while [ $i -lt 15 ]; do sleep 0.1; i=$((i+1)); done; exit 5"))) {
      running.awaitOut("started");

      running.type("\u0003");

      Result result = running.await();
      assertThat(result.status()).isEqualTo(5);
      assertThat(result.out().split("got-INT", -1)).hasSize(2);
      assertFree();
    }
  }

  /** By kill, or of a container: the command got none of them. */
  @Test
  void interrupts_thatOnlyHoldfastGot_inATerminal_arePassedOnFromTheSecondOn() throws Exception {
    try (Running running =
        Cli.startInTerminal(
            folder,
            arguments("job", "--", "sh", "-c", "trap 'echo got-INT; exit 5' INT; " + LOOP))) {
      running.awaitOut("started");
      long holdfast = running.process().children().findFirst().orElseThrow().pid();
      String kill = "kill -s INT " + holdfast;

      assertThat(new ProcessBuilder("sh", "-c", kill).start().waitFor()).isZero();
      Thread.sleep(400); // Two that are closer are one key, held down.
      assertThat(running.out()).doesNotContain("got-INT");
      assertThat(new ProcessBuilder("sh", "-c", kill).start().waitFor()).isZero();

      assertThat(running.await().status()).isEqualTo(5);
      assertFree();
    }
  }

  @Test
  void cluster_thatDoesNotAnswer_isUnavailable_notContention() {
    Result result =
        Cli.run(folder, "run", "--url", "http://127.0.0.1:1", "job", "--", "echo", "ran");
    assertThat(result.status()).isEqualTo(3);
    assertThat(result.err()).contains("Lock store unavailable");
    assertThat(result.out()).isEmpty();
  }
}
