package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.check.HistoryStats;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a scenario.
 *
 * @param scenario its name
 * @param skipped why it was not run; {@code null} if it was
 * @param brokenOff why it was not run to its end; {@code null} if it was, or was skipped
 * @param result what the checkers found; {@code null} if it was not run to its end
 * @param stats what was counted; {@code null} if it was not run
 * @param report the page about it; {@code null} if it was not run
 */
public record ScenarioOutcome(
    String scenario,
    @Nullable String skipped,
    @Nullable String brokenOff,
    @Nullable Result result,
    @Nullable HistoryStats stats,
    @Nullable Path report) {

  /** A cell of a table has so much room. */
  private static final int MAX_CAUSE = 120;

  static ScenarioOutcome skipped(String scenario, String reason) {
    return new ScenarioOutcome(scenario, reason, null, null, null, null);
  }

  /** For one that could not be run to its end; its page has what was recorded until then. */
  public static ScenarioOutcome brokenOff(String scenario, Throwable cause) {
    String first = cause.toString().lines().findFirst().orElse("").replace('|', '/');
    String text = first.length() <= MAX_CAUSE ? first : first.substring(0, MAX_CAUSE) + "...";
    return new ScenarioOutcome(scenario, null, text, null, null, null);
  }

  /** Returns the verdict, also in words for what was not run. */
  public String verdict() {
    if (result != null) {
      return result.verdict().text();
    }
    return skipped != null ? "skipped, because " + skipped : "broken off: " + brokenOff;
  }

  /** Returns whether it was run and found valid. */
  public boolean isValid() {
    return result != null && result.verdict() == Verdict.VALID;
  }

  /** Returns whether the checker of that name said invalid. */
  public boolean isInvalidBy(String checker) {
    return result != null
        && result.parts().stream()
            .anyMatch(part -> part.checker().equals(checker) && part.verdict() == Verdict.INVALID);
  }
}
