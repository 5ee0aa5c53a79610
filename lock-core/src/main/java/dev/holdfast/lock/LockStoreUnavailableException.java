package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * The store did not answer or rejected the request: nothing is known about who holds the lock.
 * Never used for contention.
 */
public final class LockStoreUnavailableException extends LockException {
  private static final long serialVersionUID = 1L;

  private final boolean retryable;

  LockStoreUnavailableException(
      String lockId, String message, boolean retryable, @Nullable Throwable cause) {
    super(lockId, message, cause);
    this.retryable = retryable;
  }

  @Override
  LockStoreUnavailableException withCause(@Nullable Throwable other) {
    return new LockStoreUnavailableException(lockId(), message(), retryable, other);
  }

  /**
   * Returns whether trying again may help. False when the store rejects the request: credentials,
   * privileges, an index that is not as it must be.
   */
  public boolean isRetryable() {
    return retryable;
  }
}
