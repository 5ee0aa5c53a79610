package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LeaderElection;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Checks the invariants after every event. The first {@link InvariantViolation} ends the run. */
final class InvariantChecker {
  /** One event in this many also checks uncontended leases. */
  private static final int SAMPLE = 64;

  /**
   * Leases with this TTL survive that all connections die at once: that one is dead is found within
   * a third of it, and all that is sent from then on is answered.
   */
  private static final Duration SURVIVES = Duration.ofSeconds(1);

  private final Simulation simulation;
  private final boolean copiesMayBeBehind;
  private final boolean renewalsSucceed;
  private final SplittableRandom random;
  private final Map<String, List<ObservedGrant>> grants = new HashMap<>();
  private final Map<String, FencingToken> lastToken = new HashMap<>();
  private final Map<String, FencingToken> lastAccepted = new HashMap<>();
  private final Map<String, Long> acknowledgedSent = new HashMap<>();

  /** The incarnation of the index in which a token's last write was carried out. */
  private final Map<String, String> incarnations = new HashMap<>();

  /**
   * Incarnations that were restored. Old records come back in them, so nothing is promised until
   * they are deleted.
   */
  private final Set<String> restored = new HashSet<>();

  private long restoredAt;

  /** Tokens whose record was replaced or deleted by another, and incarnations that are gone. */
  private final Set<String> ended = new HashSet<>();

  /** Locks that were released and are to stay unavailable. */
  private final Map<String, Unheld> unheld = new HashMap<>();

  private final int permits;
  private final List<Candidate> candidates = new ArrayList<>();
  private int contended;

  /** A candidate of the election, and the machine that it is on. */
  private record Candidate(LeaderElection election, Host host) {
    boolean leads() {
      return !host.isCrashed() && election.isLeader();
    }
  }

  /**
   * A record that nobody holds.
   *
   * @param until when it may be taken over at the earliest, in true time
   */
  private record Unheld(String recordToken, long until) {}

  /** A lease as a client has it. */
  static final class ObservedGrant {
    final Lease lease;
    final Host host;
    final LockOptions options;

    /**
     * From when its limits count, at the earliest, by the process's monotonic clock: when the lock
     * was asked for.
     */
    private long earliestNanos;

    /** From when at the latest: when the grant was observed. */
    private long latestNanos;

    /** The latter in true time. */
    private long latestAt;

    private long atLeastNanos;
    private long atMostNanos;

    /** Of its record. */
    private final String recordToken;

    private int lossesTold;
    private boolean lossOwed;
    private boolean seenOver;
    private boolean over;

    ObservedGrant(Lease lease, Host host, LockOptions options, long askedNanos) {
      this.lease = lease;
      this.recordToken = recordToken(lease);
      this.host = host;
      this.options = options;
      this.earliestNanos = askedNanos;
      this.latestNanos = host.nanos();
      this.atLeastNanos = options.holdAtLeast().toNanos();
      this.atMostNanos = options.maxHold().map(Duration::toNanos).orElse(Long.MAX_VALUE);
    }

    /** Its holder has set other limits, which count from now. */
    void limited(WorkloadProfile.Limits limits, long now) {
      earliestNanos = host.nanos();
      latestNanos = earliestNanos;
      latestAt = now;
      atLeastNanos = limits.atLeast().toNanos();
      atMostNanos = limits.atMost().toNanos();
    }

    private boolean isSettled() {
      return host.isCrashed() || (over && !lossOwed);
    }

    private boolean isBelieved() {
      return !over && !host.isCrashed() && lease.isHeld();
    }
  }

  /**
   * Makes a checker for one run.
   *
   * @param copiesMayBeBehind whether reads may show what is out of date
   * @param permits how many locks may be held at once
   */
  InvariantChecker(Simulation simulation, boolean copiesMayBeBehind, int permits) {
    this(simulation, copiesMayBeBehind, false, permits);
  }

  /**
   * Makes a checker for one run.
   *
   * @param renewalsSucceed whether one of two requests in a row is answered
   */
  InvariantChecker(
      Simulation simulation, boolean copiesMayBeBehind, boolean renewalsSucceed, int permits) {
    this.simulation = simulation;
    this.renewalsSucceed = renewalsSucceed;
    this.copiesMayBeBehind = copiesMayBeBehind;
    this.permits = permits;
    this.random = simulation.fork();
  }

  /** The token in the record of a lease, which may have been handed off since. */
  static String recordToken(Lease lease) {
    String token = lease.token();
    int end = token.indexOf('#');
    return end < 0 ? token : token.substring(0, end);
  }

  // --- Notifications

  /** A process takes part in the election. */
  void candidate(LeaderElection election, Host host) {
    candidates.removeIf(candidate -> candidate.host.isCrashed());
    candidates.add(new Candidate(election, host));
  }

  /** A client was given a lease. */
  void granted(ObservedGrant grant) {
    Lease lease = grant.lease;
    List<ObservedGrant> all = grants.computeIfAbsent(lease.lockId(), lock -> new ArrayList<>());
    all.removeIf(ObservedGrant::isSettled);
    all.add(grant);
    grant.latestAt = simulation.now();
    checkUnheld(grant);
    if (all.size() == 2) {
      contended++;
    }
    if (grant.isBelieved()) {
      FencingToken token = lease.fencingToken();
      FencingToken before = lastToken.get(lease.lockId());
      if (before != null
          && before.era() == token.era()
          && token.compareTo(before) <= 0
          && !isInEndedIndex(grant)) {
        simulation.violated(
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
            simulation.violated(Invariant.LOSS_TOLD_ONCE, "a second time: " + loss.getMessage());
          }
        });
  }

  /** A client has been told that its lease is over: released, or lost. */
  void over(ObservedGrant grant) {
    grant.over = true;
  }

  /** A client has released a lock; it may have asked for it to stay unavailable for longer. */
  void released(ObservedGrant grant) {
    long atLeast = grant.atLeastNanos;
    if (atLeast > 0) {
      long waited = grant.latestNanos - grant.earliestNanos;
      // Counted by two monotonic clocks, and by wall clocks where dates are trusted.
      long margin = (long) (2 * SimRun.MAX_DRIFT * (atLeast + waited)) + SimRun.MAX_SKEW;
      unheld.put(
          grant.lease.lockId(),
          new Unheld(grant.recordToken, grant.latestAt - waited + atLeast - margin));
    }
  }

  private void checkUnheld(ObservedGrant grant) {
    Unheld before = unheld.remove(grant.lease.lockId());
    if (before != null
        && simulation.now() < before.until
        && isSameIncarnation(before.recordToken, grant.recordToken)) {
      simulation.violated(
          Invariant.HOLD_LIMITS,
          grant.lease
              + " is granted "
              + (before.until - simulation.now())
              + " ns before the lock may be free");
    }
  }

  /** A client is about to release. If its lease is over by now, it must be told that. */
  void releasing(ObservedGrant grant) {
    if (!grant.lease.isHeld() && !grant.over) {
      grant.lossOwed = true;
    }
  }

  /** A client was notified of a loss, which only a holder may be, and only of a real one. */
  void lossTold(ObservedGrant grant, boolean wasReleased, LeaseLostException loss) {
    if (wasReleased) {
      simulation.violated(
          Invariant.LOSS_TOLD_ONCE, grant.lease + " was released, and then said to be lost");
    }
    String token = grant.recordToken;
    String incarnation = incarnations.getOrDefault(token, "");
    // Two reads in a row may be of copies that are behind, as what is absent has no version by
    // which to tell. That ends a lease that might have gone on.
    boolean isReal =
        loss.reason() == LeaseLostException.Reason.EXPIRED
            || (loss.reason() == LeaseLostException.Reason.MAX_HOLD
                && grant.host.nanos() - grant.earliestNanos >= grant.atMostNanos)
            || (copiesMayBeBehind && loss.reason() == LeaseLostException.Reason.RECORD_DELETED)
            || ended.contains(token)
            || ended.contains(incarnation);
    if (!isReal) {
      simulation.violated(
          Invariant.LOSS_TOLD_ONCE,
          "no other client touched the record of " + grant.lease + ": " + loss.getMessage());
    }
    if (renewalsSucceed
        && loss.reason() == LeaseLostException.Reason.EXPIRED
        && grant.options.autoRenew()
        && grant.options.ttl().compareTo(SURVIVES) >= 0) {
      simulation.violated(
          Invariant.LIVENESS,
          grant.lease
              + " is lost, although another connection was to be had: "
              + loss.getMessage());
    }
    grant.lossOwed = false;
    over(grant);
  }

  /** A client had a write acknowledged that it had sent then. */
  void acknowledged(String token, long sentAt, Incarnation incarnation) {
    acknowledgedSent.merge(token, sentAt, Math::max);
    incarnations.putIfAbsent(token, incarnation.id());
  }

  /** An operator deleted the index, or put another in its place. */
  void indexEnded(Incarnation incarnation) {
    ended.add(incarnation.id());
  }

  /** An operator restored the index as this one, and will delete it. */
  void indexRestored(Incarnation incarnation) {
    ended.add(incarnation.id());
    restored.add(incarnation.id());
    restoredAt = simulation.now();
  }

  /**
   * Returns whether processes may still read a restored index, in which all that they know of a
   * lock is newer than what they see: until it is deleted, and they have noticed.
   */
  boolean mayShowOldRecords() {
    return !restored.isEmpty() && simulation.now() - restoredAt < Nemesis.RESTORED_LEFT_WITHIN;
  }

  /** Nothing is promised any more of what is handed off there until its process has noticed. */
  private boolean isInEndedIndex(ObservedGrant grant) {
    return ended.contains(incarnations.getOrDefault(grant.recordToken, ""));
  }

  /**
   * Another index is in the place of that one since then, and no process has stood still: no lease
   * in it is believed any more that is renewed, and with that noticed.
   */
  void checkLeft(Incarnation incarnation, long since) {
    for (List<ObservedGrant> all : grants.values()) {
      for (ObservedGrant grant : all) {
        if (grant.isBelieved()
            && grant.options.autoRenew()
            && incarnation.id().equals(incarnations.get(grant.recordToken))) {
          simulation.violated(
              Invariant.LIVENESS,
              grant.lease
                  + " is still believed "
                  + (simulation.now() - since)
                  + " ns after its index was replaced");
        }
      }
    }
  }

  /** The rightful primary carries out a write in the index that it is meant for. */
  void executed(SimCluster.Write write, SimCluster.@Nullable Doc there) {
    executed(write, write.incarnation(), there, true);
  }

  /** A primary carries out a write in that index. */
  void executed(
      SimCluster.Write write,
      Incarnation index,
      SimCluster.@Nullable Doc there,
      boolean isRightful) {
    LockRecord written = write.record();
    if (!isRightful) {
      if (written != null) {
        // A stale primary does not know that the index was replaced meanwhile.
        incarnations.putIfAbsent(written.token(), index.id());
      }
      return;
    }
    if (written != null) {
      incarnations.put(written.token(), index.id());
    }
    LockRecord old = there == null ? null : there.record();
    if (old == null || old.isUnheld() || old.token().equals(write.by())) {
      return;
    }
    if (!index.id().equals(incarnations.get(old.token()))) {
      // What a request without an answer left in a replaced index that was kept; sent again, it has
      // made the record on which the lease depends.
      return;
    }
    if (!isOwner(write, old)) {
      ended.add(old.token());
    }
    if (restored.contains(index.id())) {
      return;
    }
    for (ObservedGrant grant : grants.getOrDefault(write.lockId(), List.of())) {
      if (grant.recordToken.equals(old.token()) && !isOwner(write, old) && grant.isBelieved()) {
        simulation.violated(
            Invariant.RECORD_OF_ANOTHER,
            "the record of " + grant.lease + ", which is held, is changed by " + write.by());
      }
    }
  }

  /**
   * Returns whether it is a delete by the process that wrote the record: tokens begin with its
   * place.
   */
  private static boolean isOwner(SimCluster.Write write, LockRecord record) {
    String token = record.token();
    return write.by().equals("client " + token.substring(0, token.indexOf('-')))
        || write.by().equals(LockRecord.unheldToken(token));
  }

  /** The resource took a write. */
  void accepted(String lockId, FencingToken token) {
    FencingToken before = lastAccepted.get(lockId);
    if (before != null && token.compareTo(before) < 0) {
      simulation.violated(
          Invariant.FENCING, "the resource took " + token + " after " + before + " of " + lockId);
    }
    lastAccepted.put(lockId, token);
  }

  /** The resource rejected a write. */
  void turnedAway(ObservedGrant grant) {
    if (grant.isBelieved() && !isInEndedIndex(grant)) {
      simulation.violated(
          Invariant.FENCING, "the resource rejected a write of " + grant.lease + ", which is held");
    }
  }

  // --- Checks after every event

  void look() {
    if (contended == 0 && random.nextInt(SAMPLE) != 0) {
      checkLeaders();
    } else {
      lookAtAll();
    }
  }

  /** Checks all leases, uncontended ones too. */
  void lookAtAll() {
    checkLeaders();
    contended = 0;
    int believed = 0;
    for (Map.Entry<String, List<ObservedGrant>> entry : grants.entrySet()) {
      List<ObservedGrant> all = entry.getValue();
      if (all.size() > 1) {
        all.removeIf(ObservedGrant::isSettled);
      }
      ObservedGrant holder = null;
      for (ObservedGrant grant : all) {
        if (!grant.isBelieved()) {
          grant.seenOver = true;
        } else if (grant.seenOver) {
          simulation.violated(
              Invariant.LOSS_IS_FINAL, grant.lease + " is held again, after it was over");
        } else {
          checkBelief(grant);
          if (holder != null && isSameIncarnation(holder.recordToken, grant.recordToken)) {
            simulation.violated(
                Invariant.MUTUAL_EXCLUSION,
                holder.lease + " and " + grant.lease + " are both held");
          }
          holder = grant;
          believed++;
        }
      }
      if (all.size() > 1) {
        contended++;
      }
    }
    if (believed > permits) {
      simulation.violated(Invariant.PERMITS, believed + " of " + permits + " permits are held");
    }
  }

  private void checkLeaders() {
    Candidate leader = null;
    for (Candidate candidate : candidates) {
      if (candidate.leads()) {
        if (leader != null) {
          simulation.violated(
              Invariant.ONE_LEADER, leader.election + " and " + candidate.election + " both lead");
        }
        leader = candidate;
      }
    }
  }

  /**
   * Whether two records were in one life of the index. When it was deleted, exclusion resumes only
   * when the leases of that time have ended.
   */
  private boolean isSameIncarnation(String recordToken, String otherRecordToken) {
    String incarnation = incarnations.get(recordToken);
    return Objects.equals(incarnation, incarnations.get(otherRecordToken))
        && (restored.isEmpty() || !restored.contains(incarnation));
  }

  /** Checks at the end that each client that lost a lease was told. */
  void end() {
    for (List<ObservedGrant> all : grants.values()) {
      for (ObservedGrant grant : all) {
        if (grant.lossOwed && !grant.host.isCrashed()) {
          simulation.violated(Invariant.LOSS_TOLD_ONCE, "never told of its loss: " + grant.lease);
        }
      }
    }
  }

  private void checkBelief(ObservedGrant grant) {
    Long sent = acknowledgedSent.get(grant.recordToken);
    long since = sent == null ? Long.MAX_VALUE : simulation.now() - sent;
    if (grant.host.nanos() - grant.latestNanos > grant.atMostNanos) {
      simulation.violated(
          Invariant.HOLD_LIMITS, grant.lease + " is held for more than " + grant.atMostNanos);
    }
    if (since > grant.options.ttl().toNanos()) {
      simulation.violated(
          Invariant.BELIEF,
          grant.lease + " is believed " + since + " ns after its last acknowledged write was sent");
    }
  }
}
