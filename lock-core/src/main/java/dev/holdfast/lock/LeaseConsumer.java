package dev.holdfast.lock;

/**
 * A body that runs while a lock is held, and is given the lease.
 *
 * @param <E> what the body may throw besides {@link InterruptedException}
 */
@FunctionalInterface
public interface LeaseConsumer<E extends Exception> {
  /**
   * Runs the body, on the thread that called the lock manager, or on that of a {@link
   * LeaderElection}.
   */
  void accept(Lease lease) throws E, InterruptedException;
}
