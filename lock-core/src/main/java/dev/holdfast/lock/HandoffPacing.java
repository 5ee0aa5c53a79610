package dev.holdfast.lock;

/**
 * Decides how far ahead of the last fencing token a lock has to be renewed, by how many handoffs
 * came while the last renewal was out: a handoff that finds no number left waits for a renewal.
 *
 * <p>Not thread-safe: used within one lock's queue.
 */
final class HandoffPacing {
  /** Few beside the 1,024 numbers that a renewal brings, and enough to learn from. */
  static final int MIN_IN_A_RENEWAL = 16;

  private int inARenewal = MIN_IN_A_RENEWAL;

  /** So many handoffs came while a renewal was out. */
  void renewed(int handoffsMeanwhile) {
    inARenewal = Math.max(MIN_IN_A_RENEWAL, handoffsMeanwhile + handoffsMeanwhile / 2);
  }

  /**
   * How many handoffs to expect while a renewal is out. Half as many again as came in the last one:
   * the next may take longer, and in the last there may have been more but for want of numbers.
   */
  int handoffsInARenewal() {
    return inARenewal;
  }
}
