package dev.holdfast.chaos.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * When the first fault began, so many locks were held; and at some time in it, so many calls waited
 * for one lock. Otherwise the run is invalid: it was no crowd.
 */
public final class CrowdChecker implements Checker {

  private final int locks;
  private final int waiting;

  /** Makes a checker for at least so many. */
  public CrowdChecker(int locks, int waiting) {
    this.locks = locks;
    this.waiting = waiting;
  }

  @Override
  public String name() {
    return "crowd";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> faults = FaultInterval.of(history);
    if (faults.isEmpty()) {
      return new Result(
          name(), Verdict.UNKNOWN, "Not checked: no fault in this history.", List.of());
    }
    FaultInterval fault = faults.get(0);
    long held =
        Tenure.of(history).stream()
            .filter(tenure -> tenure.isHeldAt(fault.fromNanos()))
            .map(Tenure::lock)
            .distinct()
            .count();
    int most = mostWaiting(history, fault);
    return new Result(
        name(),
        held >= locks && most >= waiting ? Verdict.VALID : Verdict.INVALID,
        "%,d locks were held when %s began, of at least %,d; up to %,d calls waited for one lock then, of at least %,d."
            .formatted(held, fault.name(), locks, most, waiting),
        List.of());
  }

  private static int mostWaiting(History history, FaultInterval fault) {
    record Change(long at, String lock, int by) {}
    List<Change> changes = new ArrayList<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE)
          && call.invokedAt() < fault.toNanos()
          && call.completedAt() > fault.fromNanos()) {
        changes.add(new Change(Math.max(call.invokedAt(), fault.fromNanos()), call.lock(), 1));
        changes.add(new Change(call.completedAt(), call.lock(), -1));
      }
    }
    changes.sort(Comparator.comparingLong(Change::at).thenComparingInt(Change::by));
    Map<String, Integer> waiting = new HashMap<>();
    int most = 0;
    for (Change change : changes) {
      if (change.at < fault.toNanos()) {
        most = Math.max(most, waiting.merge(change.lock, change.by, Integer::sum));
      }
    }
    return most;
  }
}
