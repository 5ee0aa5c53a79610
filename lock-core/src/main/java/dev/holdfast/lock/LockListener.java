package dev.holdfast.lock;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A listener that is notified of what happens to locks, for metrics and audits. Called in order,
 * one event at a time, on the callback executor; what it throws is logged and changes nothing. A
 * listener that falls more than {@value EventDispatch#MAX_QUEUED} events behind misses events, and
 * the log says so.
 *
 * <p>It is notified of every call of the engine: {@link LockManager#asLock} waits by one call after
 * another, and a call for a permit may try several locks.
 */
public interface LockListener {
  /**
   * A manager was built with this listener. Called once for each manager, before its first event,
   * on the thread that builds it.
   *
   * @param stats what the manager tracks at the time of each call; without I/O, also after it is
   *     closed. It lives as long as the manager and refers to it, so that whatever outlives the
   *     manager should refer to it weakly.
   */
  default void attached(Supplier<LockManagerStats> stats) {}

  /**
   * A lock was acquired.
   *
   * @param waited from the call to the grant
   */
  default void acquired(String lockId, FencingToken fencingToken, Duration waited) {}

  /**
   * A lock was acquired whose last holder had let its lease expire. Called in addition to {@link
   * #acquired}.
   */
  default void takenOver(String lockId, LockInfo previous) {}

  /**
   * A lock was not acquired because another holds it.
   *
   * @param holder empty if it was not read
   * @param waited from the call to its end
   */
  default void contended(String lockId, Optional<LockInfo> holder, Duration waited) {}

  /**
   * A lock was not acquired because the store did not answer or rejected the request.
   *
   * @param waited from the call to its end
   */
  default void unavailable(String lockId, Throwable cause, Duration waited) {}

  /** An acquisition found the lock held and begins to wait; called once for each acquisition. */
  default void waiting(String lockId, Optional<LockInfo> holder) {}

  /**
   * A lease was renewed.
   *
   * @param took from the sending of the write to its acknowledgement
   */
  default void renewed(String lockId, Duration took) {}

  /**
   * A renewal did not succeed; it is tried again until the lease ends.
   *
   * @param took from the sending of its last write to its failure
   * @param remaining how long the lease is still valid
   */
  default void renewalFailed(String lockId, Throwable cause, Duration took, Duration remaining) {}

  /**
   * A lease was lost. Its release is no further event.
   *
   * @param held from the grant to the moment at which the loss was noticed
   */
  default void lost(String lockId, LeaseLostException loss, Duration held) {}

  /**
   * A lease was released, or handed off, or the lock lingers without a holder. The end of lingering
   * is no event.
   *
   * @param held from the grant to the release
   */
  default void released(String lockId, ReleaseResult result, Duration held) {}
}
