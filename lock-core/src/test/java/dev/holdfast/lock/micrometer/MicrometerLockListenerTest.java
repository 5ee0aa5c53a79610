package dev.holdfast.lock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockRecord;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MicrometerLockListenerTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final MicrometerLockListener listener = new MicrometerLockListener(registry);

  @Test
  void meters_haveTheNamesAndTagsThatAreDocumented() {
    assertThat(registry.getMeters())
        .extracting(Meter::getId)
        .extracting(id -> id.getName() + id.getTags())
        .containsExactlyInAnyOrder(
            "holdfast.lock.acquire[tag(result=acquired)]",
            "holdfast.lock.acquire[tag(result=contended)]",
            "holdfast.lock.acquire[tag(result=unavailable)]",
            "holdfast.lock.renew[]",
            "holdfast.lock.held[tag(result=released)]",
            "holdfast.lock.held[tag(result=not_held)]",
            "holdfast.lock.held[tag(result=unconfirmed)]",
            "holdfast.lock.waiting[]",
            "holdfast.lock.takeover[]",
            "holdfast.lock.renew.failed[]",
            "holdfast.lock.lost[]");
  }

  @Test
  void events_areCountedAndTimed() {
    listener.unavailable("x", new IllegalStateException("down"), Duration.ofSeconds(3));
    listener.renewed("x", Duration.ofMillis(5));
    listener.renewalFailed("x", new IllegalStateException("down"), Duration.ZERO);

    assertThat(registry.get("holdfast.lock.acquire").tag("result", "unavailable").timer())
        .satisfies(timer -> assertThat(timer.totalTime(TimeUnit.SECONDS)).isEqualTo(3));
    assertThat(registry.get("holdfast.lock.renew").timer().totalTime(TimeUnit.MILLISECONDS))
        .isEqualTo(5);
    assertThat(registry.get("holdfast.lock.renew.failed").counter().count()).isEqualTo(1);
  }

  @Test
  void manager_withTheListener_feedsTheMeters() throws Exception {
    InMemoryLockStore store = new InMemoryLockStore();
    assertThat(
            store.create(
                new LockRecord(
                    "orphan",
                    "token",
                    "crashed",
                    Instant.EPOCH,
                    Instant.EPOCH.plusSeconds(30),
                    30_000,
                    0L,
                    Map.of())))
        .isCompleted();
    try (LockManager locks =
        LockManager.builder(store).listener(listener).callbackExecutor(Runnable::run).build()) {
      try (Lease held = locks.acquire("x")) {
        assertThat(held.isHeld()).isTrue();
        assertThat(locks.tryAcquire("x", waiting())).isEmpty();
      }
      locks.acquire("orphan").close();
    }

    // Listeners are notified last: perhaps only after the call has returned. The releases come
    // last.
    while (timed("held", "released") < 2) {
      Thread.sleep(1);
    }
    assertThat(timed("held", "released")).isEqualTo(2);
    assertThat(timed("acquire", "acquired")).isEqualTo(2);
    assertThat(timed("acquire", "contended")).isEqualTo(1);
    assertThat(registry.get("holdfast.lock.waiting").counter().count()).isEqualTo(1);
    assertThat(registry.get("holdfast.lock.takeover").counter().count()).isEqualTo(1);
    assertThat(List.of("lost", "renew.failed"))
        .allMatch(name -> registry.get("holdfast.lock." + name).counter().count() == 0);
  }

  private static LockOptions waiting() {
    return LockOptions.defaults().withWaitTimeout(Duration.ofMillis(1));
  }

  private long timed(String meter, String result) {
    return registry.get("holdfast.lock." + meter).tag("result", result).timer().count();
  }
}
