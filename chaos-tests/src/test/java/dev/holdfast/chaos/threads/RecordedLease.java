package dev.holdfast.chaos.threads;

import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A lease that was granted, whose holder records what it sees of it. Thread-safe. */
final class RecordedLease {
  private final GrantHistory history;
  private final Findings findings;
  private final Lease lease;
  private final Map<String, Object> subject = new LinkedHashMap<>();
  private final long ttlMillis;
  private final AtomicInteger losses = new AtomicInteger();

  // Guarded by this.
  private long heldSince;
  private boolean wasHeld;
  private boolean wasNotHeld;
  private @Nullable Long mustEnd;
  private GrantHistory.@Nullable Recorded release;
  private boolean heldAtRelease;

  /**
   * Records a grant.
   *
   * @param acquisition what was asked for; ends here
   * @param maxHold how long it may be held; null for no limit
   * @param callback what the loss callback does besides
   */
  RecordedLease(
      GrantHistory history,
      Findings findings,
      Lease lease,
      String client,
      GrantHistory.Recorded acquisition,
      @Nullable Duration maxHold,
      Runnable callback) {
    this.history = history;
    this.findings = findings;
    this.lease = lease;
    this.ttlMillis = lease.ttl().toMillis();
    long fence = lease.fencingToken().toLong();
    subject.put(Vocabulary.LOCK, lease.lockId());
    subject.put(Vocabulary.CLIENT, client);
    subject.put(Vocabulary.FENCE, fence);
    if (maxHold != null) {
      mustEnd = history.now() + maxHold.toNanos();
    }
    // Before the grant is recorded: nobody else is granted the lock of a manager that closes before
    // the callbacks that were there have run.
    lease.onLost(
        loss -> {
          if (losses.incrementAndGet() > 1) {
            findings.add(Requirement.LOSS_TOLD_ONCE, "told again of the loss of " + lease);
          }
          history.notice(Vocabulary.LOST, subject);
          callback.run();
        });
    // The clock first: what remains may be less by the time it is asked for, never more.
    long now = history.now();
    long until = now + lease.remaining().toNanos();
    acquisition.end(Operation.Type.OK, Map.of(Vocabulary.FENCE, fence, Vocabulary.UNTIL, until));
  }

  Lease lease() {
    return lease;
  }

  /**
   * Records whether it is held now, and until when.
   *
   * @return whether it is
   */
  synchronized boolean check() {
    GrantHistory.Recorded belief = history.begin(Vocabulary.BELIEF, subject);
    long before = history.now();
    long until = before + lease.remaining().toNanos();
    boolean held = lease.isHeld();
    long after = history.now();
    if (held && release == null) {
      belief.end(Operation.Type.OK, Map.of(Vocabulary.UNTIL, until, Vocabulary.TTL, ttlMillis));
    } else {
      belief.end(Operation.Type.FAIL, Map.of());
    }
    if (held && wasNotHeld) {
      findings.add(Requirement.LOSS_IS_FINAL, lease + " was not held, and is held again");
    }
    Long end = mustEnd;
    if (held && end != null && before > end) {
      findings.add(
          Requirement.MAX_HOLD,
          lease + " is held " + (before - end) + " ns after the longest time for it");
    }
    if (held && wasHeld) {
      history.valid(new GrantHistory.ValidSpan(lease.lockId(), lease.token(), heldSince, before));
    }
    wasHeld = held;
    heldSince = after;
    wasNotHeld |= !held;
    return held;
  }

  void renew() {
    GrantHistory.Recorded renewal = history.begin(Vocabulary.RENEW, subject);
    boolean renewed = lease.renew();
    long now = history.now();
    long until = now + lease.remaining().toNanos();
    if (renewed && lease.isHeld()) {
      renewal.end(Operation.Type.OK, Map.of(Vocabulary.UNTIL, until, Vocabulary.TTL, ttlMillis));
    } else {
      renewal.end(Operation.Type.INFO, Map.of());
    }
  }

  void limit(Duration atLeast, Duration atMost) {
    boolean limited = lease.limitHold(atLeast, atMost);
    synchronized (this) {
      if (limited) {
        mustEnd = history.now() + atMost.toNanos();
      }
    }
  }

  /** The holder stops to use it, before the lock can be given back. Again does nothing. */
  synchronized void leaving() {
    if (release == null) {
      release = history.begin(Vocabulary.RELEASE, subject);
      heldAtRelease = lease.isHeld();
    }
  }

  /**
   * Records what the release came to, where that is known. A manager that closes may have released
   * it before; then it may have been another's by the time that this was asked for.
   */
  synchronized void left(ReleaseResult result) {
    GrantHistory.Recorded begun = release;
    if (result == ReleaseResult.RELEASED && begun != null && heldAtRelease) {
      begun.end(Operation.Type.OK, Map.of());
    }
  }

  /** Gives it back, in some way. */
  void release(SplittableRandom random) {
    leaving();
    if (random.nextBoolean()) {
      left(lease.release());
    } else {
      lease.close();
    }
  }
}
