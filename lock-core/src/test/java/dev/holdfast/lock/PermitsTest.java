package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.lock.store.ReadResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A semaphore as several locks. */
class PermitsTest extends OnVirtualTime {
  /** The longest pause between two rounds. */
  private static final Duration ROUND = Duration.ofMillis(104).multipliedBy(11).dividedBy(10);

  @AfterEach
  void noCallIsKept() {
    world.time.settle();
    assertThat(a.manager.permits.isEmpty()).as("no call is kept").isTrue();
  }

  private Optional<Lease> tryPermit(World.Client client, int permits) {
    return world.now(client.manager.tryAcquirePermitAsync("p", permits, World.ONE_ATTEMPT));
  }

  private Lease permit(World.Client client, int permits) {
    return tryPermit(client, permits).orElseThrow();
  }

  private CompletableFuture<Optional<Lease>> waiter(World.Client client, int permits) {
    return client.manager.tryAcquirePermitAsync("p", permits, World.PATIENT);
  }

  // --- How many

  @Test
  void permits_areGrantedToAsManyAsThereAre() {
    List<Lease> leases = List.of(permit(a, 3), permit(b, 3), permit(a, 3));
    assertThat(leases).extracting(Lease::lockId).containsExactlyInAnyOrder("p#0", "p#1", "p#2");

    assertThat(tryPermit(a, 3)).isEmpty();
    assertThat(tryPermit(b, 3)).isEmpty();
    leases.get(1).close();
    Lease next = permit(a, 3);

    assertThat(next.lockId()).isEqualTo(leases.get(1).lockId());
    assertThat(next.fencingToken()).isGreaterThan(leases.get(1).fencingToken());
    assertThat(tryPermit(b, 3)).isEmpty();
    List.of(leases.get(0), leases.get(2), next).forEach(Lease::close);
  }

  @Test
  void permit_thatIsTheOnlyOne_isAnOrdinaryLock() {
    Lease lease = permit(a, 1);

    assertThat(tryPermit(b, 1)).isEmpty();
    assertThat(b.manager.find("p#0")).isPresent();
    assertThat(b.canAcquire("p")).as("the name itself").isTrue();
    lease.close();
  }

  @Test
  void permits_areChosenByChance() {
    Set<String> chosen = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      try (Lease lease = permit(a, 4)) {
        chosen.add(lease.lockId());
      }
    }

    assertThat(chosen).containsExactlyInAnyOrder("p#0", "p#1", "p#2", "p#3");
  }

  @Test
  void call_thatFindsAPermitFreeAtFirst_sendsOneRequest_andElseReadsEachOnce() {
    Lease first = permit(a, 1);
    assertThat(a.store.requests()).hasSize(1);

    assertThat(tryPermit(b, 1)).isEmpty();
    assertThat(b.store.count(CREATE)).isEqualTo(1);
    first.close();
    List<Lease> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(permit(a, 20));
    }
    b.store.clear();

    assertThat(tryPermit(b, 20)).isEmpty();

    assertThat(b.store.count(CREATE)).as("attempts on held permits").isEqualTo(1);
    assertThat(b.store.count(READ)).isEqualTo(20);
    all.forEach(Lease::close);
  }

  // --- Outages

  @Test
  void outage_isAnException_neverEmpty() {
    a.store.goDown();

    assertThat(a.failure(a.manager.tryAcquirePermitAsync("p", 3, World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class);
  }

  @Test
  void outage_thatHidesOnePermitOnly_isAnException_unlessAnotherIsFree() {
    World.Client c = world.client("C", m -> m.random(() -> 0));
    List<Lease> held = List.of(c.acquire("p#0"), b.acquire("p#1"), b.acquire("p#2"));
    c.store.next(READ, ScriptedStore.unclear());
    assertThat(c.failure(c.manager.tryAcquirePermitAsync("p", 3, World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class);

    held.get(2).close();
    c.store.next(READ, ScriptedStore.unclear());
    Lease lease = permit(c, 3);

    assertThat(lease.lockId()).isEqualTo("p#2");
    lease.close();
    held.forEach(Lease::release);
  }

  @Test
  void outage_isWaitedOut() {
    a.store.goDown();
    CompletableFuture<Optional<Lease>> call = waiter(a, 2);
    advance(seconds(60));
    assertThat(call).isNotDone();

    a.store.heal();
    advance(seconds(1));

    world.now(call).orElseThrow().close();
  }

  @Test
  void outage_thatIsRejected_endsTheWaitAtOnce() {
    List<Lease> held = List.of(permit(b, 2), permit(b, 2));
    a.store.next(READ, request -> request.landAndAnswer());
    a.store.always(
        READ,
        ScriptedStore.answering(new ReadResult.Rejected(new IllegalStateException("forbidden"))));

    assertThat(a.failure(waiter(a, 2)))
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isFalse());
    held.forEach(Lease::close);
  }

  @Test
  void store_thatIsSilent_endsACallWithoutAWait_afterTwoRequestTimeouts() {
    a.store.cutOff();
    CompletableFuture<Optional<Lease>> call =
        a.manager.tryAcquirePermitAsync("p", 3, World.ONE_ATTEMPT);

    advance(World.REQUEST_TIMEOUT.multipliedBy(2));

    assertThat(a.failure(call)).isInstanceOf(LockStoreUnavailableException.class);
  }

  // --- Waiting

  @Test
  void wait_endsSoonAfterAnyPermitHasBecomeFree() {
    for (int freed = 0; freed < 3; freed++) {
      List<Lease> held = List.of(permit(b, 3), permit(b, 3), permit(b, 3));
      CompletableFuture<Optional<Lease>> call = waiter(a, 3);
      advance(seconds(5));
      assertThat(call).isNotDone();

      held.get(freed).close();
      advance(ROUND);

      Lease lease = world.now(call).orElseThrow();
      assertThat(lease.lockId()).isEqualTo(held.get(freed).lockId());
      lease.close();
      held.forEach(Lease::release);
    }
  }

  @Test
  void wait_whoseTimeIsUp_isEmpty_orAnExceptionInAnOutage() {
    Lease held = permit(b, 1);
    LockOptions patience = World.ONE_ATTEMPT.withWaitTimeout(seconds(3));
    CompletableFuture<Optional<Lease>> contended =
        a.manager.tryAcquirePermitAsync("p", 1, patience);
    advance(seconds(3).minus(MILLI));
    assertThat(contended).isNotDone();
    advance(MILLI);
    assertThat(world.now(contended)).isEmpty();

    CompletableFuture<Optional<Lease>> unavailable =
        a.manager.tryAcquirePermitAsync("p", 1, patience);
    advance(seconds(1));
    a.store.goDown();
    advance(seconds(2));
    assertThat(a.failure(unavailable)).isInstanceOf(LockStoreUnavailableException.class);
    a.store.heal();
    held.close();
  }

  @Test
  void waits_ofOneProcess_areServedInOrder_andOnlyTheFirstAsks() {
    List<Lease> held = List.of(permit(b, 3), permit(b, 3), permit(b, 3));
    List<CompletableFuture<Optional<Lease>>> waiters = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      waiters.add(waiter(a, 3));
    }
    advance(seconds(1));
    a.store.clear();
    advance(seconds(10));
    assertThat(a.store.count(READ)).as("3 for each round").isBetween(3 * 80, 3 * 120);
    assertThat(a.store.count(CREATE)).isZero();

    held.forEach(Lease::close);
    advance(ROUND);

    for (int i = 0; i < 20; i++) {
      advance(ROUND);
      assertThat(waiters.get(i)).as("waiter %s", i).isCompleted();
      if (i + 3 < 20) {
        assertThat(waiters.get(i + 3)).as("waiter %s", i + 3).isNotDone();
      }
      waiters.get(i).join().orElseThrow().close();
    }
  }

  @Test
  void waits_behindAnother_whoseTimeIsUp_areEmptyToo() {
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> first = waiter(a, 1);
    CompletableFuture<Optional<Lease>> second =
        a.manager.tryAcquirePermitAsync("p", 1, World.ONE_ATTEMPT.withWaitTimeout(seconds(3)));
    advance(seconds(3));

    assertThat(world.now(second)).isEmpty();
    held.close();
    advance(seconds(1));
    world.now(first).orElseThrow().close();
  }

  @Test
  void permit_ofACrashedHolder_isTakenOver() {
    world.recordIs(orphan("p#0"));
    CompletableFuture<Optional<Lease>> waiter = waiter(a, 1);

    advance(World.TTL.minus(seconds(1)));
    assertThat(waiter).isNotDone();
    advance(seconds(2));

    world.now(waiter).orElseThrow().close();
  }

  @Test
  void permit_ofACrashedHolder_isTakenOverByCallsThatDoNotWait() {
    world.recordIs(orphan("p#0"));
    world.recordIs(orphan("p#1"));
    // Both are seen, whichever is tried first.
    assertThat(tryPermit(a, 2)).isEmpty();
    advance(World.TTL.plus(MILLI));

    Lease one = permit(a, 2);
    Lease other = permit(a, 2);

    assertThat(List.of(one.lockId(), other.lockId())).containsExactlyInAnyOrder("p#0", "p#1");
    one.close();
    other.close();
  }

  @Test
  void waiters_areServedAtOnce_whenSeveralPermitsHaveBecomeFree() {
    List<Lease> held = List.of(permit(b, 2), permit(b, 2));
    CompletableFuture<Optional<Lease>> first = waiter(a, 2);
    CompletableFuture<Optional<Lease>> second = waiter(a, 2);
    advance(seconds(1));

    held.forEach(Lease::close);
    assertThat(world.time.runUntil(first::isDone, ROUND)).isTrue();

    Lease other = world.now(second).orElseThrow();
    assertThat(other.lockId()).isNotEqualTo(first.join().orElseThrow().lockId());
    other.close();
    first.join().orElseThrow().close();
  }

  @Test
  void waiter_whosePredecessorGivesUp_doesNotAskAtOnce() {
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> first = waiter(a, 1);
    CompletableFuture<Optional<Lease>> second = waiter(a, 1);
    advance(seconds(1));
    a.store.clear();

    first.cancel(false);
    world.time.settle();

    assertThat(a.store.requests()).isEmpty();
    advance(ROUND);
    assertThat(a.store.count(READ)).isPositive();
    held.close();
    advance(ROUND);
    world.now(second).orElseThrow().close();
  }

  /** That the first could not ask says nothing of who holds the permits. */
  @Test
  void wait_thatEndsInAnOutage_rightAfterItsPredecessor_isAnException() {
    Lease held = permit(b, 1);
    LockOptions patience = World.ONE_ATTEMPT.withWaitTimeout(seconds(3));
    CompletableFuture<Optional<Lease>> first = a.manager.tryAcquirePermitAsync("p", 1, patience);
    CompletableFuture<Optional<Lease>> second =
        a.manager.tryAcquirePermitAsync("p", 1, patience.withWaitTimeout(seconds(3.001)));
    advance(seconds(1));
    a.store.goDown();
    advance(seconds(2).plus(MILLI));

    assertThat(a.failure(first)).isInstanceOf(LockStoreUnavailableException.class);
    assertThat(a.failure(second)).isInstanceOf(LockStoreUnavailableException.class);
    a.store.heal();
    held.close();
  }

  // --- Rounds

  @Test
  void permit_thatAnotherTakesBetweenReadAndWrite_isLeftToIt_andTheNextIsTried() {
    World.Client c = world.client("C", m -> m.random(() -> 0));
    List<Lease> held = new ArrayList<>(List.of(b.acquire("p#0")));
    c.store
        .next(CREATE, ScriptedStore.Request::landAndAnswer)
        .next(
            CREATE,
            request -> {
              var unused = b.manager.acquireAsync("p#1", World.ONE_ATTEMPT).thenAccept(held::add);
              request.landAndAnswer();
            });

    Lease lease = permit(c, 3);

    assertThat(lease.lockId()).isEqualTo("p#2");
    lease.close();
    held.forEach(Lease::close);
  }

  @Test
  void round_afterAnOutage_triesOnlyWhatItReads() {
    World.Client c = world.client("C", m -> m.random(() -> 0));
    List<Lease> held = new ArrayList<>(List.of(b.acquire("p#0")));
    c.store
        .next(CREATE, ScriptedStore.Request::landAndAnswer)
        .next(
            CREATE,
            request -> {
              // Of the two that seemed free, the second is taken, and the first cannot be asked
              // for.
              var unused = b.manager.acquireAsync("p#2", World.ONE_ATTEMPT).thenAccept(held::add);
              c.store.goDown();
              request.answerUnclear();
            });
    CompletableFuture<Optional<Lease>> call = waiter(c, 3);
    world.time.settle();
    c.store.heal();
    c.store.clear();

    advance(seconds(1));

    Lease lease = world.now(call).orElseThrow();
    assertThat(lease.lockId()).isEqualTo("p#1");
    assertThat(c.store.requests(CREATE))
        .extracting(ScriptedStore.Request::lockId)
        .doesNotContain("p#2");
    lease.close();
    held.forEach(Lease::close);
  }

  // --- Ends that others make

  @Test
  void future_thatIsCancelledWhileItWaits_leavesNothing_andTheNextIsServed() {
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> first = waiter(a, 1);
    CompletableFuture<Optional<Lease>> second = waiter(a, 1);
    advance(seconds(1));

    first.cancel(false);
    held.close();
    advance(seconds(1));

    world.now(second).orElseThrow().close();
    a.store.clear();
    advance(seconds(10));
    assertThat(a.store.requests()).isEmpty();
  }

  @Test
  void future_thatIsCancelledBetweenGrantAndDelivery_givesThePermitBack() {
    CompletableFuture<Optional<Lease>> call =
        a.manager.tryAcquirePermitAsync("p", 1, World.ONE_ATTEMPT);
    assertThat(call).as("the callback has not run").isNotDone();
    assertThat(a.store.isFree("p#0")).isFalse();

    call.cancel(false);
    world.time.settle();

    assertThat(a.store.isFree("p#0")).isTrue();
  }

  @Test
  void future_thatIsCancelledWhileItsAttemptBegins_givesThePermitBack() {
    AtomicReference<Runnable> whenTokenIsMade = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.tokens(() -> World.after(whenTokenIsMade, "token")));
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> call = waiter(c, 1);
    advance(seconds(1));

    whenTokenIsMade.set(() -> assertThat(call.cancel(false)).isTrue());
    held.close();
    advance(seconds(1));

    assertThat(c.events.count("acquired p#0")).isEqualTo(1);
    assertThat(c.store.isFree("p#0")).isTrue();
  }

  @Test
  void future_thatIsCancelledWhileItWaits_asksNoMore_atOnce() {
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> call = waiter(a, 1);
    advance(seconds(1));
    assertThat(a.manager.permits.isEmpty()).isFalse();

    call.cancel(false);
    world.time.settle();

    assertThat(a.machine.pendingTimers()).isZero();
    a.store.clear();
    advance(seconds(1));
    assertThat(a.store.requests()).isEmpty();
    held.close();
  }

  @Test
  void future_thatIsCancelledWhileItsAttemptIsOut_givesTheAttemptUp_atOnce() {
    a.store.cutOff();
    CompletableFuture<Optional<Lease>> call = waiter(a, 1);
    world.time.settle();
    assertThat(a.manager.stats().waiting()).isEqualTo(1);

    call.cancel(false);
    world.time.settle();

    assertThat(a.manager.stats().waiting()).isZero();
  }

  @Test
  void future_thatIsCancelledWhileItsAttemptBegins_givesTheAttemptUp_atOnce() {
    AtomicReference<Runnable> whenTokenIsMade = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.tokens(() -> World.after(whenTokenIsMade, "token")));
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> call = waiter(c, 1);
    advance(seconds(1));

    whenTokenIsMade.set(
        () -> {
          c.store.cutOff();
          assertThat(call.cancel(false)).isTrue();
        });
    held.close();
    assertThat(world.time.runUntil(call::isDone, seconds(1))).isTrue();
    world.time.settle();

    assertThat(c.manager.stats().waiting()).isZero();
  }

  @Test
  void future_thatIsCancelledWhileItsPauseBegins_asksNoMore() {
    AtomicReference<Runnable> whenThePauseIsDrawn = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.random(() -> World.after(whenThePauseIsDrawn, 0L)));
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> call = waiter(c, 1);

    whenThePauseIsDrawn.set(() -> assertThat(call.cancel(false)).isTrue());
    world.time.settle();

    assertThat(call).isCancelled();
    assertThat(c.machine.pendingTimers()).isZero();
    held.close();
  }

  @Test
  void call_duringWhoseBeginTheManagerCloses_leavesNothing() {
    AtomicReference<Runnable> whenATimerIsSet = new AtomicReference<>(() -> {});
    World.Client c =
        world.client(
            "C",
            m ->
                m.scheduler(
                    (task, delay) ->
                        World.after(whenATimerIsSet, a.machine.schedule(task, delay))));
    whenATimerIsSet.set(
        () -> {
          var unused = c.manager.closeAsync();
        });

    assertThat(c.failure(waiter(c, 1))).hasMessageContaining("closed");

    assertThat(c.manager.permits.isEmpty()).isTrue();
    assertThat(a.machine.pendingTimers()).isZero();
  }

  @Test
  void call_whoseStepThrows_endsWithThat() {
    AtomicReference<Runnable> whenThePauseIsDrawn = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.random(() -> World.after(whenThePauseIsDrawn, 0L)));
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> call = waiter(c, 1);

    IllegalStateException broken = new IllegalStateException("no random numbers");
    whenThePauseIsDrawn.set(
        () -> {
          throw broken;
        });

    assertThat(c.failure(call))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasCause(broken)
        .hasMessageContaining("p#0");
    held.close();
  }

  @Test
  void close_endsWaits() {
    Lease held = permit(b, 1);
    CompletableFuture<Optional<Lease>> first = waiter(a, 1);
    CompletableFuture<Optional<Lease>> second = waiter(a, 1);
    advance(seconds(1));

    assertThat(world.now(a.manager.closeAsync())).isNull();

    assertThat(a.failure(first)).hasMessageContaining("closed");
    assertThat(a.failure(second)).hasMessageContaining("closed");
    assertThatIllegalStateException().isThrownBy(() -> waiter(a, 1));
    held.close();
  }

  // --- The blocking form

  @Test
  void tryAcquirePermit_returnsALease_orNothing() throws Exception {
    Lease lease = a.manager.tryAcquirePermit("p", 1, World.ONE_ATTEMPT).orElseThrow();

    Caller<Optional<Lease>> contended =
        Caller.of(() -> b.manager.tryAcquirePermit("p", 1, World.ONE_ATTEMPT));
    while (!contended.isDone()) {
      world.time.settle();
    }
    assertThat(contended.result()).isEmpty();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void tryAcquirePermit_whoseTimersNeverFire_endsOnTimeAllTheSame() throws Exception {
    World.Client c = world.client("C", m -> m.scheduler((task, delay) -> () -> {}));
    c.store.next(CREATE, ScriptedStore.holdBack());
    LockOptions options = World.ONE_ATTEMPT.withWaitTimeout(Duration.ofMillis(50));

    Caller<Optional<Lease>> call = Caller.of(() -> c.manager.tryAcquirePermit("p", 1, options));

    assertThat(call.failure())
        .isInstanceOf(LockStoreUnavailableException.class)
        .rootCause()
        .hasMessageNotContaining("the lock engine had no outcome");
    c.store.last(CREATE).landAndAnswer();
  }

  @Test
  void tryAcquirePermit_ofAThreadThatIsInterrupted_ends_andHoldsNothing() throws Exception {
    Lease held = permit(b, 1);
    Caller<Optional<Lease>> call =
        Caller.of(() -> a.manager.tryAcquirePermit("p", 1, World.PATIENT)).awaitBlocked();
    advance(seconds(1));

    call.interrupt();

    assertThat(call.failure()).isInstanceOf(InterruptedException.class);
    assertThat(a.manager.permits.isEmpty()).as("the call has ended").isTrue();
    held.close();
    advance(seconds(1));
    assertThat(a.store.isFree("p#0")).isTrue();
  }

  // --- Arguments

  @Test
  void arguments_outOfRange_areRejectedByName() {
    for (int permits : new int[] {Integer.MIN_VALUE, -1, 0, 257, Integer.MAX_VALUE}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> tryPermit(a, permits))
          .withMessage("permits must be from 1 to 256, but is " + permits);
    }
    permit(a, 256).close();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                a.manager.tryAcquirePermitAsync(
                    "p", 1, World.ONE_ATTEMPT.withMetadata(Map.of("k", "v".repeat(100_000)))))
        .withMessageContaining("metadata");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> a.manager.tryAcquirePermitAsync(" ", 1, World.ONE_ATTEMPT))
        .withMessageContaining("blank");
    world
        .now(a.manager.tryAcquirePermitAsync("n".repeat(510), 10, World.ONE_ATTEMPT))
        .orElseThrow()
        .close();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> a.manager.tryAcquirePermitAsync("n".repeat(510), 11, World.ONE_ATTEMPT))
        .withMessageContainingAll(
            "name", "512 bytes", "\"...\" with #10".substring(1), "takes 513");
  }

  // --- Never more than there are

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void permits_neverExceedTheirNumber(long seed) {
    World chaos = new World(seed);
    int permits = 2;
    List<World.Client> clients = List.of(chaos.client("1"), chaos.client("2"), chaos.client("3"));
    List<Lease> leases = new ArrayList<>();
    chaos.time.afterEachStep(
        () ->
            assertThat(leases.stream().filter(Lease::isHeld).count()).isLessThanOrEqualTo(permits));
    var random = chaos.time.fork("workload");
    int granted = 0;
    int contended = 0;
    for (int i = 0; i < 300; i++) {
      World.Client client = clients.get(random.nextInt(clients.size()));
      LockOptions options =
          World.ONE_ATTEMPT
              .withTtl(seconds(3))
              .withWaitTimeout(Duration.ofMillis(random.nextInt(3) * 400L));
      var unused =
          client
              .manager
              .tryAcquirePermitAsync("p", permits, options)
              .thenAccept(lease -> lease.ifPresent(leases::add));
      switch (random.nextInt(12)) {
        case 0 -> client.store.cutOff();
        case 1 -> client.machine.pause();
        default -> {
          clients.forEach(c -> c.store.heal());
          clients.forEach(c -> c.machine.resume());
        }
      }
      chaos.advance(Duration.ofMillis(random.nextInt(600)));
      long held = leases.stream().filter(Lease::isHeld).count();
      granted = Math.max(granted, (int) held);
      contended += held == permits ? 1 : 0;
      if (!leases.isEmpty() && random.nextInt(3) == 0) {
        var unusedToo = leases.remove(random.nextInt(leases.size())).releaseAsync();
      }
    }

    assertThat(granted).as("all permits were held at a time").isEqualTo(permits);
    assertThat(contended).isGreaterThan(20);
    clients.forEach(c -> c.store.heal());
    clients.forEach(c -> c.machine.resume());
    release(leases);
    chaos.advance(Duration.ofMinutes(1));
    release(leases);
    chaos.assertNothingIsLeft();
  }

  private static void release(List<Lease> leases) {
    for (Lease lease : leases) {
      var unused = lease.releaseAsync();
    }
  }

  /** A permit that lingered would seem held to other calls of its own process too. */
  @Test
  void releasedPermit_isFreeAtOnce_alsoWithOptionsThatLinger() {
    LockOptions lingering = World.ONE_ATTEMPT.withLinger(seconds(10));
    Lease ofB = permit(b, 2);
    for (int i = 0; i < 20; i++) {
      Optional<Lease> permit = world.now(a.manager.tryAcquirePermitAsync("p", 2, lingering));
      assertThat(permit).as("the other permit, the %d. time", i).isPresent();
      assertThat(world.now(permit.orElseThrow().releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    }
    ofB.close();
  }
}
