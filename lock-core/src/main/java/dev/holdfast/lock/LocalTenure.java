package dev.holdfast.lock;

import java.time.Duration;

/**
 * Fairness between processes: for how long one process may keep a lock among its own callers, by
 * handoff or by acquiring it again at once. After that it leaves the lock alone for a {@link
 * #pause}, which is longer than the longest pause between two polls of another process with the
 * same settings. Without it, another process would find the lock held at every poll.
 *
 * <p>A process that knows of no other contender may keep the lock for {@link #MAX_LOCAL_TENURE}.
 * One that has found it held by another may keep it for as long as the pause, so that two processes
 * that both want it all the time share it equally; each pause that nobody used doubles that again.
 * A tenure includes at least two grants, however long they take.
 *
 * <p>Not thread-safe: used within one lock's queue.
 */
final class LocalTenure {
  /** Long beside a handoff, so that handoffs cost next to nothing while nobody else contends. */
  static final Duration MAX_LOCAL_TENURE = Duration.ofSeconds(2);

  /** The least pause. Above the default longest poll and its jitter, with time for a request. */
  static final Duration MIN_PAUSE = Duration.ofMillis(150);

  /** By how much the pause is longer than the longest poll: its jitter, and a request. */
  private static final double PAUSE_PER_POLL = 1.44;

  private final Duration pause;
  private final long longestNanos;
  private long limitNanos;
  private long sinceNanos;

  /** How many grants the tenure has had; 0 while there is none. */
  private int grants;

  /**
   * A tenure.
   *
   * @param maxPollInterval the longest pause between two polls of this process, and probably of
   *     others
   */
  LocalTenure(Duration maxPollInterval) {
    Duration needed = Duration.ofMillis((long) (maxPollInterval.toMillis() * PAUSE_PER_POLL));
    this.pause = needed.compareTo(MIN_PAUSE) > 0 ? needed : MIN_PAUSE;
    this.longestNanos = Math.max(MAX_LOCAL_TENURE.toNanos(), pause.toNanos());
    this.limitNanos = longestNanos;
  }

  /** For how long a process leaves the lock alone after its tenure. */
  Duration pause() {
    return pause;
  }

  /** The lock was granted to a caller of this process. */
  void granted(long nowNanos) {
    if (grants++ == 0) {
      sinceNanos = nowNanos;
    }
  }

  /** An attempt found the lock held by another process. */
  void foundContended() {
    limitNanos = pause.toNanos();
  }

  /** The lock is not held here, and nobody here is about to acquire it again at once. */
  void end() {
    grants = 0;
  }

  /** A fairness pause begins. If another process uses it, the next attempt finds it contended. */
  void pausing() {
    limitNanos = Math.min(2 * limitNanos, longestNanos);
  }

  /** Returns whether other processes must be given a chance before the next grant. */
  boolean isOver(long nowNanos) {
    return grants > 1 && nowNanos - sinceNanos >= limitNanos;
  }
}
