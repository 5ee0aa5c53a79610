package dev.holdfast.chaos.sim;

/** Thrown when an invariant does not hold. */
final class InvariantViolation extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Invariant invariant;

  /** Properties that must always hold. */
  enum Invariant {
    /** At most one lease of a lock is valid by its holder's own judgement. */
    MUTUAL_EXCLUSION,
    /** Fencing tokens rise in the order of grants. */
    TOKENS_RISE,
    /** The resource never takes a lower token after a higher, and takes all of valid holders. */
    FENCING,
    /** Nobody deletes or replaces a record that belongs to another's valid lease. */
    RECORD_OF_ANOTHER,
    /** No belief outlives its last acknowledged write by more than its TTL. */
    BELIEF,
    /** A lease that was over is never valid again. */
    LOSS_IS_FINAL,
    /** A loss is reported exactly once, and only to holders who have lost their lease. */
    LOSS_TOLD_ONCE,
    /** No more permits of a semaphore are held than it has. */
    PERMITS,
    /** At most one candidate of an election leads by its own judgement. */
    ONE_LEADER,
    /** No lock is held for longer, or free sooner, than its holder's options say. */
    HOLD_LIMITS,
    /** Queues, caches and timers stay within their bounds, and none is left over. */
    BOUNDS,
    /** No record is left over. */
    RECORDS,
    /** There is an order of all that clients did that a lease explains. */
    LINEARIZABLE,
    /** A busy process leaves the lock to others in time. */
    FAIRNESS,
    /** Every call ends, and once the faults are over each waiter acquires within the bound. */
    LIVENESS
  }

  InvariantViolation(Invariant invariant, String message) {
    super(invariant + ": " + message);
    this.invariant = invariant;
  }

  Invariant invariant() {
    return invariant;
  }
}
