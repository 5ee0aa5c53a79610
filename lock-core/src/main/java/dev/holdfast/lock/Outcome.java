package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How an acquisition ended. The exceptions are made on the caller's thread, for its stack trace.
 */
sealed interface Outcome {

  /** The lock is held. */
  record Granted(LeaseHandle lease) implements Outcome {}

  /** Another holds it. */
  record HeldByOther(@Nullable LockInfo holder, Duration waited) implements Outcome {
    LockAcquisitionException exception(String lockId) {
      return new LockAcquisitionException(lockId, describe(), holder);
    }

    private String describe() {
      String by =
          holder == null
              ? "held by another"
              : (holder.isHeld() ? "held by " : "kept unavailable (holdAtLeast) by ")
                  + Texts.owner(holder.owner())
                  + (holder.expiresAt() == null ? "" : " until " + holder.expiresAt());
      return waited.isZero() ? by : by + "; waited " + waited.toMillis() + " ms";
    }
  }

  /** The thread that asks holds it already, in a body further up its stack. */
  record Reentrant(LockInfo holder) implements Outcome {
    LockAcquisitionException exception(String lockId) {
      return new LockAcquisitionException(
          lockId,
          "this thread holds it already, in an enclosing body; locks are not reentrant",
          holder);
    }
  }

  /** The store did not answer or rejected the request. */
  record Unavailable(Throwable cause, boolean retryable) implements Outcome {
    LockStoreUnavailableException exception(String lockId, String store) {
      return new LockStoreUnavailableException(
          lockId, message(lockId, store, cause, retryable), retryable, cause);
    }

    static String message(String lockId, String store, Throwable cause, boolean retryable) {
      String message = cause.getMessage();
      return (retryable ? "Lock store unavailable" : "Lock store rejected the request")
          + " ("
          + store
          + ")"
          + (lockId.isEmpty() ? "" : " for lock \"" + lockId + "\"")
          + ": "
          + (message == null || message.isBlank() ? cause.toString() : message);
    }
  }

  /**
   * Something that is no outage: a broken class path, no memory. The caller is thrown just that.
   */
  record Broken(Error error) implements Outcome {}

  /** The store did not answer or rejected the request; or it, or what it needs, is broken. */
  static Outcome noAnswer(Throwable cause, boolean retryable) {
    return cause instanceof Error error ? new Broken(error) : new Unavailable(cause, retryable);
  }

  /** The manager was closed meanwhile. */
  record Closed() implements Outcome {}
}
