package dev.holdfast.chaos.threads;

/** What must hold, whatever the threads do. */
enum Requirement {
  /** No two leases of one lock are valid at once, by what {@code isHeld} said before and after. */
  ONE_VALID_LEASE,
  /** The same, by the history: until when holders believed to hold it. */
  MUTUAL_EXCLUSION,
  /** The history has an order that the model of a lease explains. */
  LINEARIZABLE,
  /** Fencing tokens rise. */
  FENCING,
  /** A lease that was not held once is not held later. */
  LOSS_IS_FINAL,
  /** A callback for a loss runs at most once. */
  LOSS_TOLD_ONCE,
  /** No lease is held for longer than it may be. */
  MAX_HOLD,
  /** Every call ends within its bound. */
  ENDS_IN_TIME,
  /** A call throws only what its contract names. */
  NAMED_EXCEPTIONS,
  /** A lock that nobody else ever wanted is never reported as held by another. */
  NO_FALSE_CONTENTION,
  /** A thread is interrupted by the library only while it runs a body. */
  NO_STRAY_INTERRUPT,
  /** When no call is left, no record is left that somebody would have to wait for. */
  NO_RECORD_LEFT,
  /** When no call is left, a manager tracks nothing. */
  NO_STATE_LEFT,
  /** A closed manager leaves no thread and no timer. */
  NO_THREAD_LEFT
}
