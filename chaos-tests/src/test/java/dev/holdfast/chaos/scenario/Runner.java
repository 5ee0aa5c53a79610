package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.check.HistoryStats;
import dev.holdfast.chaos.worker.Defect;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.report.Run;
import dev.holdfast.history.report.RunStore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.RuntimeMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Runs scenarios, and tells what happens. To be used by one thread. */
public final class Runner {

  private static final RuntimeMXBean UPTIME = ManagementFactory.getRuntimeMXBean();

  private final RunStore store;
  private final long seed;
  private final String command;

  /**
   * Makes a runner.
   *
   * @param store where the reports go
   * @param seed where the faults come from
   * @param command what repeats a run, to which the scenario and the seed are added
   */
  public Runner(RunStore store, long seed, String command) {
    this.store = store;
    this.seed = seed;
    this.command = command;
  }

  /**
   * Runs a scenario, and checks it. The arena is whole then.
   *
   * @throws Exception if it could not be run to its end; what there is of it is in the store, and
   *     the arena may be broken
   */
  public ScenarioOutcome run(Scenario scenario, Arena arena) throws Exception {
    say("%s: %s".formatted(scenario.name(), scenario.purpose()));
    Optional<String> missing = scenario.missing(arena, random(scenario));
    if (missing.isPresent()) {
      skip(scenario, missing.get());
      return ScenarioOutcome.skipped(scenario.name(), missing.get());
    }
    Run run = store.start(scenario.name());
    run.describe(describe(scenario, arena));
    Defect defect = scenario.workload().defect();
    if (defect != Defect.NONE) {
      run.expectInvalid(defect.caughtBy());
    }
    if (scenario.isAcrossDeletion()) {
      run.allowOverlaps(
          "Deleting the index releases all locks by force, so that a lock may be granted to another"
              + " before its holder is notified. Each life of the index is checked by itself.");
    }
    String repeat =
        command + " -Dholdfast.test.scenario=" + scenario.name() + " -Dholdfast.test.seed=" + seed;
    ScenarioRun scenarioRun = new ScenarioRun(scenario, arena, run, random(scenario));
    try {
      scenarioRun.play();
    } catch (Exception e) {
      say(
          "%s: broken off: %s; see %s"
              .formatted(scenario.name(), e, run.directory().toAbsolutePath()));
      try {
        scenarioRun.leave();
      } catch (Exception more) {
        e.addSuppressed(more);
      }
      try {
        run.expectInvalid(""); // what did not run to its end has detected nothing
        List<Checker> checkers = new ArrayList<>(scenario.checkers());
        checkers.add(0, new BrokenOff(e));
        Result unused = run.finish(run.readRecordings(), compose(checkers), repeat);
      } catch (Exception more) {
        e.addSuppressed(more);
      }
      throw e;
    }
    scenarioRun.leave();
    History history = run.readRecordings();
    Result result = run.finish(history, compose(scenario.checkers()), repeat);
    HistoryStats stats = HistoryStats.of(history);
    say(
        "%s: %s. %s %s, %s"
            .formatted(
                scenario.name(),
                result.verdict().text(),
                result.summary(),
                Formats.count(stats.lockOperations(), "lock operation"),
                Formats.count(stats.faults(), "fault")));
    for (Result part : result.parts()) {
      say("    %s: %s. %s".formatted(part.checker(), part.verdict().text(), part.summary()));
      part.details().stream().limit(3).forEach(detail -> say("        %s".formatted(detail)));
    }
    return new ScenarioOutcome(
        scenario.name(), null, null, result, stats, run.directory().resolve("index.html"));
  }

  /**
   * Notes that a scenario cannot be run here.
   *
   * @throws IOException if that cannot be written
   */
  public void skip(Scenario scenario, String reason) throws IOException {
    say("%s: skipped, because %s".formatted(scenario.name(), reason));
    store.skip(scenario.name(), scenario.purpose(), reason);
  }

  private static Checker compose(List<Checker> checkers) {
    return Checkers.compose(checkers.toArray(Checker[]::new));
  }

  /** Checks what was recorded until then; a run that was cut short is never valid. */
  private record BrokenOff(Exception cause) implements Checker {
    @Override
    public String name() {
      return "run-to-its-end";
    }

    @Override
    public Result check(History history) {
      return new Result(name(), Verdict.UNKNOWN, "Broken off: " + cause, List.of());
    }
  }

  private String describe(Scenario scenario, Arena arena) {
    String text = scenario.purpose() + " Expected: " + scenario.bound() + ".";
    for (String each : scenario.leftOut(arena, random(scenario))) {
      say("%s: left out here: %s".formatted(scenario.name(), each));
      text += " Left out here: " + each + ".";
    }
    return text;
  }

  /** The same for a scenario whether it is run alone or with others. */
  private RandomGenerator random(Scenario scenario) {
    return new SplittableRandom(seed * 31 + scenario.name().hashCode());
  }

  /** Prints progress. */
  public static void say(String what) {
    System.out.printf("[chaos %4d s] %s%n", UPTIME.getUptime() / 1_000, what);
  }
}
