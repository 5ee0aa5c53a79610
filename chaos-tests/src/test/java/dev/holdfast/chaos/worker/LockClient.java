package dev.holdfast.chaos.worker;

import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.OnLeaseLost;
import java.time.Duration;
import java.util.Optional;

/** A way to acquire locks: the library itself, or one with a defect. */
interface LockClient {

  /** Nothing is known about the lock. */
  final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnavailableException(Throwable cause) {
      super(cause.toString(), cause);
    }

    /**
     * Returns the reason, if it is one that checkers read. An error of an item of a bulk request
     * has no type of its own in the library's exceptions, only in their text.
     */
    Optional<String> reason() {
      String text = toString();
      return text.contains("rejected_execution")
          ? Optional.of(ChaosVocabulary.REJECTED)
          : text.contains("cluster_block_exception")
              ? Optional.of(ChaosVocabulary.BLOCKED)
              : Optional.empty();
    }
  }

  /**
   * Acquires a lock.
   *
   * @param renewed whether it is kept by itself until it is released
   * @return empty if another holds it
   */
  Optional<HeldLock> acquire(String lock, Duration wait, boolean renewed)
      throws UnavailableException, InterruptedException;

  /** The way of lock-core. */
  record OfManager(LockManager manager, Duration ttl, boolean lingering, WorkerClock clock)
      implements LockClient {
    /** What the names of the locks begin with that are there to linger. */
    static final String LINGERING = "l";

    /** One lock in so many stays with the manager after its release. */
    private static final int LINGERING_LOCKS = 4;

    /** Short, so that others get the lock often. */
    private static final int LINGERS_PER_TTL = 8;

    /** Returns how long one lingers. */
    static Duration linger(Duration ttl) {
      return ttl.dividedBy(LINGERS_PER_TTL);
    }

    private boolean lingers(String lock) {
      return lingering
          && (lock.startsWith(LINGERING) || Math.floorMod(lock.hashCode(), LINGERING_LOCKS) == 0);
    }

    @Override
    public Optional<HeldLock> acquire(String lock, Duration wait, boolean renewed)
        throws UnavailableException, InterruptedException {
      LockOptions options =
          LockOptions.defaults()
              .withTtl(ttl)
              .withWaitTimeout(wait)
              .withAutoRenew(renewed)
              .withLinger(lingers(lock) ? linger(ttl) : Duration.ZERO)
              .withOnLeaseLost(OnLeaseLost.NOTIFY);
      try {
        return Optional.of(new HeldLock.OfLease(manager.acquire(lock, options), clock));
      } catch (LockAcquisitionException e) {
        return Optional.empty();
      } catch (LockException e) {
        throw new UnavailableException(e);
      }
    }
  }
}
