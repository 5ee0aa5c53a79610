package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;

/** A bean that changes the lock manager that is auto-configured, after the properties. */
@FunctionalInterface
public interface LockManagerBuilderCustomizer {
  /** Changes the builder. */
  void customize(LockManager.Builder builder);
}
