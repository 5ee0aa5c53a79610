package dev.holdfast.history.report;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A history and what all pages say of it, worked out once.
 *
 * @param history what happened
 * @param tenures who held which lock
 * @param overlaps where two held one
 * @param faults what was broken
 */
record RunAnalysis(
    History history,
    List<Tenure> tenures,
    List<Tenure.Overlap> overlaps,
    List<FaultInterval> faults) {

  static RunAnalysis of(History history) {
    List<Tenure> tenures = Tenure.of(history);
    return new RunAnalysis(history, tenures, Tenure.overlaps(tenures), FaultInterval.of(history));
  }

  /** The call that was invoked by the operation of that index; null if there is none. */
  @Nullable Call call(long index) {
    List<Call> calls = history.calls(); // in order of their invocations
    int low = 0;
    int high = calls.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long found = calls.get(middle).invocation().index();
      if (found == index) {
        return calls.get(middle);
      } else if (found < index) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  /** The place of each client among all, which gives it the same colour in all drawings. */
  Map<String, Integer> clientRanks() {
    return ranks(Call::client);
  }

  /** The place of each lock among all. */
  Map<String, Integer> lockRanks() {
    return ranks(Call::lock);
  }

  private Map<String, Integer> ranks(Function<Call, String> name) {
    Map<String, Integer> ranks = new HashMap<>();
    history.calls().stream()
        .map(name)
        .distinct()
        .sorted(Comparator.comparing(RunAnalysis::padded).thenComparing(Comparator.naturalOrder()))
        .forEach(each -> ranks.put(each, ranks.size()));
    return ranks;
  }

  /** Makes c2 come before c10. */
  static String padded(String name) {
    String letters = name.replaceAll("[0-9]+$", "");
    String number = name.substring(letters.length());
    return letters + "0".repeat(Math.max(0, 19 - number.length())) + number;
  }

  /** Returns when it begins: a history that was not merged begins at any time. */
  long startNanos() {
    return history.operations().isEmpty() ? 0 : history.operations().get(0).time();
  }

  /** Returns how long it took, and at least 1, so that one may divide by it. */
  long lengthNanos() {
    return Math.max(1, history.endNanos() - startNanos());
  }

  int locks() {
    return (int) tenures.stream().map(Tenure::lock).distinct().count();
  }

  /** The tenures that began though nobody had asked to end the one before. */
  Set<Tenure> takeovers() {
    Set<Tenure> takeovers = Collections.newSetFromMap(new IdentityHashMap<>());
    for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
      for (int i = 1; i < ofLock.size(); i++) {
        if (!ofLock.get(i - 1).isReleasedBy(ofLock.get(i).grantedAt())) {
          takeovers.add(ofLock.get(i));
        }
      }
    }
    return takeovers;
  }
}
