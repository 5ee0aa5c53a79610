package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * Observes the blocking calls of a {@link LockManager} on the threads that make them, for tracing:
 * {@code withLock}, {@code tryWithLock}, {@code withLease}, {@code runWithLease}, {@code
 * tryRunWithLease}, {@code acquire} and {@code tryAcquire}. Calls that return a future, locks by
 * {@link LockManager#asLock}, permits and {@linkplain LeaderElection elections} are not observed; a
 * {@link LockListener} is notified of all.
 *
 * <p>It must not block: the calls wait for it, and a lease may be held meanwhile. What it throws is
 * logged and changes nothing.
 */
@FunctionalInterface
public interface CallObserver {
  /**
   * A call begins, with a lock id and options that are valid.
   *
   * @return what is notified of the rest of this call, on the same thread
   */
  Call started(String lockId, LockOptions options);

  /** One call that is observed. */
  @FunctionalInterface
  interface Call {
    /** The lock was acquired. The body follows, if there is one. */
    default void acquired(FencingToken fencingToken) {}

    /**
     * The call ends. Called once. If there was a body, it has ended, and the lock was released.
     *
     * @param failure what the call throws; null if it returns
     */
    void ended(@Nullable Throwable failure);
  }
}
