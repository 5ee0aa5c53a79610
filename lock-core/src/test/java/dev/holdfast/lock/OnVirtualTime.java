package dev.holdfast.lock;

import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;

/** Two processes that share a store, on virtual time; and what is checked when a test has ended. */
abstract class OnVirtualTime {
  static final Incarnation MEMORY = new Incarnation("memory-0", 0);
  static final Duration MILLI = Duration.ofMillis(1);

  final World world = new World();
  final World.Client a = world.client("A");
  final World.Client b = world.client("B");

  @AfterEach
  void nothingIsLeft() {
    world.assertNothingIsLeft();
  }

  void advance(Duration duration) {
    world.advance(duration);
  }

  /** The record of a holder that has crashed, which nobody may judge by its dates. */
  LockRecord orphan(String lockId) {
    return new LockRecord(
        lockId,
        "orphan",
        "crashed",
        VirtualTime.EPOCH.plus(world.time.now()),
        VirtualTime.EPOCH.plus(world.time.now()).plus(World.TTL),
        World.TTL.toMillis(),
        null,
        Map.of());
  }

  static Duration seconds(double seconds) {
    return Duration.ofMillis(Math.round(seconds * 1_000));
  }
}
