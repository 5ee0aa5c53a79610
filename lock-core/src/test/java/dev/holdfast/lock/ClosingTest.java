package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The end of a manager. */
class ClosingTest extends OnVirtualTime {
  private static final long LIVENESS_SECONDS = 30;

  /** By then anybody sees at first sight that a lease has ended. */
  private static final Duration EXPIRED = World.TTL.plus(World.SKEW).plus(MILLI);

  private void closeAtOnce() {
    Void unused = world.now(a.manager.closeAsync());
  }

  @Test
  void close_ofAManagerThatHoldsNothing_isDoneAtOnce_alsoAgain() {
    closeAtOnce();
    closeAtOnce();

    assertThat(a.store.requests()).isEmpty();
  }

  @Test
  void close_releasesTheLeasesThatNobodyGaveBack_afterTheirHoldersWereTold() {
    Lease lease = a.acquire("x");
    List<String> told = new ArrayList<>();
    lease.onLost(loss -> told.add(loss.getMessage() + ", still there: " + !a.store.isFree("x")));

    closeAtOnce();

    assertThat(told).hasSize(1).first().asString().contains("closed", "still there: true");
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(lease.isHeld()).isFalse();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void close_endsWaits_withAnErrorThatSaysSo() {
    Lease other = b.acquire("x");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));

    closeAtOnce();

    assertThat(a.failure(waiter)).hasMessageContaining("closed");
    assertThat(other.isHeld()).isTrue();
    other.close();
  }

  @Test
  @GuardsAgainst(Pitfall.RELEASE_BEFORE_THE_BODY_RETURNED)
  void close_interruptsABody_andReleasesItsLockWhenItHasReturned() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    Caller<String> call =
        Caller.of(
            () ->
                a.manager.withLock(
                    "x",
                    () -> {
                      began.countDown();
                      try {
                        Thread.sleep(TimeUnit.MINUTES.toMillis(10));
                      } catch (InterruptedException e) {
                        interrupted.countDown();
                        mayEnd.await();
                      }
                      return "ended in order";
                    }));
    began.await();

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    assertThat(interrupted.await(LIVENESS_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(a.store.isFree("x")).as("while the body runs").isFalse();
    assertThat(closed).isNotDone();
    mayEnd.countDown();

    assertThat(call.result()).isEqualTo("ended in order");
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(world.now(closed)).isNull();
  }

  @Test
  void close_ofABodyThatNeverEnds_isBounded_andItsHolderIsToldOfTheLoss() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    LockOptions notify = LockOptions.defaults().withOnLeaseLost(OnLeaseLost.NOTIFY);
    Caller<String> call =
        Caller.of(
            () ->
                a.manager.withLock(
                    "x",
                    notify,
                    () -> {
                      began.countDown();
                      mayEnd.await();
                      return "much later";
                    }));
    began.await();

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    advance(a.manager.engine.releaseTimeout.multipliedBy(2).minus(MILLI));
    assertThat(closed).isNotDone();
    advance(MILLI);

    assertThat(closed).isDone();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    mayEnd.countDown();
    assertThat(call.failure())
        .isInstanceOf(LeaseLostException.class)
        .hasMessageContaining("closed");
    advance(EXPIRED);
    assertThat(b.canAcquire("x")).as("after the TTL").isTrue();
  }

  @Test
  void close_whenACallbackNeverEnds_isBounded() throws Exception {
    // A callback that hangs takes its thread with it, so this manager has threads of its own.
    CountDownLatch hangs = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    World.Client c = world.client("C", m -> m.callbackExecutor(task -> new Thread(task).start()));
    Lease lease = Caller.of(() -> c.manager.acquire("x", World.ONE_ATTEMPT)).result();
    lease.onLost(
        loss -> {
          hangs.countDown();
          try {
            mayEnd.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });

    CompletableFuture<@Nullable Void> closed = c.manager.closeAsync();
    assertThat(hangs.await(LIVENESS_SECONDS, TimeUnit.SECONDS)).isTrue();
    advance(c.manager.engine.releaseTimeout.multipliedBy(2).minus(MILLI));
    assertThat(closed).isNotDone();
    advance(MILLI);

    assertThat(closed.get(LIVENESS_SECONDS, TimeUnit.SECONDS)).isNull();
    assertThat(lease.isHeld()).isFalse();
    // Listeners are told on a thread of their own here.
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIVENESS_SECONDS);
    while (c.events.count("lost x") == 0 && System.nanoTime() - deadline < 0) {
      Thread.sleep(1);
    }
    assertThat(c.events.count("lost x")).isEqualTo(1);
    assertThat(c.events.all()).noneMatch(event -> event.startsWith("released"));
    mayEnd.countDown();
    advance(EXPIRED);
    assertThat(b.canAcquire("x")).as("after the TTL").isTrue();
  }

  @Test
  @GuardsAgainst(Pitfall.ONE_FAILED_RELEASE_STOPS_THE_OTHERS)
  void close_whenOneReleaseFails_releasesTheOthers() {
    List<Lease> leases = List.of(a.acquire("x"), a.acquire("y"), a.acquire("z"));
    a.store.next(DELETE, ScriptedStore.throwing(new IllegalStateException("a bug in a store")));

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    advance(a.manager.engine.releaseTimeout.multipliedBy(2));

    assertThat(closed).isDone();
    assertThat(leases).noneMatch(Lease::isHeld);
    assertThat(List.of("x", "y", "z")).allMatch(a.store::isFree);
  }

  @Test
  @GuardsAgainst(Pitfall.ONE_FAILED_RELEASE_STOPS_THE_OTHERS)
  void close_whenOneReleaseIsRefused_releasesTheOthers() {
    List<Lease> leases = List.of(a.acquire("x"), a.acquire("y"), a.acquire("z"));
    a.store.next(
        DELETE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    advance(a.manager.engine.releaseTimeout.multipliedBy(2));

    assertThat(closed).isDone();
    assertThat(leases).noneMatch(Lease::isHeld);
    assertThat(List.of("x", "y", "z").stream().filter(a.store::isFree)).hasSizeGreaterThan(1);
    advance(EXPIRED);
    assertThat(List.of("x", "y", "z")).allMatch(b::canAcquire);
  }

  @Test
  @GuardsAgainst(Pitfall.ONE_FAILED_RELEASE_STOPS_THE_OTHERS)
  void close_whenOneCallbackFails_releasesAll() {
    Lease x = a.acquire("x");
    Lease y = a.acquire("y");
    x.onLost(
        loss -> {
          throw new IllegalStateException("a bug in a callback");
        });

    closeAtOnce();

    assertThat(x.isHeld() || y.isHeld()).isFalse();
    assertThat(List.of("x", "y")).allMatch(a.store::isFree);
  }

  @Test
  void close_whileTheStoreIsSilent_isBounded() {
    Lease lease = a.acquire("x");
    a.store.cutOff();

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    advance(a.manager.engine.releaseTimeout.multipliedBy(2));

    assertThat(closed).isDone();
    assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);
    a.store.heal();
    advance(EXPIRED);
    assertThat(b.canAcquire("x")).as("after the TTL").isTrue();
  }

  @Test
  void close_whoseTimersNeverFire_isBoundedAllTheSame() {
    World.Client c =
        world.client(
            "C", m -> m.scheduler((task, delay) -> () -> {}).releaseTimeout(Duration.ofMillis(25)));
    Lease lease = c.acquire("x");
    c.store.next(DELETE, ScriptedStore.holdBack());

    c.manager.close();

    assertThat(world.now(c.manager.closeAsync())).isNull();
    assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);
    c.store.last(DELETE).landAndAnswer();
  }

  @Test
  void close_whileATaskBreaksOff_stillWaitsForTheCallbacks_beforeTheLockIsReleased() {
    List<Runnable> callbacks = new ArrayList<>();
    World.Client c = world.client("C", m -> m.callbackExecutor(callbacks::add));
    CompletableFuture<Lease> lease = c.manager.acquireAsync("x", World.ONE_ATTEMPT);
    runAll(callbacks);
    List<String> told = new ArrayList<>();
    lease.join().onLost(loss -> told.add(loss.reason().name()));
    CompletableFuture<@Nullable Void> closed = c.manager.closeAsync();

    c.manager.engine.onQueue(
        "x",
        queue -> {
          throw new IllegalStateException("a task that breaks off");
        });
    world.time.settle();
    assertThat(c.store.isFree("x")).as("before the callback has run").isFalse();
    runAll(callbacks);

    assertThat(told).containsExactly("MANAGER_CLOSED");
    assertThat(c.store.isFree("x")).isTrue();
    assertThat(closed).isCompleted();
  }

  private void runAll(List<Runnable> callbacks) {
    while (!callbacks.isEmpty()) {
      callbacks.remove(0).run();
      world.time.settle();
    }
  }

  @Test
  void call_thatReachesItsQueueAfterTheEnd_isToldSo() {
    Acquisition late = a.acquisition("x", World.PATIENT);
    closeAtOnce();

    a.manager.engine.onQueue("x", queue -> queue.submit(late));

    assertThat(late.outcome).isCompleted();
    assertThat(late.outcome.join()).isInstanceOf(Outcome.Closed.class);
  }

  @Test
  void close_endsTheOwnTimers() {
    closeAtOnce();

    assertThatThrownBy(() -> a.manager.engine.timers.onOwnThread(() -> {}, Duration.ofHours(1)))
        .isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void hook_thatComesAfterTheEnd_isRun() {
    List<String> ran = new ArrayList<>();
    closeAtOnce();

    a.manager.onClosing(() -> ran.add("hook"));
    world.time.settle();

    assertThat(ran).hasSize(1);
  }

  @Test
  void close_whileAnAcquisitionIsOut_givesBackWhatItWins() {
    a.store.next(CREATE, ScriptedStore.late(a.machine, seconds(1)));
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.PATIENT);

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    advance(seconds(2));

    assertThat(a.failure(acquisition)).hasMessageContaining("closed");
    assertThat(closed).isDone();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void close_ofAnInterruptedThread_waitsAllTheSame_andKeepsTheInterrupt() throws Exception {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.holdBack());
    Caller<Boolean> closing =
        Caller.of(
            () -> {
              Thread.currentThread().interrupt();
              a.manager.close();
              return Thread.interrupted();
            });
    closing.awaitBlocked();
    world.time.settle();

    a.store.last(DELETE).landAndAnswer();
    world.time.settle();

    assertThat(closing.result()).as("interrupted").isTrue();
    assertThat(lease.isHeld()).isFalse();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void call_afterTheEnd_isAnError_butReleasesAreNot() {
    Lease lease = a.acquire("x");
    closeAtOnce();

    assertThatThrownBy(() -> a.manager.acquireAsync("x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThat(lease.release()).isIn(ReleaseResult.RELEASED, ReleaseResult.NOT_HELD);
    assertThat(lease.renew()).isFalse();
  }
}
