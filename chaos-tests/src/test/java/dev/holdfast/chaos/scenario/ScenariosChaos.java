package dev.holdfast.chaos.scenario;

import static dev.holdfast.chaos.scenario.Runner.say;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.scenario.Scenario.Ground;
import dev.holdfast.chaos.worker.Defect;
import dev.holdfast.cluster.ContainerNode;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.history.report.RunStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * All scenarios on real clusters: those of {@link Scenarios#all} must be found valid, those of
 * {@link Scenarios#broken} invalid by the checker that is there for their mistake.
 *
 * <p>System properties: {@code holdfast.test.scenario} (names, separated by commas; {@code all}, or
 * {@code nightly} for those that do not run by default), {@code holdfast.test.seed} (a number,
 * repeats the faults of a run), {@code holdfast.test.elasticsearch} (8, which is the default, 9 or
 * both), {@code holdfast.test.cluster} (process, which is the default, or docker: then the
 * scenarios are those of {@link Scenarios#inContainers}), {@code holdfast.test.soak} (how long the
 * storm lasts, such as 2m; without {@code holdfast.test.scenario}, only the storm is run then).
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ScenariosChaos {

  private static final Duration DEFAULT_STORM = Duration.ofSeconds(40);

  /** The properties that belong into the command that repeats a run. */
  private static final List<String> PASSED_ON =
      List.of(
          "holdfast.test.elasticsearch",
          "holdfast.test.soak",
          "holdfast.test.cluster",
          "holdfast.test.toxiproxy",
          "holdfast.test.docker.elasticsearch",
          "holdfast.test.docker.toxiproxy");

  private final long seed =
      Long.getLong("holdfast.test.seed", new Random().nextInt(Integer.MAX_VALUE));
  private final Path store = Path.of(System.getProperty("holdfast.test.store", "store"));

  /** Belongs to the series of all that {@link #scenarios} chooses. */
  private Runner runner = runner(new RunStore(store));

  private final List<ScenarioOutcome> good = new ArrayList<>();
  private final List<ScenarioOutcome> broken = new ArrayList<>();
  private final long startNanos = System.nanoTime();
  private final boolean inContainers = inContainers();

  private @Nullable Arena arena;
  private @Nullable String standing;

  private static String options() {
    StringBuilder options = new StringBuilder();
    for (String property : PASSED_ON) {
      String value = System.getProperty(property);
      if (value != null) {
        options.append(" -D").append(property).append('=').append(value);
      }
    }
    return options.toString();
  }

  private Runner runner(RunStore in) {
    return new Runner(in, seed, "mvn -B verify -Pchaos" + options());
  }

  @TestFactory
  Stream<DynamicTest> scenarios() {
    say("seed %d".formatted(seed));
    String soak = System.getProperty("holdfast.test.soak", "");
    List<Scenario> all = new ArrayList<>();
    if (inContainers) {
      all.addAll(Scenarios.inContainers());
      all.addAll(Scenarios.brokenInContainers());
    } else {
      all.addAll(Scenarios.all(soak.isEmpty() ? DEFAULT_STORM : length(soak)));
      all.addAll(Scenarios.broken());
    }
    String wanted = System.getProperty("holdfast.test.scenario", soak.isEmpty() ? "" : "soak");
    List<Scenario> chosen = new ArrayList<>(Scenarios.select(all, wanted));
    chosen.sort(java.util.Comparator.comparing(Scenario::ground));
    runner = runner(new RunStore(store).series(versions().size() * chosen.size()));
    return versions().stream()
        .flatMap(
            version ->
                chosen.stream()
                    .map(
                        scenario ->
                            DynamicTest.dynamicTest(
                                scenario.name() + " on " + version, () -> run(scenario, version))));
  }

  private static boolean inContainers() {
    String wanted = System.getProperty("holdfast.test.cluster", "process");
    return switch (wanted) {
      case "process" -> false;
      case "docker" -> true;
      default ->
          throw new IllegalArgumentException(
              "holdfast.test.cluster is process or docker, not " + wanted);
    };
  }

  private static Duration length(String text) {
    return Duration.parse("PT" + text.strip().toUpperCase(java.util.Locale.ROOT));
  }

  private static List<ElasticsearchVersion> versions() {
    String wanted = System.getProperty("holdfast.test.elasticsearch", "8");
    return switch (wanted) {
      case "8" -> List.of(ElasticsearchVersion.V8);
      case "9" -> List.of(ElasticsearchVersion.V9);
      case "both" -> List.of(ElasticsearchVersion.values());
      default ->
          throw new IllegalArgumentException(
              "holdfast.test.elasticsearch is 8, 9 or both, not " + wanted);
    };
  }

  private void run(Scenario scenario, ElasticsearchVersion version) throws Exception {
    boolean sound = scenario.workload().defect() == Defect.NONE;
    Optional<String> unsupported =
        inContainers
            ? ContainerNode.unsupportedReason()
            : ElasticsearchNode.unsupportedReason(version);
    ScenarioOutcome outcome;
    try {
      outcome =
          unsupported.isPresent()
              ? skipped(scenario, unsupported.get())
              : runner.run(scenario, arena(version, scenario.ground()));
    } catch (Exception e) {
      (sound ? good : broken).add(ScenarioOutcome.brokenOff(scenario.name(), e));
      close(); // nobody knows in what state it is
      throw new IllegalStateException(scenario.name() + " was broken off: " + e.getMessage(), e);
    }
    (sound ? good : broken).add(outcome);
    Assumptions.assumeTrue(outcome.skipped() == null, outcome::verdict);
    if (sound) {
      assertThat(outcome.isValid()).as("%s", outcome.result()).isTrue();
    } else {
      String checker = scenario.workload().defect().caughtBy();
      assertThat(outcome.isInvalidBy(checker)).as("%s: %s", checker, outcome.result()).isTrue();
    }
  }

  private ScenarioOutcome skipped(Scenario scenario, String reason) throws IOException {
    runner.skip(scenario, reason);
    return ScenarioOutcome.skipped(scenario.name(), reason);
  }

  private Arena arena(ElasticsearchVersion version, Ground ground) throws InterruptedException {
    String wanted = ground + " on " + version;
    Arena there = arena;
    if (there != null && wanted.equals(standing)) {
      return there;
    }
    close();
    say("starting a cluster: %s, %s".formatted(version.number(), ground));
    Arena started =
        inContainers
            ? Arena.startInContainers(version, settings(ground))
            : Arena.start(version, settings(ground));
    arena = started;
    standing = wanted;
    say(
        "Toxiproxy: %s; partitions between nodes: %s"
            .formatted(
                started.toxiproxy(),
                started.whyNoPartitions().isEmpty() ? "possible" : started.whyNoPartitions()));
    return started;
  }

  private static Map<String, String> settings(Ground ground) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("action.destructive_requires_name", "false"); // for deletions by pattern
    if (ground != Ground.DEFAULT_DETECTION) {
      for (String check : List.of("follower_check", "leader_check")) {
        settings.put("cluster.fault_detection." + check + ".interval", "500ms");
        settings.put("cluster.fault_detection." + check + ".timeout", "1500ms");
        settings.put("cluster.fault_detection." + check + ".retry_count", "2");
      }
      settings.put("cluster.publish.timeout", "5s");
      settings.put("cluster.follower_lag.timeout", "5s");
    }
    if (ground == Ground.SHORT_QUEUES) {
      settings.put("thread_pool.write.size", "1"); // or many processors have room for many requests
      settings.put("thread_pool.write.queue_size", "4");
    }
    return settings;
  }

  @AfterAll
  void tell() throws Exception {
    close();
    String table = Summary.table(good);
    if (!broken.isEmpty()) {
      table +=
          "\nDeliberately broken clients, which must be found invalid:\n\n" + Summary.table(broken);
    }
    Path file = Files.createDirectories(store).resolve("summary.md");
    Files.writeString(file, "Seed " + seed + "\n\n" + table);
    table.lines().forEach(line -> System.out.println("[chaos] " + line));
    say(
        "%d s in all; seed %d; reports: %s; this table: %s"
            .formatted(
                Duration.ofNanos(System.nanoTime() - startNanos).toSeconds(),
                seed,
                store.toAbsolutePath(),
                file.toAbsolutePath()));
  }

  private void close() {
    Arena there = arena;
    arena = null;
    if (there != null) {
      there.close();
    }
  }
}
