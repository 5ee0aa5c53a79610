package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * The lease ended before the work that it protects: exclusion is no longer given, and what was done
 * since may have run beside another holder.
 */
public final class LeaseLostException extends LockException {
  private static final long serialVersionUID = 2L;

  /** The reason of a loss. */
  public enum Reason {
    /** No renewal was acknowledged before its validity ended. */
    EXPIRED,
    /** Another holder's record was found in the place of its own. */
    TAKEN_OVER,
    /** Its record was deleted. */
    RECORD_DELETED,
    /** The lock index was deleted, or replaced by another. */
    INDEX_REPLACED,
    /** It was released by force, through the same lock manager. */
    FORCE_RELEASED,
    /** It had been held for as long as {@link LockOptions#withMaxHold} allows. */
    MAX_HOLD,
    /** Its lock manager was closed. */
    MANAGER_CLOSED
  }

  private final Reason reason;

  LeaseLostException(String lockId, Reason reason, String message) {
    super(lockId, "Lease of lock \"" + lockId + "\" lost: " + message, null);
    this.reason = reason;
  }

  private LeaseLostException(LeaseLostException loss, @Nullable Throwable cause) {
    super(loss.lockId(), loss.message(), cause);
    this.reason = loss.reason;
  }

  /** Returns why the lease was lost. */
  public Reason reason() {
    return reason;
  }

  /** The same loss, thrown to the caller of a body that may have failed itself. */
  LeaseLostException around(@Nullable Throwable bodyFailure) {
    LeaseLostException thrown = new LeaseLostException(this, bodyFailure);
    thrown.addSuppressed(this);
    return thrown;
  }

  @Override
  LeaseLostException withCause(@Nullable Throwable other) {
    return new LeaseLostException(this, other);
  }
}
