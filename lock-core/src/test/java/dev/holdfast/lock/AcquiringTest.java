package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How a lock is won, found contended, or waited for. */
class AcquiringTest extends OnVirtualTime {

  // --- One attempt

  @Test
  void lock_thatIsFree_isAcquiredWithOneWrite() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withMetadata(Map.of("job", "nightly")));

    assertThat(a.store.requests()).hasSize(1);
    LockRecord record = a.store.found("x").record();
    assertThat(record.token()).isEqualTo(lease.token());
    assertThat(record.owner()).isEqualTo("A");
    assertThat(record.createdAt()).isEqualTo(VirtualTime.EPOCH).isEqualTo(lease.acquiredAt());
    assertThat(record.expiresAt()).isEqualTo(VirtualTime.EPOCH.plus(World.TTL));
    assertThat(record.ttlMillis()).isEqualTo(World.TTL.toMillis());
    assertThat(record.maxClockSkewMillis()).isEqualTo(World.SKEW.toMillis());
    assertThat(record.metadata()).containsExactly(Map.entry("job", "nightly"));
    assertThat(lease.fencingToken())
        .isEqualTo(FencingToken.of(a.store.found("x").version(), /* handoff= */ 0));
    lease.close();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void lock_thatAnotherProcessHolds_isRefusedWithItsHolder() {
    Lease held = a.acquire("x");

    Throwable failure = b.failure(b.manager.acquireAsync("x", World.ONE_ATTEMPT));

    assertThat(failure)
        .isInstanceOf(LockAcquisitionException.class)
        .hasMessageStartingWith("Lock \"x\" not acquired")
        .hasMessageContaining("held by A");
    assertThat(((LockAcquisitionException) failure).holder())
        .hasValueSatisfying(holder -> assertThat(holder.token()).isEqualTo(held.token()));
    assertThat(b.events.all()).containsExactly("contended x");
    assertThat(b.store.requests()).hasSize(2);
    held.close();
  }

  @Test
  void lock_thatIsHeldHere_isRefusedWithoutAskingTheStore() {
    Lease held = a.acquire("x");
    a.store.clear();

    for (int i = 0; i < 10; i++) {
      assertThat(a.failure(a.manager.acquireAsync("x", World.ONE_ATTEMPT)))
          .isInstanceOf(LockAcquisitionException.class)
          .hasMessageContaining("held by A");
    }

    assertThat(a.store.requests()).isEmpty();
    held.close();
  }

  @Test
  void lockWhoseLeaseHasJustEndedHere_isAskedForAgain() {
    Lease old = a.acquire("x");
    a.machine.stepWallClock(Duration.ofHours(1));

    Lease next = a.acquire("x");

    assertThat(old.isHeld()).isFalse();
    assertThat(next.isHeld()).isTrue();
    assertThat(next.fencingToken()).isGreaterThan(old.fencingToken());
    assertThat(old.release()).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(next.isHeld()).isTrue();
    assertThat(next.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  @GuardsAgainst(Pitfall.ACQUIRING_AGAIN_OVERWRITES_THE_TOKEN)
  void token_ofEachAcquisition_isFresh() {
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Lease lease = (i % 2 == 0 ? a : b).acquire("x");
      tokens.add(lease.token());
      lease.close();
    }
    assertThat(tokens).doesNotHaveDuplicates();
  }

  // --- What is unclear

  @Test
  void create_thatLandedButWasNotAnswered_isRecognisedAndConfirmed() {
    a.store.next(CREATE, ScriptedStore.landsButUnclear());

    Lease lease = a.acquire("x");

    assertThat(a.store.requests())
        .extracting(r -> r.op().name())
        .containsExactly("create", "read", "replace");
    assertThat(lease.fencingToken())
        .as("that of the confirmation, the only write that was acknowledged")
        .isEqualTo(FencingToken.of(a.store.found("x").version(), /* handoff= */ 0));
    lease.close();
  }

  @Test
  void create_thatLandedSlowly_givesNoLeaseBeforeItsConfirmation_whoseStartCounts() {
    a.store.next(CREATE, ScriptedStore.loseAnswer()).next(REPLACE, ScriptedStore.holdBack());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.PATIENT);
    advance(World.REQUEST_TIMEOUT);
    assertThat(a.store.found("x").record().token()).as("ours, but unproven").startsWith("A-");
    assertThat(acquisition).isNotDone();

    advance(seconds(1));
    a.store.last(REPLACE).landAndAnswer();

    Lease lease = world.now(acquisition);
    assertThat(lease.acquiredAt()).isEqualTo(VirtualTime.EPOCH.plus(World.REQUEST_TIMEOUT));
    assertThat(lease.remaining()).isEqualTo(World.VALIDITY.minus(seconds(1)));
    lease.close();
  }

  @Test
  void create_thatDidNotLand_isTriedAgain() {
    a.store.next(CREATE, ScriptedStore.unclear());

    Lease lease = a.acquire("x");

    assertThat(a.store.count(CREATE)).isEqualTo(2);
    lease.close();
  }

  @Test
  void create_thatWasSentTwice_conflictsWithItself_andIsConfirmed() {
    a.store.next(CREATE, ScriptedStore.twice());

    Lease lease = a.acquire("x");

    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(lease.isHeld()).isTrue();
    lease.close();
  }

  @Test
  void confirmation_thatWasNotAnswered_isConfirmedAgain() {
    a.store
        .next(CREATE, ScriptedStore.landsButUnclear())
        .next(REPLACE, ScriptedStore.landsButUnclear());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));

    Lease lease = world.now(acquisition);

    assertThat(lease.fencingToken())
        .isEqualTo(FencingToken.of(a.store.found("x").version(), /* handoff= */ 0));
    lease.close();
  }

  @Test
  @GuardsAgainst(Pitfall.GRANT_AFTER_THE_LEASE_ENDED)
  void grant_thatIsAnsweredAfterItsValidity_isNoLease_andIsAskedForAnew() {
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.PATIENT);
    a.store.last(CREATE).land();
    a.machine.stepWallClock(World.VALIDITY);
    a.store.always(REPLACE, ScriptedStore.holdBack());

    a.store.last(CREATE).answer();

    world.time.settle();
    assertThat(acquisition).isNotDone();
    a.store.last(REPLACE).landAndAnswer();
    assertThat(world.now(acquisition).remaining()).isEqualTo(World.VALIDITY);
    assertThat(a.events.all()).containsExactly("acquired x");
    world.now(acquisition).close();
  }

  @Test
  void conflict_thenNothing_isAskedOnceMoreBeforeItIsBelieved() {
    a.store
        .next(CREATE, ScriptedStore.answering(new WriteResult.Conflict()))
        .next(READ, ScriptedStore.answering(new ReadResult.Absent(MEMORY)))
        .next(READ, ScriptedStore.answering(new ReadResult.Absent(MEMORY)));

    Lease lease = a.acquire("x");

    assertThat(a.store.requests())
        .extracting(r -> r.op().name())
        .containsExactly("create", "read", "read", "create");
    lease.close();
  }

  @Test
  void read_thatIsOlderThanOurOwnLastWrite_isIgnored() {
    Lease first = a.acquire("x");
    ReadResult stale = a.store.snapshot("x");
    first.close();
    Lease held = b.acquire("x");
    // A queue that lives on: it knows the version of the delete.
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    held.close();
    advance(seconds(1));
    Lease afterAll = world.now(waiter);
    ReadResult older = a.store.snapshot("x");
    a.manager.acquireAsync("x", World.PATIENT).cancel(false);
    CompletableFuture<Lease> next = a.manager.acquireAsync("x", World.APART);
    a.store.clear();
    a.store
        .next(CREATE, ScriptedStore.answering(new WriteResult.Conflict()))
        .next(READ, ScriptedStore.answering(stale))
        .next(READ, ScriptedStore.answering(older));

    afterAll.close();
    advance(seconds(1));

    Lease lease = world.now(next);
    assertThat(b.failure(b.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockAcquisitionException.class);
    assertThat(a.store.requests())
        .extracting(r -> r.op().name())
        .startsWith("delete", "create", "read", "read", "read");
    lease.close();
  }

  // --- Taking over

  @Test
  void orphan_thatStandsForItsTtl_isTakenOver_notBefore() {
    world.recordIs(orphan("x"));
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);

    advance(World.TTL.minus(MILLI));
    assertThat(waiter).isNotDone();
    advance(MILLI);

    Lease lease = world.now(waiter);
    assertThat(a.events.all()).contains("acquired x", "takenOver x from crashed");
    assertThat(lease.fencingToken().seqNo()).isPositive();
    lease.close();
  }

  @Test
  @GuardsAgainst(Pitfall.COLD_START_WAITS_A_WHOLE_LEASE)
  void orphan_isTakenOverByOneWhoOnlyEverTriesOnce() {
    world.recordIs(orphan("x"));
    for (int i = 0; i < 6; i++) {
      assertThat(a.canAcquire("x")).as("after %d s", i * 5).isFalse();
      advance(seconds(5));
    }

    assertThat(a.canAcquire("x")).as("after a whole TTL").isTrue();
  }

  @Test
  void holder_thatRenews_isNeverTakenOver() {
    World.Client careful = world.client("careful", m -> m.calendarTakeover(false));
    Lease lease = a.acquire("x");
    CompletableFuture<Lease> waiter = careful.manager.acquireAsync("x", World.PATIENT);

    advance(Duration.ofMinutes(9));

    assertThat(waiter).isNotDone();
    assertThat(lease.isHeld()).isTrue();
    lease.close();
    advance(seconds(1));
    world.now(waiter).close();
  }

  @Test
  void calendarSwitchedOffByTheHolder_leavesOnlyObservation() {
    World.Client wary = world.client("wary", m -> m.calendarTakeover(false));
    Lease crashed = wary.acquire("x");
    assertThat(a.store.found("x").record().maxClockSkewMillis()).isNull();
    wary.machine.pause();
    advance(Duration.ofHours(1));

    assertThat(a.canAcquire("x")).isFalse();
    advance(World.TTL);
    assertThat(a.canAcquire("x")).isTrue();
    wary.machine.resume();
    assertThat(crashed.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void calendarSwitchedOffByTheReader_leavesOnlyObservation() {
    World.Client wary = world.client("wary", m -> m.calendarTakeover(false));
    Lease crashed = a.acquire("x");
    a.machine.pause();
    advance(Duration.ofHours(1));

    assertThat(wary.canAcquire("x")).isFalse();
    assertThat(b.canAcquire("x")).as("the other one trusts it").isTrue();
    a.machine.resume();
    crashed.release();
  }

  @Test
  void readerWithTheLargerSkew_waitsThatMuchLonger() {
    World.Client lax = world.client("lax", m -> m.maxClockSkew(seconds(60)));
    Lease crashed = a.acquire("x");
    a.machine.pause();
    advance(World.TTL.plus(World.SKEW).plus(MILLI));

    assertThat(lax.canAcquire("x")).isFalse();
    assertThat(b.canAcquire("x")).isTrue();
    a.machine.resume();
    crashed.release();
  }

  @Test
  void garbageRecord_isALock_thatOnlyItsStandingStillEnds() {
    LockRecord garbage = new LockRecord("x", "", "", null, null, 0, null, Map.of());
    world.recordIs(garbage);

    assertThat(a.failure(a.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockAcquisitionException.class)
        .hasMessageContaining("unknown owner");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(Duration.ofMinutes(5).minus(MILLI));
    assertThat(waiter).isNotDone();
    advance(MILLI);
    world.now(waiter).close();
  }

  @Test
  void recordWithAHugeTtl_isWaitedForInVain_andThatIsAll() {
    LockRecord huge =
        new LockRecord("x", "t", "o", null, null, Long.MAX_VALUE, Long.MAX_VALUE, Map.of());
    world.recordIs(huge);
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);

    advance(World.PATIENT.waitTimeout());

    assertThat(a.failure(waiter)).isInstanceOf(LockAcquisitionException.class);
  }

  @Test
  void takeOver_isConditionalOnTheVersionThatWasJudged() {
    Lease held = a.acquire("x");
    ReadResult.Found judged = a.store.found("x");
    a.machine.pause(); // so that A does not renew by itself
    advance(World.TTL.plus(World.SKEW).plus(seconds(1)));
    // B sees the expired record, and A's renewal lands just before B's write.
    b.store.next(
        REPLACE,
        request -> {
          var unused = world.memory.replace(judged.record(), judged.version());
          request.landAndAnswer();
        });

    CompletableFuture<Lease> attempt = b.manager.acquireAsync("x", World.ONE_ATTEMPT);
    world.time.settle();

    // The record that "landed" says an expired date, too: the next try wins.
    Lease lease = world.now(attempt);
    assertThat(b.store.count(REPLACE)).isEqualTo(2);
    assertThat(lease.isHeld()).isTrue();
    a.machine.resume();
    assertThat(held.isHeld()).isFalse();
    held.release();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void takeOver_whoseAnswerIsLost_isConfirmedAndStillReported() {
    world.recordIs(orphan("x"));
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));
    a.store.next(REPLACE, ScriptedStore.landsButUnclear());

    advance(World.TTL);

    Lease lease = world.now(waiter);
    assertThat(a.events.all()).contains("acquired x", "takenOver x from crashed");
    lease.close();
  }

  // --- Waiting

  @Test
  void wait_thatIsInVain_endsExactlyOnTime() {
    Lease held = a.acquire("x");
    Duration wait = Duration.ofMillis(12_345);
    CompletableFuture<Lease> waiter =
        b.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(wait));

    advance(wait.minusNanos(1));
    assertThat(waiter).isNotDone();
    advance(Duration.ofNanos(1));

    assertThat(b.failure(waiter))
        .isInstanceOf(LockAcquisitionException.class)
        .hasMessageContainingAll("held by A", "waited 12345 ms");
    assertThat(b.events.all()).containsExactly("waiting x", "contended x");
    held.close();
  }

  @Test
  @GuardsAgainst(Pitfall.OUTAGE_LOOKS_LIKE_CONTENTION)
  void wait_whileTheStoreIsSilent_endsExactlyOnTime_andIsNoContention() {
    a.store.cutOff();
    Duration wait = Duration.ofMillis(7_777);
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(wait));

    advance(wait.minusNanos(1));
    assertThat(waiter).isNotDone();
    advance(Duration.ofNanos(1));

    assertThat(a.failure(waiter)).isInstanceOf(LockStoreUnavailableException.class);
    assertThat(a.events.all()).containsExactly("unavailable x");
  }

  @Test
  void attempt_whileTheStoreIsSilent_endsWithTheRequestTimeout() {
    a.store.cutOff();
    CompletableFuture<Lease> attempt = a.manager.acquireAsync("x", World.ONE_ATTEMPT);

    advance(World.REQUEST_TIMEOUT.minusNanos(1));
    assertThat(attempt).isNotDone();
    advance(Duration.ofNanos(1));

    assertThat(a.failure(attempt))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContainingAll("scripted store", "\"x\"", "10000 ms");
  }

  @Test
  @GuardsAgainst(Pitfall.THUNDERING_HERD)
  void poll_growsToItsBound_andIsJittered() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(60));

    List<ScriptedStore.Request<ReadResult>> reads = b.store.requests(READ);
    List<Duration> gaps = new ArrayList<>();
    for (int i = 1; i < reads.size(); i++) {
      gaps.add(Duration.ofNanos(reads.get(i).sentAt() - reads.get(i - 1).sentAt()));
    }
    assertThat(gaps.get(0)).isBetween(Duration.ofMillis(9), Duration.ofMillis(11));
    assertThat(gaps.get(1)).isBetween(Duration.ofMillis(18), Duration.ofMillis(22));
    List<Duration> steady = gaps.subList(4, gaps.size());
    assertThat(steady)
        .allSatisfy(gap -> assertThat(gap).isBetween(Duration.ofMillis(71), Duration.ofMillis(115)))
        .doesNotHaveDuplicates();
    assertThat(steady.stream().reduce(Duration.ZERO, Duration::plus).dividedBy(steady.size()))
        .as("the mean, which bounds the cost: at most ten requests a second")
        .isBetween(Duration.ofMillis(100), Duration.ofMillis(107));
    assertThat(b.store.mostInFlight()).isEqualTo(1);
    waiter.cancel(false);
    held.close();
  }

  /** What is sent at one instant is gathered by the store into few requests. */
  @Test
  void polls_ofManyLocks_shareFewInstants() {
    int locks = 40;
    List<Lease> held = new ArrayList<>();
    List<CompletableFuture<Lease>> waiters = new ArrayList<>();
    for (int i = 0; i < locks; i++) {
      held.add(a.acquire("x" + i));
      waiters.add(b.manager.acquireAsync("x" + i, World.PATIENT));
      advance(Duration.ofMillis(7));
    }
    advance(seconds(1));
    b.store.clear();
    advance(seconds(10));

    List<ScriptedStore.Request<ReadResult>> reads = b.store.requests(READ);
    assertThat(reads).hasSizeBetween(locks * 85, locks * 105);
    assertThat(reads.stream().map(ScriptedStore.Request::sentAt).distinct())
        .as("instants in 10 s, 22 ms apart on average")
        .hasSizeBetween(80, 456);
    waiters.forEach(waiter -> waiter.cancel(false));
    held.forEach(Lease::close);
  }

  /** A process that always came second would find the lock taken each time. */
  @Test
  void polls_ofTwoManagers_areNotAlwaysInTheSameOrder() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
    World.Client third = world.client("third");
    CompletableFuture<Lease> other = third.manager.acquireAsync("x", World.PATIENT);
    int first = 0;
    int moments = 500;
    for (int i = 0; i < moments; i++) {
      advance(Duration.ofMillis(311));
      b.store.clear();
      third.store.clear();
      assertThat(
              world.time.runUntil(
                  () -> !b.store.requests().isEmpty() || !third.store.requests().isEmpty(),
                  seconds(1)))
          .isTrue();
      first += b.store.requests().isEmpty() ? 0 : 1;
    }
    assertThat(first).isBetween(moments * 2 / 5, moments * 3 / 5);
    waiter.cancel(false);
    other.cancel(false);
    held.close();
  }

  @Test
  void poll_isNeverFasterThanTheStoreAnswers() {
    Lease held = a.acquire("x");
    b.store.always(CREATE, ScriptedStore.late(b.machine, seconds(2)));
    b.store.always(READ, ScriptedStore.late(b.machine, seconds(2)));
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);

    advance(seconds(60));

    assertThat(b.store.mostInFlight()).isEqualTo(1);
    assertThat(b.store.requests()).hasSizeBetween(25, 31);
    waiter.cancel(false);
    held.close();
  }

  @Test
  void poll_whileTheStoreFails_backsOff() {
    a.store.goDown();
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);

    advance(Duration.ofMinutes(1));

    assertThat(a.store.requests()).hasSizeLessThan(300);
    assertThat(a.store.mostInFlight()).isEqualTo(1);
    a.store.heal();
    advance(seconds(2));
    world.now(waiter).close();
  }

  @Test
  @GuardsAgainst(Pitfall.THUNDERING_HERD)
  void waiters_ofOneProcess_askTheStoreAsOne() {
    Lease held = a.acquire("x");
    List<CompletableFuture<Lease>> waiters = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      waiters.add(b.manager.acquireAsync("x", World.PATIENT));
    }
    advance(seconds(10));
    assertThat(b.store.requests()).hasSizeLessThan(120);
    assertThat(b.store.mostInFlight()).isEqualTo(1);

    held.close();
    for (int i = 0; i < waiters.size(); i++) {
      advance(seconds(1));
      assertThat(waiters.stream().filter(CompletableFuture::isDone).count())
          .as("one after the other, in order")
          .isEqualTo(i + 1);
      world.now(waiters.get(i)).close();
    }
  }

  @Test
  void waiters_whoTimeOutTogetherInAnOutage_sendNoBurst() {
    a.store.cutOff();
    LockOptions wait = World.ONE_ATTEMPT.withWaitTimeout(seconds(5));
    List<CompletableFuture<Lease>> waiters = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      waiters.add(a.manager.acquireAsync("x", wait));
    }

    advance(seconds(6));

    assertThat(waiters)
        .allSatisfy(
            waiter ->
                assertThat(a.failure(waiter)).isInstanceOf(LockStoreUnavailableException.class));
    assertThat(a.store.requests()).hasSizeLessThan(10);
  }

  @Test
  void polls_whoseCancellingComesTooLate_doNotMultiply() {
    Lease held = a.acquire("x");
    b.machine.cancelTooLate(true);
    CompletableFuture<Lease> waiter =
        b.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(seconds(60)));
    for (int i = 0; i < 30; i++) {
      advance(Duration.ofMillis(30));
      b.failure(b.manager.acquireAsync("x", World.ONE_ATTEMPT));
    }
    b.store.clear();

    advance(seconds(10));

    assertThat(b.store.requests()).hasSizeLessThan(110);
    waiter.cancel(false);
    held.close();
  }

  @Test
  void wait_endsSoonAfterTheRelease() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(10));

    held.close();

    assertThat(world.time.runUntil(waiter::isDone, Duration.ofMillis(115))).isTrue();
    world.now(waiter).close();
  }

  @Test
  void wait_forALockHeldHere_endsWithTheRelease_andAsksNobodyBefore() {
    Lease held = a.acquire("x");
    a.store.clear();
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(5));
    assertThat(a.store.requests()).isEmpty();
    assertThat(a.events.all()).containsExactly("acquired x", "waiting x");

    held.close();

    Lease next = world.now(waiter);
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    next.close();
  }

  @Test
  void waiting_isToldOnceForEachAcquisition() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> one = b.manager.acquireAsync("x", World.PATIENT);
    CompletableFuture<Lease> other = b.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(5));

    assertThat(b.events.count("waiting x")).isEqualTo(2);

    held.close();
    advance(seconds(1));
    world.now(one).close();
    advance(seconds(1));
    world.now(other).close();
    assertThat(b.events.count("waiting x")).isEqualTo(2);
  }

  @Test
  void oneAttempt_thatComesWhileAWaiterAsks_isMadeWhenThatIsAnswered() {
    Lease held = b.acquire("x");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();
    a.store.clear();
    a.store.next(READ, ScriptedStore.holdBack());
    assertThat(world.time.runUntil(() -> a.store.count(READ) == 1, seconds(1))).isTrue();
    CompletableFuture<Lease> once = a.manager.acquireAsync("x", World.ONE_ATTEMPT);
    world.time.settle();
    assertThat(once).as("its attempt has not begun").isNotDone();

    a.store.last(READ).landAndAnswer();
    world.time.settle();

    assertThat(a.failure(once)).isInstanceOf(LockAcquisitionException.class);
    assertThat(waiter).isNotDone();
    held.close();
    advance(seconds(1));
    world.now(waiter).close();
  }

  @Test
  void waiter_thatIsCancelledOrWhoseManagerCloses_leavesNoTimer() {
    Lease held = b.acquire("x");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));
    assertThat(a.machine.pendingTimers()).isPositive();
    waiter.cancel(false);
    world.time.settle();
    assertThat(a.machine.pendingTimers()).isZero();

    CompletableFuture<Lease> another = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));
    assertThat(world.now(a.manager.closeAsync())).isNull();
    assertThat(another).isCompletedExceptionally();
    assertThat(a.machine.pendingTimers()).isZero();
    held.close();
  }

  @Test
  void waiting_isTold_whenAnotherOfThisProcessIsGrantedTheLock() {
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> first = a.manager.acquireAsync("x", World.PATIENT);
    CompletableFuture<Lease> second = a.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();
    assertThat(a.events.count("waiting x")).isZero();

    a.store.last(CREATE).landAndAnswer();
    world.time.settle();

    assertThat(a.events.count("waiting x")).isEqualTo(1);
    world.now(first).close();
    world.now(second).close();
  }

  @Test
  void oneAttempt_beside_aWaiter_isMadeAtOnce() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(5));
    int before = b.store.count(READ);

    assertThat(b.failure(b.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockAcquisitionException.class);

    assertThat(b.store.count(READ)).isEqualTo(before + 1);
    held.close();
    advance(seconds(1));
    world.now(waiter).close();
  }

  @Test
  @GuardsAgainst(Pitfall.DIFFERENT_NAMES_BLOCK_EACH_OTHER)
  void locksOfDifferentNames_neverWaitForEachOther() {
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> stuck = a.manager.acquireAsync("lock 0", World.PATIENT);
    List<Lease> leases = new ArrayList<>();
    for (int i = 1; i < 500; i++) {
      leases.add(a.acquire("lock " + i));
    }
    assertThat(stuck).isNotDone();
    leases.forEach(lease -> assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED));
    a.store.requests(CREATE).get(0).landAndAnswer();
    world.now(stuck).close();
  }

  // --- Outage or contention

  @Test
  @GuardsAgainst(Pitfall.OUTAGE_LOOKS_LIKE_CONTENTION)
  void storeThatFails_isNeverReportedAsContention() {
    a.store.goDown();

    assertThat(a.failure(a.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class)
        .satisfies(e -> assertThat(((LockStoreUnavailableException) e).isRetryable()).isTrue());
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(seconds(3)));
    advance(seconds(3));
    assertThat(a.failure(waiter)).isInstanceOf(LockStoreUnavailableException.class);
    assertThat(a.events.count("contended x")).isZero();
  }

  @Test
  void storeThatRefuses_endsTheWaitAtOnce_andSaysThatTryingAgainIsNoUse() {
    a.store.always(
        CREATE,
        ScriptedStore.answering(
            new WriteResult.Rejected(new IllegalStateException("no privilege"))));

    Throwable failure = a.failure(a.manager.acquireAsync("x", World.PATIENT));

    assertThat(failure)
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContainingAll("rejected", "no privilege");
    assertThat(((LockStoreUnavailableException) failure).isRetryable()).isFalse();
  }

  @Test
  void storeThatThrowsOrFailsItsFutures_isUnavailable() {
    a.store.next(CREATE, ScriptedStore.throwing(new IllegalStateException("a bug")));
    a.store.next(READ, ScriptedStore.throwing(new IllegalStateException("a bug")));
    assertThat(a.failure(a.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContaining("a bug");

    a.store.next(CREATE, ScriptedStore.failing(new IllegalStateException("another")));
    a.store.next(READ, ScriptedStore.failing(new IllegalStateException("another")));
    assertThat(a.failure(a.manager.acquireAsync("y", World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContaining("another");
  }

  @Test
  void storeThatAnswersNull_isUnavailable_andNothingHangs() {
    World.Client broken = world.client("broken");
    broken.store.next(CREATE, request -> request.fail(new NullPointerException("null")));
    broken.store.next(READ, ScriptedStore.unclear());
    assertThat(broken.failure(broken.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class);
  }

  @Test
  void request_thatIsAnswered_leavesNoTimer_andOneThatIsNot_isGivenUp() {
    a.store.next(READ, ScriptedStore.holdBack()).next(READ, ScriptedStore.holdBack());
    CompletableFuture<ReadResult> answered = a.manager.engine.read("x");
    assertThat(a.machine.pendingTimers()).isEqualTo(1);
    a.store.last(READ).landAndAnswer();
    assertThat(answered).isCompleted();
    assertThat(a.machine.pendingTimers()).isZero();

    CompletableFuture<ReadResult> silent = a.manager.engine.read("x");
    advance(seconds(30));

    assertThat(silent.join()).isInstanceOf(ReadResult.Unavailable.class);
    assertThat(a.store.last(READ).isAbandoned()).isTrue();
  }

  @Test
  void storeThatIsSlow_isNoOutage() {
    Lease held = a.acquire("x");
    b.store.always(CREATE, ScriptedStore.late(b.machine, seconds(3)));
    b.store.always(READ, ScriptedStore.late(b.machine, seconds(3)));

    CompletableFuture<Lease> attempt = b.manager.acquireAsync("x", World.ONE_ATTEMPT);
    CompletableFuture<Lease> waiter =
        b.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(seconds(20)));
    advance(seconds(20));

    assertThat(b.failure(attempt)).isInstanceOf(LockAcquisitionException.class);
    assertThat(b.failure(waiter)).isInstanceOf(LockAcquisitionException.class);
    assertThat(b.events.all()).doesNotContain("unavailable x");
    held.close();
  }

  @Test
  void outageThatBeganWhileTheLockWasHeldHere_isReportedAsOutage() {
    Lease held = a.acquire("x");
    Duration untilAfterTheLoss = World.VALIDITY.plus(seconds(5));
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(untilAfterTheLoss));
    a.store.cutOff();

    advance(untilAfterTheLoss);

    assertThat(held.isHeld()).isFalse();
    assertThat(a.failure(waiter))
        .as("nobody is known to hold it, and the store says nothing")
        .isInstanceOf(LockStoreUnavailableException.class);
    var unused = held.releaseAsync();
  }

  @Test
  void waitThatEndsWithTheReleaseOfALeaseHere_wasRefused() {
    Lease held = a.acquire("x");
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.APART.withWaitTimeout(seconds(5)));
    advance(seconds(5).minus(MILLI));
    a.store.always(CREATE, ScriptedStore.late(a.machine, seconds(1)));
    held.close();
    advance(MILLI);

    assertThat(a.failure(waiter)).isInstanceOf(LockAcquisitionException.class);
  }

  @Test
  void race_thatIsLostAgainAndAgain_isContention() {
    // Each time somebody else has it first, and gives it back before we look.
    a.store.always(CREATE, ScriptedStore.answering(new WriteResult.Conflict()));

    assertThat(a.failure(a.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(LockAcquisitionException.class)
        .hasMessageContaining("held by another");
    assertThat(a.store.requests()).as("bounded").hasSizeLessThan(20);
  }

  @Test
  void dirtyRead_neverGrants() {
    ReadResult dirty =
        new ReadResult.Found(
            new LockRecord("x", "t", "o", null, null, 1, 0L, Map.of()),
            new Version(MEMORY, 1, 1_000));
    a.store.always(READ, ScriptedStore.answering(dirty));
    Lease held = b.acquire("x");
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(seconds(20)));

    advance(seconds(20));

    assertThat(a.failure(waiter)).isInstanceOf(LockAcquisitionException.class);
    assertThat(held.isHeld()).isTrue();
    held.close();
  }

  // --- Not reentrant

  @Test
  @GuardsAgainst(Pitfall.ACQUIRING_AGAIN_OVERWRITES_THE_TOKEN)
  void lockOfAnEnclosingBody_isRefusedAtOnce_whateverTheWait() throws InterruptedException {
    a.manager.withLock(
        "x",
        World.PATIENT,
        () -> {
          a.store.clear();
          for (LockOptions options : List.of(World.ONE_ATTEMPT, World.PATIENT)) {
            assertThatThrownBy(() -> a.manager.withLock("x", options, () -> {}))
                .isInstanceOf(LockAcquisitionException.class)
                .hasMessageStartingWith("Lock \"x\" not acquired")
                .hasMessageContaining("not reentrant");
          }
          assertThat(a.store.requests()).isEmpty();
        });
    assertThat(a.canAcquire("x")).as("after the body").isTrue();
  }

  @Test
  void otherLock_inABody_isAcquired() throws InterruptedException {
    String result = a.manager.withLock("x", () -> a.manager.withLock("y", () -> "both"));
    assertThat(result).isEqualTo("both");
  }
}
