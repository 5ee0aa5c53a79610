package dev.holdfast.lock;

import dev.holdfast.lock.internal.SerializableFailures;
import dev.holdfast.lock.internal.Texts;
import org.jspecify.annotations.Nullable;

/**
 * Base of the exceptions for a lock that could not be acquired, or could not be kept. Calls on a
 * closed manager throw {@link LockManagerClosedException} instead.
 *
 * <p>Serialisable whatever its causes are: those that are not themselves, such as exceptions of an
 * HTTP client, are replaced by stand-ins that print alike. Messages show control characters of lock
 * ids, owners and answers escaped; {@link #lockId()} is the id itself.
 */
public abstract sealed class LockException extends RuntimeException
    permits LockAcquisitionException, LockStoreUnavailableException, LeaseLostException {
  private static final long serialVersionUID = 1L;

  private final String lockId;

  LockException(String lockId, String message, @Nullable Throwable cause) {
    super(Texts.printable(message), cause);
    this.lockId = lockId;
  }

  /** Returns the id of the lock; empty when this is about the whole store. */
  public String lockId() {
    return lockId;
  }

  /** The same exception with another cause. */
  abstract LockException withCause(@Nullable Throwable other);

  // What is written in the place of this.
  final Object writeReplace() {
    return SerializableFailures.completed(withCause(SerializableFailures.of(getCause())), this);
  }

  final String message() {
    String message = getMessage();
    return message == null ? "" : message;
  }
}
