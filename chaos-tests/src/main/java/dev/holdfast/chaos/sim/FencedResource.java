package dev.holdfast.chaos.sim;

import dev.holdfast.lock.FencingToken;
import java.util.HashMap;
import java.util.Map;

/** A resource that locks protect: it takes a write unless it has taken one under a higher token. */
final class FencedResource {
  private final InvariantChecker invariants;
  private final boolean ignoresTokens;
  private final Map<String, FencingToken> highest = new HashMap<>();

  FencedResource(InvariantChecker invariants, boolean ignoresTokens) {
    this.invariants = invariants;
    this.ignoresTokens = ignoresTokens;
  }

  void write(InvariantChecker.ObservedGrant grant) {
    String lockId = grant.lease.lockId();
    FencingToken token = grant.lease.fencingToken();
    FencingToken before = highest.get(lockId);
    if (ignoresTokens || before == null || token.compareTo(before) >= 0) {
      highest.put(lockId, token);
      invariants.accepted(lockId, token);
    } else if (before.era() == token.era()) {
      // A higher era: the index was deleted, and with it all locks.
      invariants.turnedAway(grant);
    }
  }
}
