package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockManagerStats;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/** Up if the lock store answers a read, which takes at most the request timeout. */
final class HoldfastHealthIndicator extends AbstractHealthIndicator {
  private final LockManager locks;

  HoldfastHealthIndicator(LockManager locks) {
    super("The lock store does not answer");
    this.locks = locks;
  }

  @Override
  protected void doHealthCheck(Health.Builder health) {
    LockManagerStats stats = locks.stats();
    health.withDetail("held", stats.held()).withDetail("waiting", stats.waiting());
    var unused = locks.find(LockManagerLifecycle.PROBE);
    health.up();
  }
}
