package dev.holdfast.lock;

/** The result of a release. */
public enum ReleaseResult {
  /**
   * The lock was held by this lease until now. It is free, or was handed off to the next call in
   * this process, unless it lingers ({@link LockOptions#withLinger}) or stays unavailable ({@link
   * LockOptions#withHoldAtLeast}).
   */
  RELEASED,
  /**
   * The lock was not this lease's any more, at the latest when the release was sent a second time.
   * A successor's lock was not touched.
   */
  NOT_HELD,
  /** The store did not confirm in time. If the lock is not free yet, its TTL frees it. */
  UNCONFIRMED
}
