package dev.holdfast.lock.shedlock;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.internal.Texts;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import net.javacrumbs.shedlock.core.AbstractSimpleLock;
import net.javacrumbs.shedlock.core.ExtensibleLockProvider;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.support.LockException;

/**
 * Provides ShedLock's locks as leases of a {@link LockManager}. A lock's name is its lock id.
 * Thread-safe.
 *
 * <ul>
 *   <li>{@code lockAtMostFor} is {@link LockOptions#withMaxHold}, 1 ms to 365 days: the lock is
 *       released then, also if the task still runs, which is not notified. ShedLock does the same.
 *   <li>{@code lockAtLeastFor} is {@link LockOptions#withHoldAtLeast}, up to 24 h.
 *   <li>The lease is renewed in the background. After a crash the lock is free when its TTL has
 *       passed, which is {@link LockOptions#ttl} or, if that is shorter, {@code lockAtMostFor} (but
 *       at least {@link #SHORTEST_TTL}).
 *   <li>{@link SimpleLock#extend} counts from now, and takes no request. It is empty if the lock is
 *       not held any more; then it is still to be unlocked.
 *   <li>{@link SimpleLock#unlock} changes nothing if the lock is another's by now.
 * </ul>
 *
 * <p><b>Errors.</b> {@link #lock} is empty only if another holds the lock. It throws {@link
 * dev.holdfast.lock.LockStoreUnavailableException} if the store did not answer, {@link
 * dev.holdfast.lock.LockManagerClosedException} if the manager is closed, {@link
 * IllegalArgumentException} if the name or a duration is out of range, and {@link LockException} if
 * the thread is interrupted, whose interrupt flag is set then. {@link SimpleLock#unlock} throws
 * {@link LockException} if the lease was lost before {@code lockAtMostFor} had passed: others may
 * have run the task at the same time; and if the store did not confirm the release before {@code
 * lockAtLeastFor} had passed: the lock may be free when the TTL has.
 */
public final class HoldfastLockProvider implements ExtensibleLockProvider {
  /** The shortest TTL that a short {@code lockAtMostFor} leads to: 5 s. */
  public static final Duration SHORTEST_TTL = Duration.ofSeconds(5);

  /** Which part of {@code lockAtMostFor} a wait may take. */
  private static final int WAIT_DIVISOR = 4;

  private final LockManager locks;
  private final LockOptions options;

  /** A provider with a TTL of 30 s. The manager stays the caller's to close. */
  public HoldfastLockProvider(LockManager locks) {
    this(locks, LockOptions.defaults());
  }

  /**
   * A provider. The manager stays the caller's to close.
   *
   * @param options of which the TTL, the wait timeout and the metadata matter. With a wait timeout,
   *     a task waits for its turn instead of being skipped, but not longer than a quarter of its
   *     {@code lockAtMostFor}: ShedLock counts that from before the wait, and its keep-alive gives
   *     up in silence after half of it
   */
  public HoldfastLockProvider(LockManager locks, LockOptions options) {
    this.locks = Objects.requireNonNull(locks, "locks");
    this.options =
        Objects.requireNonNull(options, "options").withLinger(Duration.ZERO).withAutoRenew(true);
  }

  @Override
  public Optional<SimpleLock> lock(LockConfiguration configuration) {
    String name = configuration.getName();
    LockOptions limited = limited(configuration);
    try {
      return locks
          .tryAcquire(name, limited)
          .map(lease -> LeasedSimpleLock.granted(lease, configuration));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LockException("interrupted while " + shown(name) + " was acquired", e);
    } catch (IllegalArgumentException e) {
      // Such as a TTL that is too short for the manager: the caller knows of lockAtMostFor only.
      throw new IllegalArgumentException(
          shown(name)
              + " cannot be acquired with lockAtMostFor "
              + configuration.getLockAtMostFor()
              + ", and so a TTL of "
              + limited.ttl()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private LockOptions limited(LockConfiguration configuration) {
    Duration atMost = configuration.getLockAtMostFor();
    checkLimits(configuration);
    Duration ttl = atMost.compareTo(SHORTEST_TTL) < 0 ? SHORTEST_TTL : wholeMillis(atMost);
    LockOptions limited =
        options
            .withHoldAtLeast(configuration.getLockAtLeastFor())
            .withMaxHold(atMost)
            .withWaitTimeout(shorter(options.waitTimeout(), atMost.dividedBy(WAIT_DIVISOR)));
    return ttl.compareTo(options.ttl()) < 0 ? limited.withTtl(ttl) : limited;
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /** By ShedLock's names, which are what the caller has given. */
  private static void checkLimits(LockConfiguration configuration) {
    Duration atMost = configuration.getLockAtMostFor();
    if (atMost.compareTo(Duration.ofMillis(1)) < 0 || atMost.compareTo(LockOptions.MAX_WAIT) > 0) {
      throw new IllegalArgumentException(
          "lockAtMostFor of "
              + shown(configuration.getName())
              + " must be from 1 ms to 365 days, but is "
              + atMost);
    }
    Duration atLeast = configuration.getLockAtLeastFor();
    if (atLeast.isNegative() || atLeast.compareTo(LockOptions.MAX_HOLD_AT_LEAST) > 0) {
      throw new IllegalArgumentException(
          "lockAtLeastFor of "
              + shown(configuration.getName())
              + " must be from 0 to 24 h, but is "
              + atLeast);
    }
  }

  private static Duration wholeMillis(Duration duration) {
    Duration whole = Duration.ofMillis(duration.toMillis());
    return whole.equals(duration) ? whole : whole.plusMillis(1);
  }

  private static String shown(String name) {
    return Texts.printable("lock \"" + name + "\"");
  }

  @Override
  public String toString() {
    return "HoldfastLockProvider[" + options + "]";
  }

  /** A lease, until it is unlocked or extended. As all of ShedLock's locks, not thread-safe. */
  private static final class LeasedSimpleLock extends AbstractSimpleLock {
    /** Thrown past the super class, which otherwise takes a lock for extended and so for over. */
    private static final class NotHeldException extends RuntimeException {
      private static final long serialVersionUID = 1L;

      private NotHeldException() {
        super("not held", null, false, false);
      }
    }

    private final Lease lease;
    private final long sinceNanos = System.nanoTime();

    private LeasedSimpleLock(Lease lease, LockConfiguration configuration) {
      super(configuration);
      this.lease = lease;
    }

    static SimpleLock granted(Lease lease, LockConfiguration configuration) {
      lease.onLost(
          loss -> {
            if (loss.reason() == Reason.MAX_HOLD) {
              // Others are to get the lock now, whatever the task does.
              var unused = lease.releaseAsync();
            }
          });
      return new LeasedSimpleLock(lease, configuration);
    }

    @Override
    protected void doUnlock() {
      ReleaseResult result = lease.release();
      try {
        // Released already: it only throws if the lease was lost.
        lease.close();
      } catch (LeaseLostException loss) {
        if (loss.reason() != Reason.MAX_HOLD) {
          throw new LockException(
              "a lock was lost before lockAtMostFor had passed: " + loss.getMessage(), loss);
        }
      }
      Duration atLeast = lockConfiguration.getLockAtLeastFor();
      if (result == ReleaseResult.UNCONFIRMED
          && Duration.ofNanos(System.nanoTime() - sinceNanos).compareTo(atLeast) < 0) {
        throw new LockException(
            "the store did not confirm that "
                + shown(lockConfiguration.getName())
                + " stays unavailable for lockAtLeastFor ("
                + atLeast
                + "): it may be free when its TTL of "
                + lease.ttl()
                + " has passed");
      }
    }

    /** If it is empty, this lock is still to be unlocked, which tells why. */
    @Override
    public Optional<SimpleLock> extend(Duration lockAtMostFor, Duration lockAtLeastFor) {
      try {
        return super.extend(lockAtMostFor, lockAtLeastFor);
      } catch (NotHeldException e) {
        return Optional.empty();
      }
    }

    /** Never throws for trouble with the store: ShedLock's keep-alive would end in silence. */
    @Override
    protected Optional<SimpleLock> doExtend(LockConfiguration extended) {
      checkLimits(extended);
      if (!lease.limitHold(extended.getLockAtLeastFor(), extended.getLockAtMostFor())) {
        throw new NotHeldException();
      }
      return Optional.of(new LeasedSimpleLock(lease, extended));
    }
  }
}
