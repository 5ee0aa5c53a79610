package dev.holdfast.lock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.GlobalObservationConvention;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HoldfastObservationsTest {
  private final ObservationRegistry registry = ObservationRegistry.create();
  private final List<Observation.Context> stopped = new ArrayList<>();
  private final List<String> moments = new ArrayList<>();
  private final InMemoryLockStore store = new InMemoryLockStore();
  private final LockManager locks = manager(store);

  HoldfastObservationsTest() {
    registry
        .observationConfig()
        .observationHandler(
            new ObservationHandler<Observation.Context>() {
              @Override
              public boolean supportsContext(Observation.Context context) {
                return true;
              }

              @Override
              public void onStart(Observation.Context context) {
                moments.add("start " + context.getName());
              }

              @Override
              public void onScopeOpened(Observation.Context context) {
                moments.add("scope opened");
              }

              @Override
              public void onEvent(Observation.Event event, Observation.Context context) {
                moments.add("event " + event.getName());
              }

              @Override
              public void onScopeClosed(Observation.Context context) {
                moments.add("scope closed");
              }

              @Override
              public void onError(Observation.Context context) {
                moments.add("error");
              }

              @Override
              public void onStop(Observation.Context context) {
                moments.add("stop");
                stopped.add(context);
              }
            });
  }

  private LockManager manager(LockStore on) {
    return LockManager.builder(on).callObserver(new HoldfastObservations(registry)).build();
  }

  @AfterEach
  void noScopeIsLeft() {
    locks.close();
    assertThat(registry.getCurrentObservation()).isNull();
  }

  private Observation.Context last() {
    return stopped.get(stopped.size() - 1);
  }

  private static String value(@Nullable KeyValue keyValue) {
    return keyValue == null ? "none at all" : keyValue.getValue();
  }

  private String outcome() {
    return value(last().getLowCardinalityKeyValue("outcome"));
  }

  @Test
  void call_withABody_isOneObservation_whoseScopeIsOpenInTheBody() throws Exception {
    Object seen = locks.withLock("x", () -> registry.getCurrentObservation().getContextView());

    assertThat(stopped).hasSize(1);
    assertThat(seen).isSameAs(last());
    assertThat(moments)
        .containsExactly(
            "start holdfast.lock", "scope opened", "event acquired", "scope closed", "stop");
    assertThat(outcome()).isEqualTo("completed");
    assertThat(value(last().getHighCardinalityKeyValue("lock.id"))).isEqualTo("x");
    assertThat(last().getLowCardinalityKeyValues().stream()).hasSize(1);
  }

  @Test
  void observation_inTheBody_isAChild_andTheCallIsAChildOfWhatSurroundsIt() throws Exception {
    Observation outer = Observation.start("outer", registry);
    try (Observation.Scope scope = outer.openScope()) {
      locks.runWithLease(
          "x",
          lease -> {
            Observation.createNotStarted("inner", registry).observe(() -> {});
          });
      assertThat(scope.getCurrentObservation()).isSameAs(outer);
    }
    outer.stop();

    assertThat(stopped)
        .extracting(Observation.Context::getName)
        .containsExactly("inner", "holdfast.lock", "outer");
    assertThat(stopped.get(0).getParentObservation().getContextView()).isSameAs(stopped.get(1));
    assertThat(stopped.get(1).getParentObservation().getContextView()).isSameAs(stopped.get(2));
  }

  @Test
  void call_withoutABody_isAnObservationOfTheAcquisition() throws Exception {
    try (Lease lease = locks.acquire("x")) {
      assertThat(registry.getCurrentObservation()).isNull();
      assertThat(outcome()).isEqualTo("completed");
      assertThat(value(last().getHighCardinalityKeyValue("lock.fencing.token")))
          .isEqualTo(lease.fencingToken().toString());
      assertThat(locks.tryAcquire("x")).isEmpty();
      assertThat(outcome()).isEqualTo("contended");
      assertThat(last().getError()).isNull();
    }
    locks.tryAcquire("y").orElseThrow().close();

    assertThat(stopped).hasSize(3);
    assertThat(outcome()).isEqualTo("completed");
  }

  @Test
  void call_forALockThatAnotherHolds_isContended() throws Exception {
    try (LockManager other = LockManager.create(store);
        Lease held = other.acquire("x")) {
      assertThatThrownBy(() -> locks.withLock("x", () -> {}))
          .isInstanceOf(LockAcquisitionException.class)
          .isSameAs(last().getError());
      assertThat(outcome()).isEqualTo("contended");
      assertThat(locks.tryWithLock("x", () -> {})).isFalse();
      assertThat(outcome()).isEqualTo("contended");
      assertThat(last().getError()).isNull();
      assertThat(held.isHeld()).isTrue();
    }
  }

  @Test
  void call_thatLosesItsLease_isLost() {
    assertThatThrownBy(
            () ->
                locks.withLock(
                    "x",
                    () -> {
                      assertThat(locks.forceRelease("x")).isTrue();
                      new CountDownLatch(1).await();
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(outcome()).isEqualTo("lost");
    assertThat(last().getError()).isInstanceOf(LeaseLostException.class);
    assertThat(moments).endsWith("event acquired", "scope closed", "error", "stop");
  }

  @Test
  void call_whoseBodyThrows_isFailed_alsoIfThatIsAboutAnotherLock() throws Exception {
    IOException failure = new IOException("of the body");
    assertThatThrownBy(
            () ->
                locks.withLock(
                    "x",
                    () -> {
                      throw failure;
                    }))
        .isSameAs(failure);
    assertThat(outcome()).isEqualTo("failed");
    assertThat(last().getError()).isSameAs(failure);

    try (LockManager other = LockManager.create(store);
        Lease held = other.acquire("held")) {
      assertThatThrownBy(() -> locks.withLock("x", () -> other.withLock("held", () -> {})))
          .isInstanceOf(LockAcquisitionException.class);
      assertThat(outcome()).isEqualTo("failed");
      assertThat(held.isHeld()).isTrue();
    }
  }

  @Test
  void call_thatIsInterrupted_isFailed() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> locks.withLock("x", () -> {}))
        .isInstanceOf(InterruptedException.class);
    assertThat(outcome()).isEqualTo("failed");
  }

  @Test
  void call_forAStoreThatIsDown_isUnavailable() {
    LockManager onNothing = manager(new DownStore());

    assertThatThrownBy(() -> onNothing.withLock("x", () -> {}))
        .isInstanceOf(LockStoreUnavailableException.class)
        .isSameAs(last().getError());
    assertThat(outcome()).isEqualTo("unavailable");
    onNothing.close();
  }

  private static final class DownStore implements LockStore {
    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return CompletableFuture.completedFuture(new WriteResult.Rejected(down()));
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return CompletableFuture.completedFuture(new WriteResult.Rejected(down()));
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return CompletableFuture.completedFuture(new WriteResult.Rejected(down()));
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return CompletableFuture.failedFuture(down());
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      return CompletableFuture.failedFuture(down());
    }

    private static IllegalStateException down() {
      return new IllegalStateException("down");
    }

    @Override
    public String description() {
      return "a store that is down";
    }
  }

  @Test
  void asynchronousCall_isNotObserved() throws Exception {
    locks.acquireAsync("x").get().close();

    assertThat(moments).isEmpty();
  }

  @Test
  void handlerThatMakesMeters_makesThoseThatAreDocumented_withoutTheLocksId() throws Exception {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(meters));

    locks.withLock("x", () -> {});

    assertThat(meters.get("holdfast.lock").tag("outcome", "completed").timer().count())
        .isEqualTo(1);
    assertThat(meters.getMeters())
        .noneMatch(meter -> meter.getId().getTag("lock.id") != null)
        .extracting(meter -> meter.getId().getName())
        .containsExactlyInAnyOrder(
            "holdfast.lock", "holdfast.lock.active", "holdfast.lock.acquired");
  }

  // --- Conventions

  @Test
  void convention_ofTheUser_replacesTheDefault() throws Exception {
    LockObservationConvention own =
        new LockObservationConvention() {
          @Override
          public String getName() {
            return "my.lock";
          }

          @Override
          public KeyValues getHighCardinalityKeyValues(LockObservationContext context) {
            return KeyValues.of("id", context.lockId());
          }
        };
    try (LockManager observed =
        LockManager.builder(store).callObserver(new HoldfastObservations(registry, own)).build()) {
      observed.withLock("x", () -> {});
    }

    assertThat(last().getName()).isEqualTo("my.lock");
    assertThat(value(last().getHighCardinalityKeyValue("id"))).isEqualTo("x");
    assertThat(outcome()).isEqualTo("completed");
  }

  /** As users write one for all of their observations of locks. */
  private static final class ForAll
      implements LockObservationConvention, GlobalObservationConvention<LockObservationContext> {
    @Override
    public String getName() {
      return "global.lock";
    }
  }

  @Test
  void convention_ofTheRegistry_replacesTheDefault() throws Exception {
    registry.observationConfig().observationConvention(new ForAll());

    locks.withLock("x", () -> {});

    assertThat(last().getName()).isEqualTo("global.lock");
  }

  // --- Handlers that fail

  @Test
  void handler_thatThrows_keepsNoCallFromItsLock() throws Exception {
    ObservationRegistry broken = ObservationRegistry.create();
    broken
        .observationConfig()
        .observationHandler(
            new ObservationHandler<Observation.Context>() {
              @Override
              public boolean supportsContext(Observation.Context context) {
                return true;
              }

              @Override
              public void onScopeOpened(Observation.Context context) {
                throw new IllegalStateException("a bug in a handler");
              }
            });
    try (LockManager observed =
        LockManager.builder(store).callObserver(new HoldfastObservations(broken)).build()) {
      assertThat(observed.withLock("x", () -> "ran")).isEqualTo("ran");
    }
    assertThat(broken.getCurrentObservation()).isNull();
  }

  @Test
  void noopRegistry_isObservedByNobody() throws Exception {
    try (LockManager observed =
        LockManager.builder(store)
            .callObserver(new HoldfastObservations(ObservationRegistry.NOOP))
            .build()) {
      assertThat(observed.withLock("x", () -> "ran")).isEqualTo("ran");
    }
  }
}
