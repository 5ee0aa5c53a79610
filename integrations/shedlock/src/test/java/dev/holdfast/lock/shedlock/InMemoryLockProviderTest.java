package dev.holdfast.lock.shedlock;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.memory.InMemoryLockStore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** ShedLock's contract on the store in memory. */
class InMemoryLockProviderTest extends LockProviderContract {
  private final InMemoryLockStore store = new InMemoryLockStore();
  private final List<LockManager> managers = new ArrayList<>();

  @Override
  LockManager manager() {
    LockManager manager = LockManager.create(store);
    managers.add(manager);
    return manager;
  }

  @AfterEach
  void closeManagers() {
    managers.forEach(LockManager::close);
  }
}
