package dev.holdfast.chaos.threads;

import org.jspecify.annotations.Nullable;

/**
 * The interrupts that a test sends to one thread, so that others can be told from them.
 * Thread-safe.
 */
final class Interrupts {
  // Guarded by this.
  private @Nullable Thread target = Thread.currentThread();
  private boolean sent;

  /** Interrupts the thread, unless it has ended. */
  synchronized boolean send() {
    if (target == null) {
      return false;
    }
    sent = true;
    target.interrupt();
    return true;
  }

  /**
   * On the thread itself, between two calls: clears its interrupt flag.
   *
   * @param taken whether the last call ended because of an interrupt
   * @return whether there was an interrupt that this test has not sent
   */
  synchronized boolean settle(boolean taken) {
    boolean stray = (Thread.interrupted() || taken) && !sent;
    sent = false;
    return stray;
  }

  /** The thread does something else from now on. */
  synchronized void end() {
    target = null;
    boolean unused = Thread.interrupted();
  }
}
