package dev.holdfast.chaos.check;

import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.List;

/**
 * Looks for increments that are missing from the counters, which nothing but the lock protects.
 *
 * <p>Where nothing is broken, none may be missing: then that is invalid, unless a lease was lost,
 * which says that the machine had stood still (unknown). Where processes are paused or answers
 * delayed, a lock by itself cannot prevent it; then this only counts.
 */
public final class LostUpdatesChecker implements Checker {

  private final boolean mustBeNone;

  /**
   * Makes a checker.
   *
   * @param mustBeNone whether a missing one is a fault of the lock
   */
  public LostUpdatesChecker(boolean mustBeNone) {
    this.mustBeNone = mustBeNone;
  }

  @Override
  public String name() {
    return "lost-updates";
  }

  @Override
  public Result check(History history) {
    HistoryStats stats = HistoryStats.of(history);
    boolean read =
        history.calls().stream()
            .filter(Call::isOk)
            .anyMatch(c -> c.f().equals(ChaosVocabulary.FINAL_COUNT));
    if (stats.increments() == 0 || !read) {
      return new Result(
          name(), Verdict.UNKNOWN, "Not checked: no counter was incremented and read.", List.of());
    }
    String what =
        "%,d of %,d acknowledged increments of counters without fencing were lost"
            .formatted(stats.lostIncrements(), stats.increments());
    if (stats.lostIncrements() == 0 || !mustBeNone) {
      return new Result(name(), Verdict.VALID, what + ".", List.of());
    }
    return new Result(
        name(),
        stats.losses() == 0 ? Verdict.INVALID : Verdict.UNKNOWN,
        what
            + (stats.losses() == 0
                ? ", though no lease was."
                : "; " + stats.losses() + " leases were lost too, since the machine was slow."),
        List.of());
  }
}
