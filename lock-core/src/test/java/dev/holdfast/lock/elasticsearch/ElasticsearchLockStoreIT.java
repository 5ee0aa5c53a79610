package dev.holdfast.lock.elasticsearch;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.LockStoreContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of stores on real nodes. */
@ParameterizedClass
@MethodSource(TestedVersions.ALL)
class ElasticsearchLockStoreIT extends LockStoreContract {
  private final LockCluster cluster;
  private final LockStore store;

  ElasticsearchLockStoreIT(ElasticsearchVersion version) {
    cluster = LockCluster.on(version);
    store = cluster.store();
  }

  @AfterEach
  void close() {
    cluster.close();
  }

  @Override
  protected LockStore store() {
    return store;
  }

  @Override
  protected void makeListable() {
    cluster.refresh();
  }
}
