package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Cli.Other;
import dev.holdfast.cli.Cli.Result;
import dev.holdfast.cli.Cli.Running;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code list}, {@code show}, {@code release} and {@code watch} on a real node. */
@Timeout(300)
class LookingIT {
  private static final String ESCAPE = "\u001b";

  @TempDir Path folder;

  private final ElasticsearchNode node = Cli.node();
  private final String alias = Cli.newAlias();
  private final Other other = Other.on(node.httpUri().toString(), alias);

  @AfterEach
  void close() {
    other.close();
  }

  private String[] arguments(String command, String... more) {
    List<String> all =
        new ArrayList<>(List.of(command, "--url", node.httpUri().toString(), "--index", alias));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Result execute(String command, String... more) {
    return Cli.execute(arguments(command, more));
  }

  /** Two that are held, and one that has expired. */
  private void acquireThree() throws InterruptedException {
    // A single attempt takes at most a third of the TTL, which may be too short on a busy machine.
    LockOptions options =
        LockOptions.defaults()
            .withMetadata(Map.of("why", "test"))
            .withWaitTimeout(Duration.ofMinutes(1));
    Lease first = other.locks().acquire("job-a", options);
    Lease second = other.locks().acquire("job-b\n" + ESCAPE, options.withTtl(Duration.ofHours(2)));
    Lease third =
        other
            .locks()
            .acquire("other", options.withTtl(Duration.ofMillis(500)).withAutoRenew(false));
    assertThat(first.isHeld() && second.isHeld()).isTrue();
    Cli.until("ends", null, () -> !third.isHeld());
    Cli.send("POST", node.httpUri(), "/" + alias + "/_refresh", null);
    Cli.until("expires", null, () -> other.locks().find("other").orElseThrow().expired());
  }

  @Test
  void list_showsATable_andFilters_andSorts() throws Exception {
    acquireThree();

    String all = execute("list").out();

    assertThat(all.lines().map(line -> line.replaceAll(" .*", "")))
        .containsExactly("LOCK", "job-a", "job-b\\n\\u001b", "other");
    assertThat(all).contains("held", "expired", "the-test", "in 1h 59m", " ago", "30s", "2h");
    assertThat(execute("list", "job-*").out().lines()).hasSize(3);
    assertThat(execute("list", "--expired").out().lines()).hasSize(2).anyMatch(isOf("other"));
    assertThat(execute("list", "--held").out().lines()).hasSize(3).noneMatch(isOf("other"));
    assertThat(execute("list", "--owner", "test").out().lines()).hasSize(4);
    assertThat(execute("list", "--sort", "expiry", "--json").out())
        .satisfies(
            json ->
                assertThat(new ObjectMapper().readTree(json).findValuesAsText("lockId"))
                    .containsExactly("other", "job-a", "job-b\n" + ESCAPE));
    Result none = execute("list", "--older-than", "1h");
    assertThat(none.status()).isZero();
    assertThat(none.out()).isEmpty();
    assertThat(none.err()).contains("none of 3 locks matches");
  }

  private static java.util.function.Predicate<String> isOf(String lockId) {
    return line -> line.startsWith(lockId + " ");
  }

  @Test
  void list_inATerminal_andPiped_isPlainText() throws Exception {
    acquireThree();
    try (Running running = Cli.startInTerminal(folder, arguments("list"))) {
      Result result = running.await();
      assertThat(result.status()).isZero();
      assertThat(result.out()).contains("job-a").doesNotContain(ESCAPE);
    }
    Result piped = Cli.run(folder, arguments("list"));
    assertThat(piped.status()).isZero();
    assertThat(piped.out()).contains("job-a").doesNotContain(ESCAPE);
    assertThat(piped.err()).isEmpty();
  }

  @Test
  void show_tellsWhoHoldsALock_orThatNobodyDoes() throws Exception {
    acquireThree();

    Result held = execute("show", "job-a");
    assertThat(held.status()).isZero();
    assertThat(held.out())
        .contains(
            "held", "the-test", "{\"why\":\"test\"}", other.locks().find("job-a").get().token());
    JsonNode json = new ObjectMapper().readTree(execute("show", "other", "--json").out());
    assertThat(json.get("state").asText()).isEqualTo("expired");
    assertThat(json.get("metadata").get("why").asText()).isEqualTo("test");

    Result free = execute("show", "nothing");
    assertThat(free.status()).isEqualTo(1);
    assertThat(free.err()).contains("lock \"nothing\" has no record");
    assertThat(execute("show", "nothing", "--json").out()).contains("\"free\"");
  }

  @Test
  void release_withoutATerminal_needsYes_andSaysWhoHeldTheLock() throws Exception {
    acquireThree();

    Result unasked = Cli.run(folder, arguments("release", "job-a"));
    assertThat(unasked.status()).isEqualTo(2);
    assertThat(unasked.err()).contains("--yes is needed");
    assertThat(other.locks().find("job-a")).isPresent();

    Result released = execute("release", "job-a", "--yes");
    assertThat(released.status()).isZero();
    assertThat(released.out()).startsWith("released; lock \"job-a\" is held by the-test for ");
    assertThat(other.locks().find("job-a")).isEmpty();
    Result again = execute("release", "job-a", "--yes", "--json");
    assertThat(again.status()).isEqualTo(1);
    assertThat(new ObjectMapper().readTree(again.out()).get("released").asBoolean()).isFalse();
  }

  @Test
  void release_inATerminal_asks() throws Exception {
    acquireThree();
    try (Running running = Cli.startInTerminal(folder, arguments("release", "job-a"))) {
      running.awaitOut("[y/N]");
      assertThat(running.out()).contains("lock \"job-a\" is held by the-test for ");
      running.type("n\n");
      assertThat(running.await().status()).isEqualTo(1);
    }
    assertThat(other.locks().find("job-a")).isPresent();
    try (Running running = Cli.startInTerminal(folder, arguments("release", "job-a"))) {
      running.awaitOut("[y/N]");
      running.type("y\n");
      assertThat(running.await().status()).isZero();
    }
    assertThat(other.locks().find("job-a")).isEmpty();
  }

  @Test
  void release_ofALockThatChangedHandsWhileItAsked_isRefused() throws Exception {
    Lease first = other.locks().acquire("job");
    try (Running running = Cli.startInTerminal(folder, arguments("release", "job"))) {
      running.awaitOut("[y/N]");
      assertThat(first.release().name()).isEqualTo("RELEASED");
      Lease second = other.locks().acquire("job");

      running.type("y\n");

      assertThat(running.await().status()).isEqualTo(1);
      assertThat(running.out()).contains("changed hands", "not released");
      assertThat(second.renew()).isTrue();
    }
  }

  @Test
  void watch_printsALineForEachChange_andEndsOnAnInterrupt() throws Exception {
    try (Running running =
        Cli.start(folder, arguments("watch", "job", "--interval", "100ms", "--json"))) {
      awaitLooking(running, "job");
      Lease lease = other.locks().acquire("job");
      running.awaitOut("\"event\":\"acquired\"");
      assertThat(lease.release().name()).isEqualTo("RELEASED");
      running.awaitOut("\"event\":\"released\"");
      Lease brief =
          other
              .locks()
              .acquire(
                  "job",
                  LockOptions.defaults()
                      .withTtl(Duration.ofMillis(500))
                      .withAutoRenew(false)
                      .withWaitTimeout(Duration.ofMinutes(1)));
      running.awaitOut("\"event\":\"expired\"");
      assertThat(brief.isHeld()).isFalse();
      Lease next =
          other
              .locks()
              .acquire("job", LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(1)));
      running.awaitOut("\"event\":\"taken-over\"");
      assertThat(next.isHeld()).isTrue();

      running.signal("INT");

      Result result = running.await();
      assertThat(result.status()).isZero();
      for (String line : result.out().lines().toList()) {
        assertThat(new ObjectMapper().readTree(line).get("owner").asText()).isNotEmpty();
      }
    }
  }

  /** Until it has looked once: it prints a lock only if that is there. */
  private void awaitLooking(Running running, String lockId) throws InterruptedException {
    for (int i = 0; !running.out().contains(lockId); i++) {
      Lease lease = other.locks().acquire(lockId);
      Thread.sleep(200);
      assertThat(lease.release().name()).isEqualTo("RELEASED");
      assertThat(i).as("looks at all").isLessThan(500);
    }
    Cli.until(
        "sees the release",
        running,
        () ->
            running.out().strip().endsWith("}")
                && running.out().lines().reduce((a, b) -> b).orElse("").contains("released"));
  }

  @Test
  void watch_inATerminal_showsAllLocks_andEndsOnTheInterruptKey() throws Exception {
    acquireThree();
    try (Running running = Cli.startInTerminal(folder, arguments("watch"))) {
      running.awaitOut("expired     other  the-test");
      running.awaitOut("held        job-a  the-test");
      running.type("\u0003");
      Result result = running.await();
      assertThat(result.status()).isZero();
      assertThat(result.out()).doesNotContain(ESCAPE);
    }
  }

  @Test
  void answer_thatCannotBeWritten_isStatusThree_andEndsAWatch() throws Exception {
    acquireThree();
    for (String[] command :
        List.of(
            arguments("list"),
            arguments("list", "--json"),
            arguments("show", "job-a"),
            new String[] {"completion"},
            new String[] {"list", "--help"})) {
      Result result = Cli.runOnAFullDevice(folder, command);
      assertThat(result.status()).as(String.join(" ", command)).isEqualTo(3);
      assertThat(result.err()).contains("standard output cannot be written");
    }
    assertThat(Cli.runOnAFullDevice(folder, arguments("watch", "--interval", "100ms")).status())
        .isZero();
  }

  @Test
  void cluster_thatIsNotThere_isStatusThree_everywhere() {
    String url = "http://127.0.0.1:1";
    for (String[] command :
        List.of(
            new String[] {"list", "--url", url},
            new String[] {"show", "--url", url, "x"},
            new String[] {"watch", "--url", url},
            new String[] {"release", "--url", url, "x", "--yes"})) {
      Result result = Cli.execute(command);
      assertThat(result.status()).as(command[0]).isEqualTo(3);
      assertThat(result.err()).startsWith("holdfast: Lock store unavailable").hasLineCount(1);
    }
  }
}
