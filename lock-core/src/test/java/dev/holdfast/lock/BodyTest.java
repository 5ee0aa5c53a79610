package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bodies that run under a lock: how they begin, how they end, and what they are told. */
class BodyTest extends OnVirtualTime {
  private static final LockOptions NOTIFY =
      LockOptions.defaults().withOnLeaseLost(OnLeaseLost.NOTIFY);

  @AfterEach
  void noInterruptIsLeft() {
    assertThat(Thread.interrupted()).as("an interrupt was left behind").isFalse();
  }

  // --- A body that is left alone

  @Test
  void body_returns_andItsResultArrives_andTheLockIsFree() throws Exception {
    String result =
        a.manager.withLock(
            "x",
            () -> {
              assertThat(a.store.isFree("x")).isFalse();
              assertThat(b.canAcquire("x")).isFalse();
              return "done";
            });

    assertThat(result).isEqualTo("done");
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  @SuppressWarnings("NullAway") // The checker does not look into type arguments.
  void body_mayReturnNull() throws Exception {
    String result = a.manager.withLock("x", BodyTest::nothing);

    assertThat(result).isNull();
  }

  private static @Nullable String nothing() {
    return null;
  }

  @Test
  void body_throws_andExactlyThatArrives_andTheLockIsFree() {
    List<Throwable> thrown =
        List.of(
            new IOException("checked"),
            new IllegalStateException("unchecked"),
            new AssertionError("an error"),
            new InterruptedException("its own"));
    for (Throwable failure : thrown) {
      assertThat(catchThrowable(() -> a.manager.withLock("x", () -> throwing(failure))))
          .isSameAs(failure);
      assertThat(failure.getSuppressed()).isEmpty();
      assertThat(a.store.isFree("x")).isTrue();
    }
  }

  private static String throwing(Throwable failure) throws Exception {
    if (failure instanceof Exception exception) {
      throw exception;
    }
    throw (Error) failure;
  }

  @Test
  void body_thatIsLong_isRenewedMeanwhile() throws Exception {
    a.manager.withLock(
        "x",
        () -> {
          advance(World.TTL.multipliedBy(5));
          assertThat(b.canAcquire("x")).isFalse();
        });

    assertThat(a.events.count("lost x")).isZero();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void body_ofTryWithLock_runsIfTheLockIsFree_andElseIsSkipped() throws Exception {
    AtomicBoolean ran = new AtomicBoolean();
    assertThat(a.manager.tryWithLock("x", () -> ran.set(true))).isTrue();
    assertThat(ran).isTrue();

    Lease other = b.acquire("x");
    assertThat(a.manager.tryWithLock("x", () -> fail("ran without the lock"))).isFalse();
    other.close();
  }

  @Test
  void tryRunWithLease_passesTheLeaseAndTellsWhetherItRan() throws Exception {
    AtomicReference<@Nullable Lease> given = new AtomicReference<>();
    LockOptions options = LockOptions.defaults();

    assertThat(
            a.manager.tryRunWithLease(
                "x",
                options,
                lease -> {
                  assertThat(lease.isHeld()).isTrue();
                  given.set(lease);
                }))
        .isTrue();
    assertThat(given.get()).isNotNull().matches(lease -> !lease.isHeld());

    Lease other = b.acquire("x");
    assertThat(a.manager.tryRunWithLease("x", options, lease -> fail("ran without the lock")))
        .isFalse();
    other.close();
  }

  @Test
  void body_ofALockThatAnotherHolds_neverRuns() {
    Lease other = b.acquire("x");

    assertThatThrownBy(() -> a.manager.withLock("x", () -> fail("ran without the lock")))
        .isInstanceOf(LockAcquisitionException.class)
        .hasMessageStartingWith("Lock \"x\" not acquired");

    assertThat(other.isHeld()).isTrue();
    other.close();
  }

  @Test
  void body_hasTheLease_withItsFencingToken_andMayReleaseItEarly() throws Exception {
    FencingToken token =
        a.manager.withLease(
            "x",
            lease -> {
              assertThat(lease.isHeld()).isTrue();
              assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
              assertThat(b.canAcquire("x")).isTrue();
              advance(World.TTL.multipliedBy(2));
              return lease.fencingToken();
            });

    assertThat(token).isNotNull();
    assertThat(a.store.count(DELETE)).isEqualTo(1);
  }

  @Test
  @GuardsAgainst(Pitfall.RELEASE_BEFORE_THE_BODY_RETURNED)
  void release_ofABody_isSentOnlyAfterItHasReturned() throws Exception {
    a.manager.withLock("x", () -> assertThat(a.store.count(DELETE)).isZero());

    assertThat(a.store.count(DELETE)).isEqualTo(1);
  }

  // --- Loss

  @Test
  @GuardsAgainst(Pitfall.LOSS_IS_ONLY_LOGGED)
  void loss_interruptsTheBody_andTheCallEndsInIt_withWhatTheBodyThrew() {
    InterruptedException own = new InterruptedException("from the body");

    Throwable failure =
        catchThrowable(
            () ->
                a.manager.withLock(
                    "x",
                    () -> {
                      a.store.cutOff();
                      advance(World.VALIDITY.minus(MILLI));
                      assertThat(Thread.currentThread().isInterrupted()).isFalse();
                      // The wall clock, which counts here, is read in whole milliseconds.
                      advance(MILLI.multipliedBy(2));
                      assertThat(Thread.interrupted()).isTrue();
                      throw own;
                    }));

    assertThat(failure).isInstanceOf(LeaseLostException.class).hasCause(own);
    assertThat(failure).hasMessageContaining("\"x\"");
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @Test
  @GuardsAgainst(Pitfall.LOSS_IS_ONLY_LOGGED)
  void loss_ofABodyThatReturnsAllTheSame_endsTheCallAllTheSame() {
    assertThatThrownBy(
            () ->
                a.manager.withLock(
                    "x",
                    () -> {
                      a.store.cutOff();
                      advance(World.VALIDITY);
                      return "as if nothing had happened";
                    }))
        .isInstanceOf(LeaseLostException.class)
        .hasNoCause();
    // That the interrupt, which the body did not take, is gone is checked after each test.
  }

  @Test
  void loss_thatNobodyHasNoticed_isFoundWhenTheBodyReturns() {
    assertThatThrownBy(
            () ->
                a.manager.withLock(
                    "x",
                    () -> {
                      a.machine.pause();
                      advance(World.TTL);
                      assertThat(Thread.currentThread().isInterrupted()).isFalse();
                      return "long after";
                    }))
        .isInstanceOf(LeaseLostException.class)
        .hasMessageContaining("validity");
    a.machine.resume();
    world.time.settle();
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @Test
  void loss_withNotify_doesNotInterrupt_butTellsTheCallback_andEndsTheCall() {
    List<LeaseLostException> told = new ArrayList<>();

    assertThatThrownBy(
            () ->
                a.manager.withLease(
                    "x",
                    NOTIFY,
                    lease -> {
                      lease.onLost(told::add);
                      a.store.cutOff();
                      advance(World.VALIDITY);
                      assertThat(Thread.currentThread().isInterrupted()).isFalse();
                      assertThat(told).hasSize(1);
                      assertThat(lease.isHeld()).isFalse();
                      return "as if nothing had happened";
                    }))
        .isInstanceOf(LeaseLostException.class);
    advance(World.TTL);
    assertThat(told).as("told once").hasSize(1);
  }

  @Test
  void loss_ofABody_freesNothingOfTheSuccessors() {
    List<Lease> successor = new ArrayList<>();

    assertThatThrownBy(
            () ->
                a.manager.withLease(
                    "x",
                    NOTIFY,
                    lease -> {
                      a.store.cutOff();
                      var waiter = b.manager.acquireAsync("x", World.PATIENT);
                      advance(World.TTL.multipliedBy(2));
                      successor.add(world.now(waiter));
                      a.store.heal();
                      return "late";
                    }))
        .isInstanceOf(LeaseLostException.class);

    advance(seconds(1));
    assertThat(successor.get(0).isHeld()).isTrue();
    assertThat(successor.get(0).release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void loss_afterTheBodyHasReturned_isNoError() throws Exception {
    a.store.next(DELETE, ScriptedStore.holdBack());
    Caller<String> call = Caller.of(() -> a.manager.withLock("x", () -> "done"));
    call.awaitBlocked();

    advance(World.TTL);

    assertThat(call.result()).isEqualTo("done");
    assertThat(a.events.count("released x UNCONFIRMED")).isEqualTo(1);
  }

  @Test
  @GuardsAgainst(Pitfall.GRANT_AFTER_THE_LEASE_ENDED)
  void lease_thatEndedBeforeTheBodyBegan_runsNoBody() {
    // The engine draws the time of the first renewal when it has granted the lock, and before the
    // thread that waits for it goes on: in that moment the machine sleeps.
    AtomicReference<Runnable> whenGranted = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.random(() -> World.after(whenGranted, 0L)));
    whenGranted.set(() -> c.machine.stepWallClock(World.VALIDITY));

    assertThatThrownBy(() -> c.manager.withLock("x", () -> fail("ran after its lease")))
        .isInstanceOf(LeaseLostException.class);

    assertThat(c.store.count(CREATE)).isEqualTo(1);
    advance(seconds(1));
    assertThat(c.store.isFree("x")).as("its record is cleaned up").isTrue();
  }

  @Test
  void close_betweenTheGrantAndTheBody_runsNoBody_andSaysWhy() {
    AtomicReference<Runnable> whenGranted = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.random(() -> World.after(whenGranted, 0L)));
    whenGranted.set(
        () -> {
          var unused = c.manager.closeAsync();
        });

    // What no body has used need not stay unavailable.
    LockOptions options = World.ONE_ATTEMPT.withHoldAtLeast(seconds(60));
    assertThatThrownBy(() -> c.manager.withLock("x", options, () -> fail("ran after the end")))
        .isInstanceOf(LeaseLostException.class)
        .extracting("reason")
        .isEqualTo(LeaseLostException.Reason.MANAGER_CLOSED);

    assertThat(c.store.isFree("x")).isTrue();
  }

  @Test
  void call_whoseTimersNeverFire_endsOnTimeAllTheSame() throws Exception {
    World.Client c = world.client("C", m -> m.scheduler((task, delay) -> () -> {}));
    c.store.next(CREATE, ScriptedStore.holdBack());
    LockOptions options = World.ONE_ATTEMPT.withWaitTimeout(seconds(0.05));

    Caller<Lease> call = Caller.of(() -> c.manager.acquire("x", options));

    assertThat(call.failure())
        .isInstanceOf(LockStoreUnavailableException.class)
        .rootCause()
        .hasMessageNotContaining("the lock engine had no outcome");
    c.store.last(CREATE).landAndAnswer();
  }

  // --- Interrupts from elsewhere

  @Test
  @GuardsAgainst(Pitfall.INTERRUPT_IS_SWALLOWED)
  void interrupt_beforeTheCall_endsItBeforeAnyRequest() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> a.manager.withLock("x", () -> fail("ran in spite of an interrupt")))
        .isInstanceOf(InterruptedException.class)
        .hasMessageContaining("\"x\"");

    assertThat(a.store.requests()).isEmpty();
  }

  @Test
  @GuardsAgainst(Pitfall.INTERRUPT_IS_SWALLOWED)
  void interrupt_whileItWaits_endsTheCall_andLeavesNothing() throws Exception {
    Lease other = b.acquire("x");
    Caller<String> call =
        Caller.of(() -> a.manager.withLock("x", World.PATIENT, () -> "ran")).awaitBlocked();
    advance(seconds(1));

    call.interrupt();

    assertThat(call.failure()).isInstanceOf(InterruptedException.class);
    other.close();
    advance(seconds(1));
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(a.events.count("acquired x")).isZero();
  }

  @Test
  @GuardsAgainst({Pitfall.CANCEL_LEAVES_AN_ORPHAN, Pitfall.INTERRUPT_IS_SWALLOWED})
  void interrupt_whileTheRequestIsOut_endsTheCall_andWhatItWonIsGivenBack() throws Exception {
    a.store.next(CREATE, ScriptedStore.holdBack());
    Caller<String> call =
        Caller.of(() -> a.manager.withLock("x", World.PATIENT, () -> "ran")).awaitBlocked();

    call.interrupt();
    assertThat(call.failure()).isInstanceOf(InterruptedException.class);

    a.store.last(CREATE).land();
    assertThat(a.store.isFree("x")).isFalse();
    a.store.last(CREATE).answer();
    advance(seconds(1));
    assertThat(a.store.isFree("x")).as("the orphan is deleted").isTrue();
  }

  @Test
  @GuardsAgainst(Pitfall.CANCEL_LEAVES_AN_ORPHAN)
  void interrupt_whileTheRequestIsOut_whichLandsMuchLater_leavesNoOrphan() throws Exception {
    a.store.next(CREATE, ScriptedStore.holdBack());
    Caller<String> call =
        Caller.of(() -> a.manager.withLock("x", World.PATIENT, () -> "ran")).awaitBlocked();
    call.interrupt();
    assertThat(call.failure()).isInstanceOf(InterruptedException.class);
    advance(World.REQUEST_TIMEOUT.plus(seconds(5)));

    a.store.last(CREATE).land();
    advance(seconds(2));

    assertThat(a.store.isFree("x")).as("the orphan is deleted long before its TTL").isTrue();
  }

  @Test
  void interrupt_thatIsNotOurs_isKept_andTheLockIsReleasedAllTheSame() throws Exception {
    a.manager.withLock("x", () -> Thread.currentThread().interrupt());

    assertThat(Thread.interrupted()).isTrue();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void loss_afterTheBodyHasReturned_interruptsNobody() throws Exception {
    CountDownLatch returned = new CountDownLatch(1);
    a.store.next(DELETE, ScriptedStore.holdBack());
    Caller<Boolean> call =
        Caller.of(
            () -> {
              a.manager.withLock("x", returned::countDown);
              return Thread.currentThread().isInterrupted();
            });
    returned.await();
    call.awaitBlocked();

    a.machine.stepWallClock(World.TTL);
    advance(World.TTL);

    assertThat(call.result()).as("interrupted").isFalse();
  }
}
