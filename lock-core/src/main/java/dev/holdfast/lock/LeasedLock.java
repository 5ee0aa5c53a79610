package dev.holdfast.lock;

import dev.holdfast.lock.LocalLocks.LocalLock;
import dev.holdfast.lock.internal.Texts;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/**
 * A lock as {@code java.util.concurrent} has it; the contract is that of {@link
 * LockManager#asLock}. A thread that holds the local lock of the id acquires a lease, and keeps
 * both until it unlocks.
 */
final class LeasedLock implements Lock {
  /**
   * The least time without an answer of the store after which a wait without a limit ends: as long
   * as the longest request may take.
   */
  static final Duration MIN_PATIENCE = Engine.DEFAULT_REQUEST_TIMEOUT;

  /**
   * The shortest wait for another holder. In less time, a store that works may have no answer yet,
   * which would count as an outage.
   */
  static final Duration MIN_WAIT = Duration.ofMillis(100);

  private final LockManager locks;
  private final LocalLocks localLocks;
  private final String lockId;
  private final LockOptions oneAttempt;

  /** One round of a wait without a limit. */
  private final LockOptions oneRound;

  LeasedLock(LockManager locks, LocalLocks localLocks, String lockId, LockOptions options) {
    this.locks = locks;
    this.localLocks = localLocks;
    this.lockId = lockId;
    this.oneAttempt = options.withWaitTimeout(Duration.ZERO);
    this.oneRound =
        options.waitTimeout().compareTo(MIN_PATIENCE) < 0
            ? options.withWaitTimeout(MIN_PATIENCE)
            : options;
  }

  /** A way to a lease; null if another holds the lock. */
  private interface Acquiring<E extends Exception> {
    @Nullable LeaseHandle lease() throws E;
  }

  /** A way to the local lock; false if it is held. */
  private interface Entering<E extends Exception> {
    boolean enter(LocalLock local) throws E;
  }

  @Override
  public void lock() {
    boolean unused =
        hold(
            local -> {
              local.mutex.lock();
              return true;
            },
            this::leaseUninterruptibly);
  }

  @Override
  public void lockInterruptibly() throws InterruptedException {
    boolean unused =
        hold(
            local -> {
              local.mutex.lockInterruptibly();
              return true;
            },
            () -> untilGranted(() -> locks.tryLease(lockId, oneRound)));
  }

  @Override
  public boolean tryLock() {
    return hold(
        local -> local.mutex.tryLock(), () -> locks.tryLeaseUninterruptibly(lockId, oneAttempt));
  }

  @Override
  public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
    long limit = Math.max(0, unit.toNanos(time));
    long begin = locks.engine.clocks.ticker().nanos();
    return hold(
        local -> local.mutex.tryLock(limit, TimeUnit.NANOSECONDS),
        () -> {
          long left = limit - (locks.engine.clocks.ticker().nanos() - begin);
          return locks.tryLease(lockId, oneAttempt.withWaitTimeout(waitTimeout(left)));
        });
  }

  private static Duration waitTimeout(long nanos) {
    Duration left = Duration.ofNanos(nanos);
    if (left.compareTo(MIN_WAIT) < 0) {
      return Duration.ZERO;
    }
    return left.compareTo(LockOptions.MAX_WAIT) > 0 ? LockOptions.MAX_WAIT : left;
  }

  private <E extends Exception> boolean hold(Entering<E> entering, Acquiring<E> acquiring)
      throws E {
    LocalLock local = localLocks.enter(lockId);
    boolean held = false;
    try {
      held = entering.enter(local) && holdWithMutex(local, acquiring);
    } finally {
      if (!held) {
        localLocks.leave(lockId);
      }
    }
    return held;
  }

  /** Unless it returns true, the local lock is as it was before the call. */
  private <E extends Exception> boolean holdWithMutex(LocalLock local, Acquiring<E> acquiring)
      throws E {
    boolean held = false;
    try {
      LeaseHandle lease = local.lease;
      if (lease != null) {
        // A lock that is held only in this process protects nothing.
        checkNotLost(lease);
        held = true;
      } else {
        local.lease = acquiring.lease();
        held = local.lease != null;
      }
    } finally {
      if (!held) {
        local.mutex.unlock();
      }
    }
    return held;
  }

  private LeaseHandle leaseUninterruptibly() {
    return untilGranted(() -> locks.tryLeaseUninterruptibly(lockId, oneRound));
  }

  /**
   * Waits in rounds, since the engine ends a wait for a store that does not answer only with its
   * time. An outage that shows at the end of a round may have just begun if the lock was held at
   * the end of the round before; then there is one more round.
   */
  private <E extends Exception> LeaseHandle untilGranted(Acquiring<E> round) throws E {
    boolean answeredBefore = false;
    while (true) {
      try {
        LeaseHandle lease = round.lease();
        if (lease != null) {
          return lease;
        }
        answeredBefore = true;
      } catch (LockStoreUnavailableException e) {
        if (!answeredBefore || !e.isRetryable()) {
          throw e;
        }
        answeredBefore = false;
      }
    }
  }

  @Override
  public void unlock() {
    LocalLock local = localLocks.ofCurrentThread(lockId);
    LeaseHandle lease = local == null ? null : local.lease;
    if (local == null || lease == null) {
      throw new IllegalMonitorStateException(
          Texts.printable("lock \"" + lockId + "\" is not held by this thread"));
    }
    try {
      if (local.mutex.getHoldCount() > 1) {
        checkNotLost(lease);
      } else {
        local.lease = null;
        lease.close();
      }
    } finally {
      local.mutex.unlock();
      localLocks.leave(lockId);
    }
  }

  private static void checkNotLost(LeaseHandle lease) {
    LeaseLostException loss = lease.lossUntilNow();
    if (loss != null) {
      throw loss.around(null);
    }
  }

  @Override
  public Condition newCondition() {
    throw new UnsupportedOperationException("a lock that other processes hold has no conditions");
  }

  @Override
  public String toString() {
    return Texts.printable("Lock[" + lockId + "]");
  }
}
