package dev.holdfast.lock;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The lock is held by another caller, in this process or in another, and was so until the wait for
 * it ended. Also thrown while {@link LockOptions#withHoldAtLeast} of the last holder keeps the lock
 * unavailable, and at once if the calling thread holds the lock in an enclosing body.
 */
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

  /** Returns the holder when the lock was last read; empty if it could not be read. */
  public Optional<LockInfo> holder() {
    return Optional.ofNullable(holder);
  }
}
