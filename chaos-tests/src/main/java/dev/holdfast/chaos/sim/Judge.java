package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Violation.Invariant;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.store.LockRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Sees everything, believes nobody, and throws a {@link Violation} at the first one. */
final class Judge {
  /** The slowest clock that the margin allows, with room for rounding. */
  private static final double SLOWEST_CLOCK = 0.985;

  /** One in so many events looks at leases that nobody contends for. */
  private static final int SAMPLE = 64;

  private final Simulation simulation;
  private final SplittableRandom random;
  private final Map<String, List<Grant>> grants = new HashMap<>();
  private final Map<String, FencingToken> lastToken = new HashMap<>();
  private final Map<String, FencingToken> lastAccepted = new HashMap<>();
  private final Map<String, Long> acknowledgedSent = new HashMap<>();
  private int contended;

  /** A lease as a client has it. */
  static final class Grant {
    final Lease lease;
    final Host host;
    final long ttlNanos;
    private int lossesTold;
    private boolean over;

    Grant(Lease lease, Host host, long ttlNanos) {
      this.lease = lease;
      this.host = host;
      this.ttlNanos = ttlNanos;
    }

    private boolean isBelieved() {
      return !over && !host.isCrashed() && lease.isHeld();
    }
  }

  Judge(Simulation simulation) {
    this.simulation = simulation;
    this.random = simulation.fork();
  }

  // --- What it is told

  /** A client was given a lease. */
  void granted(Grant grant) {
    Lease lease = grant.lease;
    List<Grant> all = grants.computeIfAbsent(lease.lockId(), lock -> new ArrayList<>());
    all.removeIf(other -> other.over || other.host.isCrashed());
    all.add(grant);
    if (all.size() == 2) {
      contended++;
    }
    if (grant.isBelieved()) {
      FencingToken token = lease.fencingToken();
      FencingToken before = lastToken.get(lease.lockId());
      if (before != null && before.era() == token.era() && token.compareTo(before) <= 0) {
        throw new Violation(
            Invariant.TOKENS_RISE,
            lease.lockId() + " was granted with " + token + " after " + before);
      }
      if (before == null || token.compareTo(before) > 0) {
        lastToken.put(lease.lockId(), token);
      }
    }
    lease.onLost(
        loss -> {
          if (++grant.lossesTold > 1) {
            throw new Violation(Invariant.LOSS_TOLD_ONCE, "a second time: " + loss.getMessage());
          }
        });
  }

  /** A client has been told that its lease is over: released, or lost. */
  void over(Grant grant) {
    grant.over = true;
  }

  /** A client was told of a loss, which only a holder may be. */
  void lossTold(Grant grant, boolean wasReleased) {
    if (wasReleased) {
      throw new Violation(
          Invariant.LOSS_TOLD_ONCE, grant.lease + " was released, and then said to be lost");
    }
    over(grant);
  }

  /** A client had a write acknowledged that it had sent then. */
  void acknowledged(String token, long sentAt) {
    acknowledgedSent.merge(token, sentAt, Math::max);
  }

  /** The rightful primary carries out a write. */
  void executed(Cluster.Write write, Cluster.@Nullable Doc there) {
    LockRecord old = there == null ? null : there.record();
    if (old == null || old.token().equals(write.by())) {
      return;
    }
    for (Grant grant : grants.getOrDefault(write.lockId(), List.of())) {
      boolean own = write.by().equals("client " + clientOf(old.token()));
      if (grant.lease.token().equals(old.token()) && !own && grant.isBelieved()) {
        throw new Violation(
            Invariant.RECORD_OF_ANOTHER,
            "the record of " + grant.lease + ", which is held, is changed by " + write.by());
      }
    }
  }

  /** Tokens begin with the place of the client that made them. */
  private static String clientOf(String token) {
    return token.substring(0, token.indexOf('-'));
  }

  /** The resource took a write. */
  void accepted(String lockId, FencingToken token) {
    FencingToken before = lastAccepted.get(lockId);
    if (before != null && token.compareTo(before) < 0) {
      throw new Violation(
          Invariant.FENCING, "the resource took " + token + " after " + before + " of " + lockId);
    }
    lastAccepted.put(lockId, token);
  }

  /** The resource turned a write away. */
  void turnedAway(Grant grant) {
    if (grant.isBelieved()) {
      throw new Violation(
          Invariant.FENCING, "the resource turned " + grant.lease + " away, which is held");
    }
  }

  // --- What it looks at after every event

  void look() {
    if (contended == 0 && random.nextInt(SAMPLE) != 0) {
      return;
    }
    contended = 0;
    for (Map.Entry<String, List<Grant>> entry : grants.entrySet()) {
      List<Grant> all = entry.getValue();
      if (all.size() > 1) {
        all.removeIf(grant -> grant.over || grant.host.isCrashed());
      }
      Grant holder = null;
      for (Grant grant : all) {
        if (grant.isBelieved()) {
          checkBelief(grant);
          if (holder != null && isSameEra(holder, grant)) {
            throw new Violation(
                Invariant.MUTUAL_EXCLUSION,
                holder.lease + " and " + grant.lease + " are both held");
          }
          holder = grant;
        }
      }
      if (all.size() > 1) {
        contended++;
      }
    }
  }

  /** When the index was deleted, exclusion resumes only when the leases of that time have ended. */
  private static boolean isSameEra(Grant a, Grant b) {
    return a.lease.fencingToken().era() == b.lease.fencingToken().era();
  }

  private void checkBelief(Grant grant) {
    Long sent = acknowledgedSent.get(grant.lease.token());
    long since = sent == null ? Long.MAX_VALUE : simulation.now() - sent;
    if (since * SLOWEST_CLOCK > grant.ttlNanos) {
      throw new Violation(
          Invariant.BELIEF,
          grant.lease + " is believed " + since + " ns after its last acknowledged write was sent");
    }
  }
}
