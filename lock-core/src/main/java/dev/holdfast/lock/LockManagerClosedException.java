package dev.holdfast.lock;

/**
 * Thrown by a call on a {@link LockManager} that is closed, or that was closed while the call
 * waited: nothing was acquired. Neither contention nor an outage, so it is no {@link
 * LockException}.
 */
public final class LockManagerClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  LockManagerClosedException(String message) {
    super(message);
  }
}
