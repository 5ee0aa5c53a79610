package dev.holdfast.chaos.threads;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The library on real threads, for as long as {@code -Dholdfast.test.threads=60m} says, 30 s by
 * default. Each round has a seed, which decides what it is made of; {@code
 * -Dholdfast.test.threads-seed=N} runs the round of one seed again and again. Threads are not
 * deterministic, so that need not show the same again.
 */
class RealThreadsTest {
  private static final Duration LENGTH = length(System.getProperty("holdfast.test.threads", "30s"));
  private static final @Nullable Long SEED = Long.getLong("holdfast.test.threads-seed");
  private static final Path REPORTS = Path.of("target", "threads");

  /** How often the progress is printed. */
  private static final Duration REPORTED = Duration.ofSeconds(10);

  /** A slow machine may take longer to have seen everything; a test that sees less is no test. */
  private static final int PATIENCE = 20;

  /**
   * Added to each bound of a call. A hang lasts for ever. A shared machine may keep a thread from
   * its processor for seconds.
   */
  private static final Duration SLACK = Duration.ofSeconds(60);

  private final CallCounts counts = new CallCounts();
  private final long begin = System.nanoTime();
  private long reportedAt = begin;

  @Test
  void library_onRealThreads_keepsItsContract() throws InterruptedException, IOException {
    long seed = SEED != null ? SEED : System.currentTimeMillis() / 1_000;
    System.out.printf("[threads] for %s, from seed %d%n", LENGTH, seed);
    while (elapsed().compareTo(LENGTH) < 0 || !hasSeenAll()) {
      round(seed);
      if (SEED == null) {
        seed++;
      }
      if (System.nanoTime() - reportedAt > REPORTED.toNanos()) {
        report();
      }
    }
    report();

    if (SEED == null) {
      assertThat(counts.missing()).as("what never happened").isEmpty();
    }
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  /** One seed alone need not have everything. */
  private boolean hasSeenAll() {
    return SEED != null
        || counts.missing().isEmpty()
        || elapsed().compareTo(LENGTH.multipliedBy(PATIENCE)) > 0;
  }

  private void report() {
    reportedAt = System.nanoTime();
    System.out.printf(
        Locale.ROOT, "[threads] %d s: %s, no violation%n", elapsed().toSeconds(), counts);
  }

  private void round(long seed) throws InterruptedException, IOException {
    RoundPlan plan = RoundPlan.of(seed);
    ThreadsRound round = new ThreadsRound(plan, counts, SLACK, UnaryOperator.identity());
    List<Findings.Finding> found = round.run().list();
    if (!found.isEmpty()) {
      Path file = REPORTS.resolve(seed + "-history.edn").toAbsolutePath();
      round.history.write(file);
      String command =
          "mvn -B test -pl chaos-tests -am -Dtest=RealThreadsTest"
              + " -Dsurefire.failIfNoSpecifiedTests=false -Dholdfast.test.threads=5m"
              + " -Dholdfast.test.threads-seed="
              + seed;
      fail(
          "Seed %d, virtual threads: %s%nPlan: %s%nHistory: %s%nRuns rounds of that seed (threads"
              + " are not deterministic, so it may take some, or show nothing):%n  %s%n%n%s",
          seed,
          CallerHost.hasVirtualThreads(),
          plan,
          file,
          command,
          found.stream().map(Findings.Finding::toString).collect(Collectors.joining("\n\n")));
    }
  }

  /** Such as 30s, 5m or 1h. */
  private static Duration length(String text) {
    return Duration.parse("PT" + text.toUpperCase(Locale.ROOT));
  }
}
