package dev.holdfast.lock;

import org.jspecify.annotations.Nullable;

/**
 * A body that runs while a lock is held, is given the lease, and returns a result.
 *
 * @param <T> the result
 * @param <E> what the body may throw besides {@link InterruptedException}
 */
@FunctionalInterface
public interface LeaseFunction<T extends @Nullable Object, E extends Exception> {
  /** Runs the body, on the thread that called the lock manager. */
  T apply(Lease lease) throws E, InterruptedException;
}
