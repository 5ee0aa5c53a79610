package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;

/** A bean that changes the lock store that is auto-configured, after the properties. */
@FunctionalInterface
public interface LockStoreBuilderCustomizer {
  /** Changes the builder. */
  void customize(ElasticsearchLockStore.Builder builder);
}
