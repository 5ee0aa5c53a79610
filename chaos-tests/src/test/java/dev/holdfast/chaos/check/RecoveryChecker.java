package dev.holdfast.chaos.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * When the last fault had ended, every worker that goes on was granted a lock again. One that asks
 * for none after that is taken for dead. The clients of one worker ({@code c1.1}, {@code c1.2})
 * count as one: which of many waiters gets a lock is not promised.
 */
public final class RecoveryChecker implements Checker {

  @Override
  public String name() {
    return "recovery";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> faults = FaultInterval.of(history);
    if (!faults.stream().allMatch(FaultInterval::healed)) {
      return new Result(name(), Verdict.UNKNOWN, "Not checked: not every fault ended.", List.of());
    }
    long healed = faults.stream().mapToLong(FaultInterval::toNanos).max().orElse(0);
    Map<String, Call> lastAsked = new TreeMap<>();
    Map<String, Long> granted = new TreeMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && call.invokedAt() >= healed) {
        String worker = call.client().split("\\.", 2)[0];
        lastAsked.put(worker, call);
        if (call.isOk()) {
          granted.merge(worker, call.completedAt() - healed, Math::min);
        }
      }
    }
    if (lastAsked.isEmpty()) {
      return new Result(
          name(), Verdict.UNKNOWN, "Not checked: no lock was asked for in the end.", List.of());
    }
    List<Violation> stuck = new ArrayList<>();
    lastAsked.forEach(
        (worker, call) -> {
          if (!granted.containsKey(worker)) {
            stuck.add(Violation.of(worker + " was granted no lock any more", call));
          }
        });
    long slowest = granted.values().stream().mapToLong(Long::longValue).max().orElse(0);
    return Result.of(
        name(),
        "Each of %s was granted a lock again within %s of the end of the last fault."
            .formatted(Formats.count(lastAsked.size(), "worker"), Formats.seconds(slowest)),
        Formats.count(stuck.size(), "worker") + " did not recover.",
        stuck);
  }
}
