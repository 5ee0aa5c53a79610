package dev.holdfast.lock.spring.integration;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.internal.Texts;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import org.springframework.integration.support.locks.DistributedLock;
import org.springframework.integration.support.locks.RenewableLockRegistry;

/**
 * Provides the locks of a {@link LockManager} to Spring Integration. The lock of the key {@code
 * "leader"} in the registry {@code "orders"} has the lock id {@code "orders:leader"}. Thread-safe.
 *
 * <p>The locks are those of {@link LockManager#asLock}:
 *
 * <ul>
 *   <li>Reentrant, and bound to a thread. Threads of one process get a lock in their order, and
 *       only the first of them uses the store.
 *   <li>Two keys share a lock only if their texts are equal, as those of {@code "7"} and {@code 7}
 *       are. A lock takes memory only while a thread holds it or waits for it, so there is no
 *       cache, no limit, and nothing to expire.
 *   <li>The lease is renewed in the background for as long as the lock is held, unless the options
 *       say otherwise. The TTL is how long a crashed process blocks others. So neither {@link
 *       #setRenewalTaskScheduler}, which has no effect, nor {@link #renewLock(Object)} is needed.
 *   <li>{@code unlock} throws {@link java.util.ConcurrentModificationException} if the lease was
 *       lost before. Locking again on the same thread throws {@link
 *       dev.holdfast.lock.LeaseLostException} then; the lock is still to be unlocked.
 *   <li>All that lock throw {@link dev.holdfast.lock.LockStoreUnavailableException} if the store
 *       did not answer: {@code false} always means that another holds the lock.
 * </ul>
 */
public final class HoldfastLockRegistry implements RenewableLockRegistry<DistributedLock> {
  private final LockManager locks;
  private final String registryKey;
  private final LockOptions options;

  /**
   * A registry with a TTL of 30 s; see {@link #HoldfastLockRegistry(LockManager, String,
   * LockOptions)}.
   */
  public HoldfastLockRegistry(LockManager locks, String registryKey) {
    this(locks, registryKey, LockOptions.defaults());
  }

  /**
   * A registry. The manager stays the caller's to close.
   *
   * @param registryKey what its locks have in common, and locks of other applications on the same
   *     index have not; not blank, and without a colon, which ends it in a lock id
   * @param options of its locks; the wait timeout matters for outages only
   * @throws IllegalArgumentException if the registry key is blank or has a colon
   */
  public HoldfastLockRegistry(LockManager locks, String registryKey, LockOptions options) {
    this.locks = Objects.requireNonNull(locks, "locks");
    this.registryKey = Objects.requireNonNull(registryKey, "registryKey");
    this.options = Objects.requireNonNull(options, "options");
    if (registryKey.isBlank()) {
      throw new IllegalArgumentException("registryKey must not be blank");
    }
    if (registryKey.indexOf(':') >= 0) {
      // The key "b:c" in "a" would be the key "c" in "a:b".
      throw new IllegalArgumentException(
          "registryKey must not contain a colon, but is "
              + Texts.printable("\"" + registryKey + "\""));
    }
  }

  /**
   * Returns the lock of that key, without I/O. All that are returned for one key are the same lock.
   *
   * @param lockKey a string, or a UUID, number or enum constant, whose text is the same in each
   *     process; the lock id that it gives has at most 512 bytes in UTF-8
   * @throws IllegalArgumentException if it is none of these, or too long
   */
  @Override
  public DistributedLock obtain(Object lockKey) {
    return new LeasedDistributedLock(locks, lockId(lockKey), options);
  }

  /**
   * Renews the lease of a lock that the calling thread holds, and waits for the answer.
   *
   * @throws IllegalMonitorStateException if the calling thread does not hold the lock
   * @throws IllegalStateException if the lease was lost, or the store did not acknowledge in time;
   *     in that case it is renewed later, while it is valid
   */
  @Override
  public void renewLock(Object lockKey) {
    renew(held(lockKey));
  }

  /**
   * Renews the lease as {@link #renewLock(Object)} does. The TTL of a lease cannot be made longer.
   *
   * @param ttl at most the TTL with which the lock was acquired, which is what the lease has
   *     afterwards
   * @throws IllegalArgumentException if it is out of range or longer
   */
  @Override
  public void renewLock(Object lockKey, Duration ttl) {
    LockOptions checked = options.withTtl(ttl);
    Lease lease = held(lockKey);
    LeasedDistributedLock.checkTtl(lease, checked.ttl());
    renew(lease);
  }

  private Lease held(Object lockKey) {
    String lockId = lockId(lockKey);
    return locks
        .currentLease(lockId)
        .orElseThrow(
            () ->
                new IllegalMonitorStateException(
                    LeasedDistributedLock.shown(lockId) + " is not held by this thread"));
  }

  private static void renew(Lease lease) {
    if (!lease.renew()) {
      throw new IllegalStateException(
          LeasedDistributedLock.shown(lease.lockId())
              + (lease.isHeld()
                  ? " could not be renewed now: the store did not acknowledge in time"
                  : " could not be renewed: its lease was lost"));
    }
  }

  private String lockId(Object lockKey) {
    Objects.requireNonNull(lockKey, "lockKey");
    if (lockKey instanceof String || lockKey instanceof UUID || lockKey instanceof Number) {
      return registryKey + ":" + lockKey;
    }
    if (lockKey instanceof Enum<?> constant) {
      return registryKey + ":" + constant.name();
    }
    throw new IllegalArgumentException(
        "lockKey must be a String, UUID, Number or Enum, whose text is the same in each process,"
            + " but is a "
            + Texts.printable(lockKey.getClass().getName()));
  }

  @Override
  public String toString() {
    return Texts.printable("HoldfastLockRegistry[" + registryKey + "]");
  }
}
