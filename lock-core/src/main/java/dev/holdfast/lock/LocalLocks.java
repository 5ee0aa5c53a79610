package dev.holdfast.lock;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Exclusion and reentrancy among the threads of this process that use a lock as a {@link
 * java.util.concurrent.locks.Lock}: one local lock for each id that a thread holds or waits for.
 * Nothing is kept for other ids. Thread-safe.
 */
final class LocalLocks {
  private final ConcurrentHashMap<String, LocalLock> locks = new ConcurrentHashMap<>();

  /** The local lock of one id. */
  static final class LocalLock {
    /** Fair: calls of one process are served in order. */
    final ReentrantLock mutex = new ReentrantLock(true);

    /** What the thread has that holds the mutex, which guards this; null while it acquires. */
    @Nullable LeaseHandle lease;

    /** How many holds and waiting calls there are; guarded by the map's computations. */
    private int users;
  }

  /** Returns the local lock of that id, which is kept until {@link #leave} was called as often. */
  LocalLock enter(String lockId) {
    return locks.compute(
        lockId,
        (id, known) -> {
          LocalLock local = known == null ? new LocalLock() : known;
          local.users++;
          return local;
        });
  }

  void leave(String lockId) {
    locks.computeIfPresent(lockId, (id, local) -> --local.users == 0 ? null : local);
  }

  /** Returns the local lock of that id if the calling thread holds it. */
  @Nullable LocalLock ofCurrentThread(String lockId) {
    LocalLock local = locks.get(lockId);
    return local != null && local.mutex.isHeldByCurrentThread() ? local : null;
  }

  @Nullable LeaseHandle leaseOfCurrentThread(String lockId) {
    LocalLock local = ofCurrentThread(lockId);
    return local == null ? null : local.lease;
  }

  boolean isEmpty() {
    return locks.isEmpty();
  }
}
