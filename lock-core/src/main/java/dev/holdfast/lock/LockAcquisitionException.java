package dev.holdfast.lock;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The lock is held by another, and was so until the wait for it ended. */
public final class LockAcquisitionException extends LockException {
  private static final long serialVersionUID = 1L;

  private final @Nullable LockInfo holder;

  LockAcquisitionException(String lockId, String reason, @Nullable LockInfo holder) {
    super(lockId, "Lock \"" + lockId + "\" not acquired: " + reason, null);
    this.holder = holder;
  }

  private LockAcquisitionException(LockAcquisitionException original, @Nullable Throwable cause) {
    super(original.lockId(), original.message(), cause);
    this.holder = original.holder;
  }

  @Override
  LockAcquisitionException withCause(@Nullable Throwable other) {
    return new LockAcquisitionException(this, other);
  }

  /** Who held the lock when it was last looked at; empty if that could not be seen. */
  public Optional<LockInfo> holder() {
    return Optional.ofNullable(holder);
  }
}
