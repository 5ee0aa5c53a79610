package dev.holdfast.history.report;

import dev.holdfast.history.Fault;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * A history and what all pages say of it, worked out once.
 *
 * @param history what happened
 * @param tenures who held which lock
 * @param overlaps where two held one
 * @param faults what was broken
 */
record Story(
    History history, List<Tenure> tenures, List<Tenure.Overlap> overlaps, List<Fault> faults) {

  static Story of(History history) {
    List<Tenure> tenures = Tenure.of(history);
    return new Story(history, tenures, Tenure.overlaps(tenures), Fault.of(history));
  }

  /** When it begins: a history that was not merged begins at any time. */
  long startNanos() {
    return history.operations().isEmpty() ? 0 : history.operations().get(0).time();
  }

  /** How long it took, and at least 1, so that one may divide by it. */
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
