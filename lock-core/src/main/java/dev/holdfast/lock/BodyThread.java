package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * A thread while it runs bodies, one inside another, perhaps of several managers: interrupts it for
 * those that lose their leases. There is one interrupt flag for all of them and for everybody else,
 * so an interrupt of ours is taken back when its body ends, and made again if it was due to an
 * enclosing body too, or had been there before ours. One that comes from elsewhere while ours is
 * still set cannot be told from it.
 */
final class BodyThread {
  /** Set only while the thread runs bodies. */
  private static final ThreadLocal<BodyThread> CURRENT = new ThreadLocal<>();

  private final Thread thread = Thread.currentThread();

  /** How many bodies run on it. */
  private int depth;

  // Guarded by this.

  /** How many of them were interrupted. */
  private int interrupted;

  /** How many of those bodies had taken their interrupt when the innermost one began. */
  private int taken;

  /** Whether somebody else had interrupted it before we did. */
  private boolean foreign;

  /** The calling thread begins a body. */
  static BodyThread enter() {
    BodyThread current = CURRENT.get();
    if (current == null) {
      current = new BodyThread();
      CURRENT.set(current);
    }
    current.depth++;
    return current;
  }

  /**
   * The calling thread begins a body, after {@link #enter}.
   *
   * @return to be given to {@link #exit}
   */
  synchronized int begin() {
    int takenBefore = taken;
    if (!thread.isInterrupted()) {
      taken = interrupted;
    }
    return takenBefore;
  }

  boolean is(Thread other) {
    return thread == other;
  }

  /** Interrupts the thread for one of its bodies. On any thread. */
  synchronized void interrupt() {
    if (interrupted == 0 && thread.isInterrupted()) {
      foreign = true;
    }
    interrupted++;
    thread.interrupt();
  }

  /**
   * The calling thread ends the innermost body.
   *
   * @param wasInterrupted whether it was interrupted by us
   * @param takenBefore what {@link #begin} returned
   * @param failure what it threw; an {@link InterruptedException} has taken our interrupt, so a
   *     flag that is set all the same is somebody else's
   */
  synchronized void exit(boolean wasInterrupted, int takenBefore, @Nullable Throwable failure) {
    if (--depth == 0) {
      CURRENT.remove();
    }
    boolean again = false;
    if (wasInterrupted) {
      interrupted--;
      again = Thread.interrupted() && failure instanceof InterruptedException;
    }
    // This body may have taken the interrupt of an outer one; not one that came before it began.
    if (interrupted > taken || (wasInterrupted && (foreign || again))) {
      thread.interrupt();
    }
    taken = takenBefore;
    foreign = interrupted > 0 && (foreign || again);
  }
}
