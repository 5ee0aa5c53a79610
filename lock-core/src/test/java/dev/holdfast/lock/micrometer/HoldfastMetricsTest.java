package dev.holdfast.lock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockManagerStats;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockRecord;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HoldfastMetricsTest {
  private static final LockOptions WAITING =
      LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(1));

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final InMemoryLockStore store = new InMemoryLockStore();

  /** Listeners are notified last: perhaps only after the call has returned. */
  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(1);
    }
  }

  private static void awaitCollected(WeakReference<?> reference) throws InterruptedException {
    while (!reference.refersTo(null)) {
      System.gc();
      Thread.sleep(20);
    }
  }

  private LockManager manager(LockListener listener) {
    return LockManager.builder(store).listener(listener).callbackExecutor(Runnable::run).build();
  }

  private double gauge(String name) {
    return registry.get("holdfast.locks." + name).gauge().value();
  }

  private long timed(String name, String outcome) {
    return registry.get("holdfast.lock." + name).tag("outcome", outcome).timer().count();
  }

  private double lost(String reason) {
    return registry.get("holdfast.lock.lost").tag("reason", reason).counter().count();
  }

  @Test
  void manager_withMetrics_feedsTheMetersOfEvents() throws Exception {
    assertThat(store.create(orphan())).isCompleted();
    try (LockManager locks = manager(HoldfastMetrics.boundTo(registry))) {
      try (Lease held = locks.acquire("x")) {
        assertThat(locks.tryAcquire("x")).isEmpty();
        assertThat(held.renew()).isTrue();
      }
      locks.acquire("orphan").close();
      Lease lost = locks.acquire("lost");
      assertThat(locks.forceRelease("lost")).isTrue();
      await(() -> !lost.isHeld());
    }

    await(() -> timed("usage", "released") == 2 && timed("usage", "lost") == 1);
    assertThat(timed("acquire", "acquired")).isEqualTo(3);
    assertThat(timed("acquire", "contended")).isEqualTo(1);
    assertThat(timed("renew", "renewed")).isEqualTo(1);
    assertThat(registry.get("holdfast.lock.takeovers").counter().count()).isEqualTo(1);
    assertThat(lost("force_released")).isEqualTo(1);
    assertThat(lost("expired")).isZero();
  }

  private static LockRecord orphan() {
    return new LockRecord(
        "orphan",
        "token",
        "crashed",
        Instant.EPOCH,
        Instant.EPOCH.plusSeconds(30),
        30_000,
        0L,
        Map.of());
  }

  @Test
  void events_areTimedWithTheirDurations() {
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    IllegalStateException down = new IllegalStateException("down");

    metrics.unavailable("x", down, Duration.ofSeconds(3));
    metrics.renewed("x", Duration.ofMillis(5));
    metrics.renewalFailed("x", down, Duration.ofMillis(7), Duration.ofSeconds(9));

    assertThat(seconds("acquire", "unavailable")).isEqualTo(3);
    assertThat(seconds("renew", "renewed")).isEqualTo(0.005);
    assertThat(seconds("renew", "failed")).isEqualTo(0.007);
  }

  private double seconds(String name, String outcome) {
    return registry
        .get("holdfast.lock." + name)
        .tag("outcome", outcome)
        .timer()
        .totalTime(TimeUnit.SECONDS);
  }

  @Test
  void gauges_followTheManagers_andAreZeroWhenTheyAreClosed() throws Exception {
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    LockManager one = manager(metrics);
    LockManager two = manager(metrics);

    Lease first = one.acquire("x");
    Lease second = two.acquire("y");
    CompletableFuture<Lease> waiter = two.acquireAsync("x", WAITING);
    await(() -> gauge("waiting") == 1);

    assertThat(first.isHeld() && second.isHeld()).isTrue();
    assertThat(gauge("held")).as("of both managers").isEqualTo(2);
    assertThat(gauge("lingering")).isZero();
    assertThat(gauge("cleanups")).isZero();
    one.close();
    two.close();
    await(waiter::isDone);
    assertThat(gauge("held")).isZero();
    assertThat(gauge("waiting")).isZero();
  }

  @Test
  void gauges_keepNoManagerAlive_andDoNotFailAfterIt() throws Exception {
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    WeakReference<?> gone = engineOfClosedManager(metrics);

    awaitCollected(gone);

    assertThat(gauge("held")).isZero();
    assertThat(registry.get("holdfast.lock.events.dropped").functionCounter().count()).isZero();
  }

  /** What the manager gives its listeners lives as long as its engine. */
  private WeakReference<?> engineOfClosedManager(HoldfastMetrics metrics) throws Exception {
    List<WeakReference<?>> engines = new ArrayList<>();
    LockListener watch =
        new LockListener() {
          @Override
          public void attached(Supplier<LockManagerStats> stats) {
            engines.add(new WeakReference<>(stats));
          }
        };
    LockManager locks = LockManager.builder(store).listener(watch).listener(metrics).build();
    locks.acquire("x").close();
    locks.close();
    return engines.get(0);
  }

  @Test
  void droppedEvents_areCountedOfAllManagers_alsoOfThoseThatAreGone() throws Exception {
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    AtomicReference<LockManagerStats> stats = new AtomicReference<>(dropped(3));
    alive.add(stats::get);
    metrics.attached(alive.get(0));
    WeakReference<?> gone = attachAnother(metrics, dropped(4));
    assertThat(droppedEvents()).isEqualTo(7);

    alive.remove(1);
    awaitCollected(gone);
    stats.set(dropped(5));

    assertThat(droppedEvents()).isEqualTo(9);
    assertThat(alive).hasSize(1);
  }

  /** What managers would refer to. */
  private final List<Supplier<LockManagerStats>> alive = new ArrayList<>();

  private WeakReference<?> attachAnother(HoldfastMetrics metrics, LockManagerStats stats) {
    Supplier<LockManagerStats> another = new AtomicReference<>(stats)::get;
    alive.add(another);
    metrics.attached(another);
    return new WeakReference<>(another);
  }

  private static LockManagerStats dropped(long events) {
    return new LockManagerStats(0, 0, 0, 0, 0, 0, events);
  }

  private double droppedEvents() {
    return registry.get("holdfast.lock.events.dropped").functionCounter().count();
  }

  // --- Settings

  @Test
  void tags_areOnAllMeters() {
    HoldfastMetrics.builder()
        .tags(Tags.of("manager", "jobs"))
        .tags(Tags.of("region", "eu"))
        .build()
        .bindTo(registry);

    assertThat(registry.getMeters())
        .isNotEmpty()
        .allMatch(meter -> "jobs".equals(meter.getId().getTag("manager")))
        .allMatch(meter -> "eu".equals(meter.getId().getTag("region")));
  }

  @Test
  void lockTag_isOnTimersAndCountersOfLocks_withTheValueThatTheFunctionGives() throws Exception {
    HoldfastMetrics metrics =
        HoldfastMetrics.builder().lockTag(id -> id.replaceAll("-\\d+", "")).build();
    metrics.bindTo(registry);
    try (LockManager locks = manager(metrics)) {
      locks.acquire("import-1").close();
      locks.acquire("import-2").close();
      locks.acquire("export-1").close();
      await(() -> usageOf("import") == 2 && usageOf("export") == 1);
    }

    assertThat(registry.getMeters())
        .extracting(Meter::getId)
        .filteredOn(id -> id.getTag("lock") != null)
        .extracting(id -> id.getName() + " " + id.getTag("lock"))
        .contains("holdfast.lock.acquire import", "holdfast.lock.usage export")
        .allMatch(name -> name.endsWith(" import") || name.endsWith(" export"));
  }

  /** Else the first loss would not be an increase, and no alert would see it. */
  @Test
  void lockTag_ofAValueThatIsNew_hasAllSeriesAtZero_afterItsFirstEvent() {
    HoldfastMetrics plain = HoldfastMetrics.boundTo(new SimpleMeterRegistry());
    SimpleMeterRegistry untagged = new SimpleMeterRegistry();
    plain.bindTo(untagged);
    HoldfastMetrics metrics = HoldfastMetrics.builder().lockTag(id -> id).build();
    metrics.bindTo(registry);

    metrics.renewed("x", Duration.ofMillis(5));

    assertThat(series(registry)).isEqualTo(series(untagged));
    assertThat(registry.get("holdfast.lock.lost").tag("lock", "x").counters())
        .hasSize(LeaseLostException.Reason.values().length)
        .allMatch(counter -> counter.count() == 0);
  }

  /** Of timers and counters of locks: their names and tags but the lock's. */
  private static List<String> series(MeterRegistry of) {
    return of.getMeters().stream()
        .map(Meter::getId)
        .filter(id -> id.getName().startsWith("holdfast.lock."))
        .map(
            id ->
                id.getName()
                    + id.getTags().stream().filter(tag -> !tag.getKey().equals("lock")).toList())
        .sorted()
        .toList();
  }

  private long usageOf(String lock) {
    return registry.find("holdfast.lock.usage").tag("lock", lock).timers().stream()
        .mapToLong(timer -> timer.count())
        .sum();
  }

  @Test
  void lockTag_byDefault_isNotThere() {
    MeterRegistry any = new SimpleMeterRegistry();
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(any);
    metrics.renewed("x", Duration.ZERO);

    assertThat(any.getMeters()).noneMatch(meter -> meter.getId().getTag("lock") != null);
  }

  @Test
  void bindTo_severalRegistries_feedsEachOnce() {
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    SimpleMeterRegistry other = new SimpleMeterRegistry();
    metrics.bindTo(other);
    metrics.bindTo(registry);

    metrics.renewed("x", Duration.ofMillis(5));

    for (MeterRegistry each : List.of(registry, other)) {
      assertThat(each.get("holdfast.lock.renew").tag("outcome", "renewed").timer().count())
          .isEqualTo(1);
    }
  }
}
