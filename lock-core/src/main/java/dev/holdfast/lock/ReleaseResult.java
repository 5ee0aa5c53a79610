package dev.holdfast.lock;

/** How a release ended. */
public enum ReleaseResult {
  /** The lock was held by this lease until now and is free. */
  RELEASED,
  /**
   * The lock was not this lease's any more; nothing was changed, least of all a successor's lock.
   */
  NOT_HELD,
  /** The store did not confirm in time. If the lock is not free yet, its TTL frees it. */
  UNCONFIRMED
}
