package dev.holdfast.lock;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A manager for one race. Nothing happens in it but on the threads of the race: no timer runs, the
 * store answers at once, and callbacks wait for {@link #runCallbacks}. Time stands still, but for a
 * thread that is ahead.
 */
final class RaceManager {
  static final String LOCK = "race";

  static final LockOptions PATIENT =
      LockOptions.defaults().withTtl(Duration.ofSeconds(30)).withWaitTimeout(Duration.ofMinutes(1));

  private static final Instant START = Instant.ofEpochSecond(1_800_000_000);

  final InMemoryLockStore memory = new InMemoryLockStore();
  final LockManager manager;
  private final Queue<Runnable> callbacks = new ConcurrentLinkedQueue<>();
  private volatile @Nullable Thread ahead;
  private volatile Duration by = Duration.ZERO;
  private int tokens;

  RaceManager() {
    this(1);
  }

  /** A manager with room for so many sessions that linger. */
  RaceManager(int maxLingering) {
    this.manager = build(memory, maxLingering);
  }

  /** A manager on another store. */
  RaceManager(PendingStore store) {
    this.manager = build(store, 1);
  }

  private LockManager build(LockStore store, int maxLingering) {
    LockManager.Builder builder =
        LockManager.builder(store)
            .owner("race")
            .ticker(() -> offset().toNanos())
            .wallClock(() -> START.plus(offset()))
            .scheduler((task, delayNanos) -> () -> {})
            .callbackExecutor(callbacks::add)
            .random(new Random(1))
            .tokens(this::nextToken);
    builder.maxLingering = maxLingering;
    return builder.build();
  }

  private synchronized String nextToken() {
    return "token-" + ++tokens;
  }

  private Duration offset() {
    return Thread.currentThread() == ahead ? by : Duration.ZERO;
  }

  /** Runs that with this thread's clocks ahead. */
  void ahead(Duration offset, Runnable task) {
    by = offset;
    ahead = Thread.currentThread();
    try {
      task.run();
    } finally {
      ahead = null;
    }
  }

  void runCallbacks() {
    Runnable callback = callbacks.poll();
    while (callback != null) {
      callback.run();
      callback = callbacks.poll();
    }
  }

  /** A call that has not been submitted. */
  Acquisition call(LockOptions options) {
    return call(LOCK, options);
  }

  private Acquisition call(String lockId, LockOptions options) {
    return new Acquisition(
        manager.engine,
        lockId,
        options,
        manager.engine.clocks.read(),
        null,
        Acquisition.Purpose.LEASE);
  }

  void submit(Acquisition call) {
    manager.engine.onQueue(call.lockId, queue -> queue.submit(call));
  }

  Acquisition acquire(LockOptions options) {
    return acquire(LOCK, options);
  }

  Acquisition acquire(String lockId, LockOptions options) {
    Acquisition call = call(lockId, options);
    submit(call);
    return call;
  }

  /** The lease of a call that was granted. */
  static LeaseHandle lease(Acquisition call) {
    return ((Outcome.Granted) call.outcome.join()).lease();
  }

  /** Releases without waiting. */
  static void release(LeaseHandle lease) {
    var unused = lease.releaseAsync();
  }

  /** The record of the lock; null if there is none. */
  @Nullable LockRecord record() {
    return memory.read(LOCK).join() instanceof ReadResult.Found found ? found.record() : null;
  }

  @Nullable LockQueue queue() {
    return manager.engine.queues.get(LOCK);
  }
}
