package dev.holdfast.lock.shedlock;

import dev.holdfast.lock.LockManager;
import dev.holdfast.testing.TestIndex;
import org.junit.jupiter.api.AfterEach;

/** ShedLock's contract on a real node. */
class ElasticsearchLockProviderIT extends LockProviderContract {
  private final TestIndex index = new TestIndex();

  @Override
  LockManager manager() {
    return index.manager();
  }

  @AfterEach
  void closeIndex() {
    index.close();
  }
}
