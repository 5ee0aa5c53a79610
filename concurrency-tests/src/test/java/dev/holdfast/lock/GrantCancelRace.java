package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.util.concurrent.CompletableFuture;

/** The store's answer grants the lock while the caller cancels its future. */
public final class GrantCancelRace implements Race {
  private final PendingStore store = new PendingStore();
  private final RaceManager locks = new RaceManager(store);
  private final CompletableFuture<Lease> future =
      locks.manager.acquireAsync(RaceManager.LOCK, RaceManager.PATIENT);

  @Override
  public void first() {
    store.create();
    locks.runCallbacks();
  }

  @Override
  public void second() {
    future.cancel(false);
    locks.runCallbacks();
  }

  @Override
  public String verdict() {
    locks.runCallbacks();
    if (!future.isDone()) {
      return BROKEN + "neither granted nor cancelled";
    }
    LockManagerStats stats = locks.manager.stats();
    if (future.isCancelled()) {
      // A clean-up may look again at what it has deleted.
      return stats.held() == 0 ? "cancelled" : BROKEN + "nobody has the lock that was granted";
    }
    return future.join().isHeld() && stats.held() == 1
        ? "granted"
        : BROKEN + "granted, and not held";
  }
}
