package dev.holdfast.lock;

import java.time.Duration;
import java.util.Optional;

/**
 * Is told what happens to locks, for metrics and audits. Called in order, one event at a time, on
 * the callback executor; what it throws is logged and changes nothing. A listener that falls more
 * than {@value EventDispatch#MAX_QUEUED} events behind misses events, and the log says so.
 */
public interface LockListener {
  /**
   * A lock was acquired.
   *
   * @param waited from the call to the grant
   */
  default void acquired(String lockId, FencingToken fencingToken, Duration waited) {}

  /**
   * A lock was acquired by ending the lease of a holder that had let it expire. Told beside {@link
   * #acquired}.
   */
  default void takenOver(String lockId, LockInfo previous) {}

  /** A lock was not acquired because another holds it. */
  default void contended(String lockId, Optional<LockInfo> holder, Duration waited) {}

  /** A lock was not acquired because the store did not answer or rejected the request. */
  default void unavailable(String lockId, Throwable cause, Duration waited) {}

  /** An acquisition found the lock held and begins to wait; told once for each. */
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
   * @param remaining how long the lease is still valid
   */
  default void renewalFailed(String lockId, Throwable cause, Duration remaining) {}

  /** A lease was lost. */
  default void lost(String lockId, LeaseLostException loss) {}

  /**
   * A lease was released.
   *
   * @param held from the grant to the release
   */
  default void released(String lockId, ReleaseResult result, Duration held) {}
}
