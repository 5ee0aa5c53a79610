package dev.holdfast.lock;

import java.time.Duration;

/**
 * Decides how far ahead of the last fencing token a lock has to be renewed, and for how long a
 * thread that waits for it yields ({@link Thread#yield}) before it parks, by how fast handoffs
 * follow one another in this process. Where they follow at once, waking a parked thread costs more
 * than all the rest; docs/adr/0007 has measurements.
 *
 * <p>It waits in two phases, the first as long as the second costs (Karlin, Li, Manasse and Owicki,
 * "Empirical Studies of Competitive Spinning for a Shared-Memory Multiprocessor", SOSP 1991); here
 * for as long as the handoffs so far let expect, and not at all for a lock that is held for long.
 *
 * <p>The queue's serial executor writes; any thread may ask for {@link #patienceNanos}.
 */
final class HandoffPacing {
  /** The longest time between two handoffs, on average, at which a thread yields. */
  static final long BRISK_NANOS = 50_000;

  /** How many threads yield for one lock: with more, they take more CPU than sleeping does. */
  static final int MAX_YIELDING = 32;

  /** One pause, however long, counts for so much, so that the average recovers from it soon. */
  private static final long MAX_NANOS = 8 * BRISK_NANOS;

  /** Few beside the 256 numbers that a renewal brings, and enough to learn from. */
  static final int MIN_IN_A_RENEWAL = 16;

  /** The weight of the newest in the moving average is the inverse of this. */
  private static final int SMOOTHING = 8;

  private volatile long averageNanos = MAX_NANOS;
  private int inARenewal = MIN_IN_A_RENEWAL;

  /** In the queue's serial: the lock was handed off after it had been held for so long. */
  void handedOff(Duration held) {
    long nanos = Math.min(held.toNanos(), MAX_NANOS);
    long average = averageNanos;
    averageNanos = average + (nanos - average) / SMOOTHING;
  }

  /** In the queue's serial: so many handoffs came while a renewal was out. */
  void renewed(int handoffsMeanwhile) {
    inARenewal = Math.max(MIN_IN_A_RENEWAL, handoffsMeanwhile + handoffsMeanwhile / 2);
  }

  /**
   * In the queue's serial: how many handoffs to expect while a renewal is out. Half as many again
   * as came in the last one: the next may take longer, and in the last there may have been more but
   * for want of numbers.
   */
  int handoffsInARenewal() {
    return inARenewal;
  }

  /** Estimates how long to yield to so many earlier callers; 0 if not at all. */
  long patienceNanos(int ahead) {
    long average = averageNanos;
    return average > BRISK_NANOS || ahead >= MAX_YIELDING ? 0 : BRISK_NANOS + 2L * ahead * average;
  }
}
