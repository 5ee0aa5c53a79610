package dev.holdfast.lock;

import dev.holdfast.lock.internal.SerializableFailures;
import dev.holdfast.lock.internal.Texts;
import org.jspecify.annotations.Nullable;

/**
 * What Holdfast throws when a lock could not be had, or could not be kept.
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

  /** The lock that this is about; empty when it is about the whole store. */
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
