package dev.holdfast.chaos.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * When the last fault had been mended, every worker that goes on was granted a lock again. One that
 * asks for none after that is taken for dead. The clients of one worker ({@code c1.1}, {@code
 * c1.2}) count as one: who of many that wait for one lock gets it is nobody's promise.
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
      return new Result(
          name(), Verdict.UNKNOWN, "Not judged: not every fault was mended.", List.of());
    }
    long healed = faults.stream().mapToLong(FaultInterval::toNanos).max().orElse(0);
    var asking = new TreeSet<String>();
    Map<String, Long> granted = new TreeMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && call.invokedAt() >= healed) {
        String worker = call.client().split("\\.", 2)[0];
        asking.add(worker);
        if (call.isOk()) {
          granted.merge(worker, call.completedAt() - healed, Math::min);
        }
      }
    }
    if (asking.isEmpty()) {
      return new Result(
          name(), Verdict.UNKNOWN, "Not judged: nobody asked for a lock in the end.", List.of());
    }
    List<String> stuck = new ArrayList<>();
    for (String worker : asking) {
      if (!granted.containsKey(worker)) {
        stuck.add(worker + " was granted no lock any more.");
      }
    }
    long slowest = granted.values().stream().mapToLong(Long::longValue).max().orElse(0);
    return stuck.isEmpty()
        ? new Result(
            name(),
            Verdict.VALID,
            "Each of %s was granted a lock again within %s of the end of the last fault."
                .formatted(Formats.count(asking.size(), "worker"), Formats.seconds(slowest)),
            List.of())
        : new Result(
            name(),
            Verdict.INVALID,
            Formats.count(stuck.size(), "worker") + " did not recover.",
            stuck);
  }
}
