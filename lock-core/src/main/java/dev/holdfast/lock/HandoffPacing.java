package dev.holdfast.lock;

import java.time.Duration;

/**
 * How fast a lock goes from hand to hand in this process, and so when it has to be renewed before
 * the numbers of handoffs run out, and whether a thread that waits for it gives way ({@link
 * Thread#yield}) before it sleeps. Where handoffs follow each other at once, to wake a thread, on
 * another processor above all, costs more than all the rest: 60,000 handoffs a second became
 * 170,000, and each took less CPU.
 *
 * <p>Wait in two phases, the first as long as the second costs (Karlin, Li, Manasse and Owicki,
 * "Empirical Studies of Competitive Spinning for a Shared-Memory Multiprocessor", SOSP 1991); here
 * for as long as the handoffs so far let expect, and not at all for a lock that is held for long.
 *
 * <p>The queue's serial writes; any thread may ask for {@link #patienceNanos}.
 */
final class HandoffPacing {
  /** The longest time between two handoffs, on average, at which a thread gives way. */
  static final long BRISK_NANOS = 50_000;

  /** How many threads give way for one lock: with more, they take more CPU than sleeping does. */
  static final int MAX_GIVING_WAY = 32;

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

  /** How long to give way to so many who came before, as an estimate; 0 if not at all. */
  long patienceNanos(int ahead) {
    long average = averageNanos;
    return average > BRISK_NANOS || ahead >= MAX_GIVING_WAY
        ? 0
        : BRISK_NANOS + 2L * ahead * average;
  }
}
