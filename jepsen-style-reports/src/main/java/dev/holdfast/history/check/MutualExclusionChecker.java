package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import java.util.List;

/**
 * Checks that no client held a lock while another certainly held it, by the intervals of {@link
 * Tenure#of}. Takes time near-linear in the number of operations.
 */
public final class MutualExclusionChecker implements Checker {

  @Override
  public String name() {
    return "mutual-exclusion";
  }

  @Override
  public Result check(History history) {
    List<Tenure> tenures = Tenure.of(history);
    if (tenures.isEmpty()) {
      return Result.nothingSeen(name(), "no lock was ever granted");
    }
    Result doubt = ClockDoubt.of(name(), history);
    if (doubt != null) {
      return doubt;
    }
    List<Violation> violations =
        Tenure.overlaps(tenures).stream().map(MutualExclusionChecker::describe).toList();
    return Result.of(
        name(),
        "Nobody held a lock while another did: "
            + Formats.count(tenures.size(), "lease")
            + " on "
            + Formats.count(Tenure.byLock(tenures).size(), "lock")
            + ".",
        "Exclusion was broken " + Formats.count(violations.size(), "time") + ".",
        violations);
  }

  private static Violation describe(Tenure.Overlap overlap) {
    Call first = overlap.first().acquire();
    Call second = overlap.second().acquire();
    return new Violation(
        overlap.describe(),
        overlap.describe() + ": " + first.describe() + ", and " + second.describe() + ".",
        List.of(first.invocation().index(), second.invocation().index()),
        List.of());
  }
}
