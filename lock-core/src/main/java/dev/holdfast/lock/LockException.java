package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/** What Holdfast throws when a lock could not be had, or could not be kept. */
public abstract sealed class LockException extends RuntimeException
    permits LockAcquisitionException, LockStoreUnavailableException, LeaseLostException {
  private static final long serialVersionUID = 1L;

  private final String lockId;

  LockException(String lockId, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.lockId = lockId;
  }

  /** The lock that this is about; empty when it is about the whole store. */
  public String lockId() {
    return lockId;
  }
}
