package dev.holdfast.lock;

import java.time.Duration;

/**
 * Fairness between processes: for how long one process may keep a lock among its own callers, by
 * handoff or by acquiring it again at once. After that it leaves the lock alone for {@link
 * #FAIRNESS_PAUSE}, which is longer than the longest pause between two polls of another process.
 * Without it, another process would find the lock held at every poll.
 *
 * <p>A process that knows of no other contender may keep the lock for {@link #MAX_LOCAL_TENURE}.
 * One that has found it held by another may keep it for {@link #CONTENDED_TENURE}; each pause that
 * nobody used doubles that again. A tenure includes at least two grants, however long they take.
 *
 * <p>Not thread-safe: used within one lock's queue.
 */
final class LocalTenure {
  /** Long beside a handoff, so that handoffs cost next to nothing while nobody else contends. */
  static final Duration MAX_LOCAL_TENURE = Duration.ofSeconds(2);

  /** As long as the pause: two processes that both want the lock all the time share it equally. */
  static final Duration CONTENDED_TENURE = Duration.ofMillis(150);

  /** Above {@link LockQueue#MAX_POLL} and its jitter, with time for a request. */
  static final Duration FAIRNESS_PAUSE = Duration.ofMillis(150);

  private long limitNanos = MAX_LOCAL_TENURE.toNanos();
  private long sinceNanos;

  /** How many grants the tenure has had; 0 while there is none. */
  private int grants;

  /** The lock was granted to a caller of this process. */
  void granted(long nowNanos) {
    if (grants++ == 0) {
      sinceNanos = nowNanos;
    }
  }

  /** An attempt found the lock held by another process. */
  void foundContended() {
    limitNanos = CONTENDED_TENURE.toNanos();
  }

  /** The lock is not held here, and nobody here is about to acquire it again at once. */
  void end() {
    grants = 0;
  }

  /** A fairness pause begins. If another process uses it, the next attempt finds it contended. */
  void pausing() {
    limitNanos = Math.min(2 * limitNanos, MAX_LOCAL_TENURE.toNanos());
  }

  /** Returns whether other processes must be given a chance before the next grant. */
  boolean isOver(long nowNanos) {
    return grants > 1 && nowNanos - sinceNanos >= limitNanos;
  }
}
