package dev.holdfast.lock;

/** How a release ended. */
public enum ReleaseResult {
  /** The lock was held by this lease until now and is free. */
  RELEASED,
  /**
   * The lock was not this lease's any more, at the latest when the release was sent a second time.
   * A successor's lock was not touched.
   */
  NOT_HELD,
  /** The store did not confirm in time. If the lock is not free yet, its TTL frees it. */
  UNCONFIRMED
}
