package dev.holdfast.history.report;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
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
 * @param sharing who may hold a lock at the same time; what that allows is no overlap
 */
record RunAnalysis(
    History history,
    List<Tenure> tenures,
    List<Tenure.Overlap> overlaps,
    List<FaultInterval> faults,
    Sharing sharing) {

  private static final Set<String> OF_REGISTERS = Set.of("read", "write", "cas");

  /** Who may hold a lock at the same time by the model that the run was checked by. */
  enum Sharing {
    /** Nobody else. */
    NOBODY,
    /** The client that holds it already. */
    ITS_CLIENT,
    /** As many as there are permits. */
    ANYBODY;

    static Sharing of(Result result) {
      Sharing sharing = NOBODY;
      for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
        if (part.checker().equals(Rulings.MUTUAL_EXCLUSION) && part.verdict() == Verdict.INVALID) {
          return NOBODY; // a caller that asks for that check allows none
        } else if (part.checker().matches("linearizable-semaphore-(?!1$).*")) {
          sharing = ANYBODY;
        } else if (part.checker().matches("linearizable-reentrant-mutex-(?!1$).*")) {
          sharing = ITS_CLIENT;
        }
      }
      return sharing;
    }

    private boolean allows(Tenure.Overlap overlap) {
      return this == ANYBODY
          || (this == ITS_CLIENT && overlap.first().client().equals(overlap.second().client()));
    }
  }

  static RunAnalysis of(History history) {
    return of(history, Sharing.NOBODY);
  }

  static RunAnalysis of(History history, Result result) {
    return of(history, Sharing.of(result));
  }

  static RunAnalysis of(History history, Sharing sharing) {
    List<Tenure> tenures = Tenure.of(history);
    List<Tenure.Overlap> overlaps =
        Tenure.overlaps(tenures).stream().filter(overlap -> !sharing.allows(overlap)).toList();
    return new RunAnalysis(history, tenures, overlaps, FaultInterval.of(history), sharing);
  }

  /** Whether it is of registers, not of locks. */
  boolean isOfRegisters() {
    List<Call> calls = history.calls();
    return calls.stream().anyMatch(call -> OF_REGISTERS.contains(call.f()))
        && calls.stream().noneMatch(call -> Vocabulary.LEASE_OPERATIONS.contains(call.f()));
  }

  /** The number of calls of that kind. */
  long calls(String f) {
    return history.calls().stream().filter(call -> call.f().equals(f)).count();
  }

  /** The number of objects that calls are about. */
  long objects() {
    return history.calls().stream().map(Call::lock).distinct().count();
  }

  /**
   * Until when to show it: to the end of overlaps also where that comes after the last operation,
   * as far as it is known.
   */
  long shownEndNanos() {
    long end = history.endNanos();
    long shown = end;
    for (Tenure.Overlap overlap : overlaps) {
      boolean isKnown = overlap.toNanos() != Long.MAX_VALUE;
      boolean isSeen = overlap.fromNanos() < end;
      shown = Math.max(shown, isKnown ? overlap.toNanos() : isSeen ? end : end + lengthNanos() / 8);
    }
    return Math.max(shown, startNanos() + 1);
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
    if (sharing == Sharing.ANYBODY) {
      return takeovers; // another's grant takes nothing away
    }
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
