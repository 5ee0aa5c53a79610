package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Vocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Fencing tokens do their work: no two grants of a lock have the same one, a grant that was
 * answered before another was asked for has the lower one, and what the lock protects never accepts
 * a write with a lower one after it had accepted a higher one. Calls that overlap in time may take
 * effect in any order.
 */
public final class FencingChecker implements Checker {

  @Override
  public String name() {
    return "fencing";
  }

  @Override
  public Result check(History history) {
    Map<String, List<Call>> grants = fenced(history, Vocabulary.ACQUIRE);
    Map<String, List<Call>> writes = fenced(history, Vocabulary.WRITE);
    if (grants.isEmpty()) {
      return Result.nothingSeen(name(), "no lock was ever granted with a fence");
    }
    List<Violation> violations = new ArrayList<>();
    for (List<Call> ofLock : grants.values()) {
      Map<Long, Call> byFence = new HashMap<>();
      for (Call grant : ofLock) {
        Call twin = byFence.putIfAbsent(fence(grant), grant);
        if (twin != null) {
          violations.add(Violation.of("Two grants have one fence", twin, grant));
        }
      }
      goesBack(ofLock)
          .forEach(
              (later, earlier) ->
                  violations.add(Violation.of("A fence went back", earlier, later)));
    }
    for (List<Call> ofLock : writes.values()) {
      goesBack(ofLock)
          .forEach(
              (later, earlier) ->
                  violations.add(Violation.of("A stale write was accepted", earlier, later)));
    }
    return Result.of(
        name(),
        String.format(
            "The fences of %s rose, and %s never went back.",
            Formats.count(count(grants), "grant"), Formats.count(count(writes), "accepted write")),
        "Fencing was broken " + Formats.count(violations.size(), "time") + ".",
        violations);
  }

  /**
   * Finds calls that are wrong after the one with the highest fence of those answered before they
   * were made.
   */
  private static Map<Call, Call> goesBack(List<Call> byInvocation) {
    List<Call> byCompletion = new ArrayList<>(byInvocation);
    byCompletion.sort(Comparator.comparingLong(Call::completedAt));
    Map<Call, Call> found = new LinkedHashMap<>();
    Call highest = null;
    int answered = 0;
    for (Call call : byInvocation) {
      while (byCompletion.get(answered).completedAt() < call.invokedAt()) {
        highest = higher(highest, byCompletion.get(answered++));
      }
      if (highest != null && fence(highest) > fence(call)) {
        found.put(call, highest);
      }
    }
    return found;
  }

  private static Call higher(@Nullable Call one, Call other) {
    return one == null || fence(other) > fence(one) ? other : one;
  }

  private static Map<String, List<Call>> fenced(History history, String f) {
    Map<String, List<Call>> byLock = new TreeMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(f) && call.isOk() && call.fence().isPresent()) {
        byLock.computeIfAbsent(call.lock(), k -> new ArrayList<>()).add(call);
      }
    }
    return byLock;
  }

  private static int count(Map<String, List<Call>> calls) {
    return calls.values().stream().mapToInt(List::size).sum();
  }

  private static long fence(Call call) {
    return call.fence().orElseThrow();
  }
}
