package dev.holdfast.lock.shedlock;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;

/**
 * A process that makes one attempt at the lock {@code at-least}, says whether it got it, and
 * unlocks it. The arguments are lockAtMostFor and lockAtLeastFor.
 */
final class LockOnce {
  private LockOnce() {}

  public static void main(String[] args) {
    try (ElasticsearchLockStore store = ElasticsearchLockStore.fromEnvironment().build();
        LockManager locks = LockManager.create(store)) {
      Optional<SimpleLock> lock =
          new HoldfastLockProvider(locks)
              .lock(
                  new LockConfiguration(
                      Instant.now(), "at-least", Duration.parse(args[0]), Duration.parse(args[1])));
      System.out.println(lock.isPresent() ? "locked" : "held by another");
      lock.ifPresent(SimpleLock::unlock);
    }
  }
}
