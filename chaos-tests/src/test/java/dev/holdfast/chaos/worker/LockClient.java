package dev.holdfast.chaos.worker;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.OnLeaseLost;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

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

    /**
     * One lock in so many stays with the manager after its release, and one other is held by
     * asynchronous bodies.
     */
    private static final int KINDS = 4;

    /** Short, so that others get the lock often. */
    private static final int LINGERS_PER_TTL = 8;

    /** Returns how long one lingers. */
    static Duration linger(Duration ttl) {
      return ttl.dividedBy(LINGERS_PER_TTL);
    }

    private boolean lingers(String lock) {
      return lingering
          && (lock.startsWith(LINGERING) || Math.floorMod(lock.hashCode(), KINDS) == 0);
    }

    private static boolean isAsynchronous(String lock) {
      return Math.floorMod(lock.hashCode(), KINDS) == 1;
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
        return Optional.of(
            isAsynchronous(lock)
                ? asynchronous(lock, options)
                : new HeldLock.OfLease(manager.acquire(lock, options), clock));
      } catch (LockAcquisitionException e) {
        return Optional.empty();
      } catch (LockException e) {
        throw new UnavailableException(e);
      }
    }

    private HeldLock asynchronous(String lock, LockOptions options) throws InterruptedException {
      CompletableFuture<Lease> granted = new CompletableFuture<>();
      CompletableFuture<Void> body = new CompletableFuture<>();
      var unused =
          manager
              .withLeaseAsync(
                  lock,
                  options,
                  lease -> {
                    granted.complete(lease);
                    return body;
                  })
              .whenComplete(
                  (result, failure) -> {
                    if (failure != null) {
                      granted.completeExceptionally(failure); // unless it was granted and then lost
                    }
                  });
      try {
        return new HeldLock.OfBody(new HeldLock.OfLease(granted.get(), clock), body);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof LockException refused) {
          throw refused;
        }
        throw new IllegalStateException(e);
      }
    }
  }
}
