package dev.holdfast.chaos.threads;

import dev.holdfast.lock.internal.Daemons;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.LockStoreContract;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.AfterEach;

/** When nothing goes wrong, the way to the store changes nothing but the threads of the answers. */
class FaultyStoreContractTest extends LockStoreContract {
  private final ScheduledExecutorService carrier =
      new ScheduledThreadPoolExecutor(2, task -> Daemons.daemon("carrier", task));
  private final LockStore store =
      new FaultyStore(new InMemoryLockStore(), FaultLevel.CALM, 1, Duration.ofSeconds(1), carrier);

  @AfterEach
  void endThreads() {
    var unused = carrier.shutdownNow();
  }

  @Override
  protected LockStore store() {
    return store;
  }
}
