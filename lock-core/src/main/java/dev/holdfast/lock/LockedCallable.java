package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * A body that runs while a lock is held, and returns a result.
 *
 * @param <T> the result
 * @param <E> what the body may throw besides {@link InterruptedException}
 */
@FunctionalInterface
public interface LockedCallable<T extends @Nullable Object, E extends Exception> {
  /** Runs the body, on the thread that called the lock manager. */
  T call() throws E, InterruptedException;
}
