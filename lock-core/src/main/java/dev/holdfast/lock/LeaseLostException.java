package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * The lease ended before the work that it protects: exclusion is no longer given, and what was done
 * since may have run beside another holder.
 */
public final class LeaseLostException extends LockException {
  private static final long serialVersionUID = 1L;

  LeaseLostException(String lockId, String reason, @Nullable Throwable cause) {
    super(lockId, "Lease of lock \"" + lockId + "\" lost: " + reason, cause);
  }

  private LeaseLostException(LeaseLostException loss, @Nullable Throwable bodyFailure) {
    super(loss.lockId(), loss.message(), bodyFailure);
    addSuppressed(loss);
  }

  /** The same loss, thrown to the caller of a body that may have failed itself. */
  LeaseLostException around(@Nullable Throwable bodyFailure) {
    return new LeaseLostException(this, bodyFailure);
  }

  private String message() {
    String message = getMessage();
    return message == null ? "" : message;
  }
}
