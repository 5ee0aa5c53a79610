package dev.holdfast.lock.spring.integration;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.internal.Texts;
import java.time.Duration;
import java.util.ConcurrentModificationException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.springframework.integration.support.locks.DistributedLock;

/** A lock of a {@link HoldfastLockRegistry}, which has its contract. */
final class LeasedDistributedLock implements DistributedLock {
  private final LockManager locks;
  private final String lockId;
  private final LockOptions options;
  private final Lock lock;

  LeasedDistributedLock(LockManager locks, String lockId, LockOptions options) {
    this.locks = locks;
    this.lockId = lockId;
    this.options = options;
    this.lock = locks.asLock(lockId, options);
  }

  @Override
  public void lock() {
    lock.lock();
  }

  @Override
  public void lockInterruptibly() throws InterruptedException {
    lock.lockInterruptibly();
  }

  @Override
  public boolean tryLock() {
    return lock.tryLock();
  }

  @Override
  public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
    return lock.tryLock(time, unit);
  }

  @Override
  public void lock(Duration ttl) {
    withTtl(ttl).lock();
  }

  @Override
  public boolean tryLock(Duration waitTime, Duration ttl) throws InterruptedException {
    Objects.requireNonNull(waitTime, "waitTime");
    // Converts without an overflow.
    return withTtl(ttl).tryLock(TimeUnit.NANOSECONDS.convert(waitTime), TimeUnit.NANOSECONDS);
  }

  /** The same lock: only the lease that a first acquisition gets has another TTL. */
  private Lock withTtl(Duration ttl) {
    LockOptions withTtl = options.withTtl(ttl);
    locks.currentLease(lockId).ifPresent(lease -> checkTtl(lease, ttl));
    return locks.asLock(lockId, withTtl);
  }

  /** An argument that has no effect is an error. */
  static void checkTtl(Lease lease, Duration ttl) {
    if (ttl.compareTo(lease.ttl()) > 0) {
      throw new IllegalArgumentException(
          "ttl must be at most "
              + lease.ttl()
              + ", with which "
              + shown(lease.lockId())
              + " was acquired, but is "
              + ttl);
    }
  }

  @Override
  public void unlock() {
    try {
      lock.unlock();
    } catch (LeaseLostException loss) {
      throw new ConcurrentModificationException(
          shown(lockId) + " was lost before it was unlocked: " + loss.getMessage(), loss);
    }
  }

  @Override
  public Condition newCondition() {
    return lock.newCondition();
  }

  static String shown(String lockId) {
    return Texts.printable("lock \"" + lockId + "\"");
  }

  @Override
  public String toString() {
    return lock.toString();
  }
}
