package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.Lease;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Assertions that a method runs under the lock that it needs. Thread-safe. */
public final class LockAssert {
  /** What the calling thread holds by {@link Locked}, the innermost first. */
  private static final ThreadLocal<@Nullable HeldLock> HELD = new ThreadLocal<>();

  private record HeldLock(String lockId, Lease lease, @Nullable HeldLock outer) {}

  private LockAssert() {}

  /**
   * Asserts that the calling thread runs a method that is {@link Locked} with that lock id, and
   * that its lease is still valid. Without I/O. To find calls that bypass the proxy of a bean, such
   * as a call on {@code this}. Only the thread that the method was called on is known to hold the
   * lock, not those that it starts.
   *
   * @return the lease, such as for its fencing token
   * @throws IllegalStateException if this thread does not hold the lock by {@link Locked}, or its
   *     lease is not valid any more
   */
  public static Lease assertLocked(String lockId) {
    Objects.requireNonNull(lockId, "lockId");
    for (HeldLock held = HELD.get(); held != null; held = held.outer()) {
      if (held.lockId().equals(lockId)) {
        if (!held.lease().isHeld()) {
          throw new IllegalStateException("the lease of lock \"" + lockId + "\" is not valid");
        }
        return held.lease();
      }
    }
    throw new IllegalStateException(
        "lock \""
            + lockId
            + "\" is not held by this thread: was the @Locked method called on this, or by a thread"
            + " that it started?");
  }

  /** Runs a body as one under that lease. */
  static @Nullable Object holding(Lease lease, Body body) throws Exception {
    HeldLock outer = HELD.get();
    HELD.set(new HeldLock(lease.lockId(), lease, outer));
    try {
      return body.run();
    } finally {
      if (outer == null) {
        HELD.remove();
      } else {
        HELD.set(outer);
      }
    }
  }

  /** The rest of an intercepted call. */
  @FunctionalInterface
  interface Body {
    @Nullable Object run() throws Exception;
  }
}
