package dev.holdfast.lock.store;

import dev.holdfast.lock.memory.InMemoryLockStore;

class InMemoryLockStoreTest extends LockStoreContract {
  private final LockStore store = new InMemoryLockStore();

  @Override
  protected LockStore store() {
    return store;
  }
}
