package dev.holdfast.lock;

/**
 * A body that runs while a lock is held.
 *
 * @param <E> what the body may throw besides {@link InterruptedException}
 */
@FunctionalInterface
public interface LockedRunnable<E extends Exception> {
  /** Runs the body, on the thread that called the lock manager. */
  void run() throws E, InterruptedException;
}
