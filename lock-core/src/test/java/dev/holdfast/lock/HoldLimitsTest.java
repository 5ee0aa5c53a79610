package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How long a lock is held at least, and at most. */
class HoldLimitsTest extends OnVirtualTime {
  private static final Duration LIMIT = Duration.ofSeconds(50);
  private static final LockOptions AT_LEAST = World.ONE_ATTEMPT.withHoldAtLeast(LIMIT);
  private static final LockOptions AT_MOST = World.ONE_ATTEMPT.withMaxHold(LIMIT);

  // --- At least

  @Test
  void heldAtLeast_releasedBefore_nobodyGetsItUntilThen() {
    Lease lease = a.acquire("x", AT_LEAST);
    advance(seconds(5));
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(lease.isHeld()).isFalse();
    assertThat(a.store.count(DELETE)).isZero();
    assertThat(b.manager.find("x").orElseThrow().expiresAt())
        .isEqualTo(lease.acquiredAt().plus(LIMIT));

    advance(LIMIT.minusSeconds(5).minusMillis(1));
    assertThat(a.canAcquire("x")).isFalse();
    assertThat(b.canAcquire("x")).isFalse();

    advance(MILLI.multipliedBy(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void heldAtLeast_expiresForItsOwnProcessToo_alsoWhereDatesAreNotTrusted() {
    World.Client c = world.client("C", builder -> builder.calendarTakeover(false));
    Lease lease = c.acquire("x", AT_LEAST);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);

    advance(LIMIT.minusMillis(1));
    assertThat(c.canAcquire("x")).isFalse();
    advance(MILLI.multipliedBy(2));
    assertThat(c.canAcquire("x")).isTrue();
  }

  /** Its holder released it: that it is acquired afterwards is no takeover from a crashed one. */
  @Test
  void heldAtLeast_acquiredAfterwards_isNoTakeover() {
    Lease lease = a.acquire("x", AT_LEAST);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    advance(LIMIT.plusMillis(1));
    assertThat(b.canAcquire("x")).isTrue();
    assertThat(b.events.count("acquired x")).isEqualTo(1);
    assertThat(b.events.count("takenOver x from A")).isZero();
  }

  @Test
  void heldAtLeast_contentionSaysThatItIsNotHeld() {
    Lease lease = a.acquire("x", AT_LEAST);
    assertThat(contention().holder().orElseThrow().isHeld()).isTrue();
    assertThat(contention()).hasMessageContaining("held by A until");
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);

    assertThat(contention().holder().orElseThrow().isHeld()).isFalse();
    assertThat(contention()).hasMessageContaining("kept unavailable (holdAtLeast) by A until");
  }

  private LockAcquisitionException contention() {
    CompletableFuture<Lease> call = b.manager.acquireAsync("x");
    world.time.settle();
    assertThat(call).isCompletedExceptionally();
    return (LockAcquisitionException) call.handle((lease, failure) -> failure).join();
  }

  @Test
  void heldAtLeast_releasedAfterwards_isFreeAtOnce() {
    Lease lease = a.acquire("x", AT_LEAST);
    advance(LIMIT);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void heldAtLeast_isNotHandedOff_norDoesItLinger() {
    Lease lease = a.acquire("x", AT_LEAST.withLinger(seconds(10)));
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);

    advance(LIMIT.minusMillis(1));
    assertThat(waiter).isNotDone();
    assertThat(a.manager.engine.lingering.size()).isZero();

    advance(seconds(1));
    Lease next = world.now(waiter);
    assertThat(next.fencingToken()).isGreaterThan(lease.fencingToken());
    next.close();
  }

  /** The job did not run: it may run elsewhere. */
  @Test
  void heldAtLeast_callerHadGone_isFreeAtOnce() {
    a.store.next(ScriptedStore.CREATE, ScriptedStore.late(a.machine, seconds(1)));
    CompletableFuture<Lease> call = a.manager.acquireAsync("x", AT_LEAST);
    world.time.settle();
    call.cancel(false);
    advance(seconds(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void heldAtLeast_callerGoesWhenItIsGranted_isFreeAtOnce() {
    // Granted by now, and nobody is told yet.
    CompletableFuture<Lease> call = a.manager.acquireAsync("x", AT_LEAST);
    assertThat(call.cancel(false)).isTrue();
    world.time.settle();
    assertThat(a.events.count("acquired x")).isEqualTo(1);
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** What cannot be replaced is left to its TTL: nobody gets the lock sooner. */
  @Test
  void heldAtLeast_releaseNotAnswered_isNotCleanedUp() {
    Lease lease = a.acquire("x", AT_LEAST);
    a.store.cutOff();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(5));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    a.store.heal();

    advance(World.TTL.minusSeconds(6));
    assertThat(b.canAcquire("x")).isFalse();
    advance(World.SKEW.plusSeconds(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** A read proves nothing: a second write confirms what it shows. */
  @Test
  void heldAtLeast_answerOfTheReleaseLost_isReadAndConfirmed() {
    Lease lease = a.acquire("x", AT_LEAST);
    a.store.next(REPLACE, ScriptedStore.landsButUnclear());
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(REPLACE)).isEqualTo(2);
    assertStaysForTheLimit();
  }

  /** After a second, nobody gets it until the limit has passed. */
  private void assertStaysForTheLimit() {
    advance(LIMIT.minusSeconds(1).minusMillis(1));
    assertThat(b.canAcquire("x")).isFalse();
    advance(MILLI.multipliedBy(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** A primary that was cut off has not heard of the record, and its copies are behind. */
  @Test
  void heldAtLeast_copiesThatAreBehindShowNoRecord_isSentAgain() {
    Lease lease = a.acquire("x", AT_LEAST);
    Incarnation incarnation = a.store.found("x").version().incarnation();
    a.store.next(REPLACE, ScriptedStore.answering(new WriteResult.Conflict()));
    for (int i = 0; i < 2; i++) {
      a.store.next(READ, ScriptedStore.answering(new ReadResult.Absent(incarnation)));
    }
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertStaysForTheLimit();
  }

  @Test
  void heldAtLeast_noRecordIsShownForGood_isUnconfirmed() {
    Lease lease = a.acquire("x", AT_LEAST);
    Incarnation incarnation = a.store.found("x").version().incarnation();
    a.store.always(REPLACE, ScriptedStore.answering(new WriteResult.Conflict()));
    a.store.always(READ, ScriptedStore.answering(new ReadResult.Absent(incarnation)));
    a.store.clear();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(4));
    assertThat(release).isNotDone();
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    assertThat(a.store.requests()).hasSizeLessThan(40);
    assertThat(a.events.count("lost x")).isZero();
  }

  @Test
  void heldAtLeast_timeIsUpWhileNoRecordIsShown_isReleased() {
    Lease lease = a.acquire("x", AT_LEAST);
    Incarnation incarnation = a.store.found("x").version().incarnation();
    advance(LIMIT.minusSeconds(1));
    a.store.always(REPLACE, ScriptedStore.answering(new WriteResult.Conflict()));
    a.store.always(READ, ScriptedStore.answering(new ReadResult.Absent(incarnation)));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(0.9));
    assertThat(release).isNotDone();
    advance(seconds(2));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
  }

  /** A primary that was cut off shows what it has written alone, and what the next one has not. */
  @Test
  void heldAtLeast_whatTookItsPlaceWasNeverCommitted_isSentAgain() {
    Lease lease = a.acquire("x", AT_LEAST);
    ReadResult.Found held = a.store.found("x");
    a.store.next(REPLACE, ScriptedStore.unclear());
    a.store.next(
        READ,
        request -> {
          Version uncommitted =
              new Version(
                  held.version().incarnation(),
                  held.version().primaryTerm(),
                  held.version().seqNo() + 1);
          LockRecord unheld = a.store.last(REPLACE).record();
          request.answer(new ReadResult.Found(unheld, uncommitted));
        });
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.found("x").record().isUnheld()).isTrue();
    assertStaysForTheLimit();
  }

  @Test
  void heldAtLeast_releaseWasLost_isSentAgain() {
    Lease lease = a.acquire("x", AT_LEAST);
    a.store.next(REPLACE, ScriptedStore.unclear());
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(REPLACE)).isEqualTo(2);
    advance(LIMIT.minusSeconds(2));
    assertThat(b.canAcquire("x")).isFalse();
    advance(seconds(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** A record that nobody holds is another's once it has been taken over: it is not touched. */
  @Test
  void heldAtLeast_releaseArrivesLate_doesNotTouchASuccessor() {
    Lease lease = a.acquire("x", AT_LEAST);
    a.store.always(REPLACE, ScriptedStore.holdBack());
    a.store.always(READ, ScriptedStore.holdBack());
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(World.TTL.plus(World.SKEW).plusMillis(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    Lease ofB = b.acquire("x");
    a.store.last(REPLACE).land();
    assertThat(b.store.found("x").record().token()).isEqualTo(ofB.token());
    assertThat(world.now(ofB.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
  }

  // --- At most

  @Test
  void heldAtMost_isLostThen_andFreeWhenItIsReleased() {
    Lease lease = a.acquire("x", AT_MOST);
    List<LeaseLostException> losses = new ArrayList<>();
    lease.onLost(losses::add);

    advance(LIMIT.minusMillis(1));
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.remaining()).isEqualTo(MILLI);
    assertThat(losses).isEmpty();

    advance(MILLI);
    assertThat(lease.isHeld()).isFalse();
    assertThat(losses)
        .singleElement()
        .extracting(LeaseLostException::reason)
        .isEqualTo(LeaseLostException.Reason.MAX_HOLD);
    assertThat(lease.renew()).isFalse();
    assertThat(b.canAcquire("x")).as("its record stands until the release").isFalse();

    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.NOT_HELD);
    advance(seconds(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void heldAtMost_forgotten_isNotRenewed_andFreeAfterItsTtl() {
    var unused = a.acquire("x", AT_MOST);
    advance(LIMIT);
    a.store.clear();
    advance(World.TTL.plus(World.SKEW));
    assertThat(a.store.requests()).isEmpty();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void heldAtMost_countsFromEachGrant() {
    Lease first = a.acquire("x", AT_MOST);
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", AT_MOST.withWaitTimeout(Duration.ofMinutes(2)));
    advance(LIMIT.minusSeconds(1));
    first.close();
    Lease second = world.now(waiter);
    advance(LIMIT.minusMillis(1));
    assertThat(second.isHeld()).isTrue();
    advance(MILLI);
    assertThat(second.isHeld()).isFalse();
    assertThat(second.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void heldAtMost_handedOff_isLostThen_notWhenTheNextRenewalIsDue() {
    Lease first = a.acquire("x");
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.PATIENT.withMaxHold(seconds(2)));
    advance(seconds(1));
    first.close();
    Lease second = world.now(waiter);
    assertThat(second.token()).as("handed off").contains("#");
    List<LeaseLostException> losses = new ArrayList<>();
    second.onLost(losses::add);

    advance(seconds(2).minusMillis(1));
    assertThat(losses).isEmpty();
    advance(MILLI);
    assertThat(losses).hasSize(1);
    assertThat(second.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void heldAtMost_shorterThanTheTtl_endsWhenItSays() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withMaxHold(Duration.ofMillis(700)));
    assertThat(lease.remaining()).isEqualTo(Duration.ofMillis(700));
    advance(Duration.ofMillis(700));
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThatThrownBy(lease::close)
        .isInstanceOf(LeaseLostException.class)
        .extracting("reason")
        .isEqualTo(LeaseLostException.Reason.MAX_HOLD);
  }

  @Test
  void heldAtMost_ensureHeldForLonger_saysWhy() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withMaxHold(seconds(8)));
    assertThatThrownBy(() -> lease.ensureHeld(seconds(10)))
        .isInstanceOf(LeaseLostException.class)
        .extracting("reason")
        .isEqualTo(LeaseLostException.Reason.MAX_HOLD);
    lease.ensureHeld(seconds(7));
    lease.close();
  }

  // --- Changed while it is held

  @Test
  void limitHold_longer_isLostThen_countedFromNow() {
    Lease lease = a.acquire("x", AT_MOST);
    advance(seconds(40));
    assertThat(lease.limitHold(Duration.ZERO, LIMIT)).isTrue();
    assertThat(a.events.count("lost x")).isZero();

    advance(LIMIT.minusMillis(1));
    assertThat(lease.isHeld()).isTrue();
    advance(MILLI);
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  /** Sooner than the next renewal, which the timer waits for. */
  @Test
  void limitHold_shorter_isNoticedThen() {
    Lease lease = a.acquire("x");
    assertThat(lease.limitHold(Duration.ZERO, seconds(0.7))).isTrue();
    List<LeaseLostException> losses = new ArrayList<>();
    lease.onLost(losses::add);

    advance(seconds(0.7).minusMillis(1));
    assertThat(losses).isEmpty();
    advance(MILLI);
    assertThat(losses)
        .singleElement()
        .extracting(LeaseLostException::reason)
        .isEqualTo(LeaseLostException.Reason.MAX_HOLD);
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void limitHold_atLeast_countsFromNow_andReplacesTheLimitBefore() {
    Lease lease = a.acquire("x", AT_LEAST);
    advance(seconds(40));
    assertThat(lease.limitHold(LIMIT, LIMIT)).isTrue();
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    advance(LIMIT.minusMillis(1));
    assertThat(b.canAcquire("x")).isFalse();
    advance(MILLI.multipliedBy(2));
    assertThat(b.canAcquire("x")).isTrue();

    Lease next = a.acquire("y", AT_LEAST);
    assertThat(next.limitHold(Duration.ZERO, LIMIT)).isTrue();
    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(b.canAcquire("y")).isTrue();
  }

  /** What was found over stays so, though nobody was notified yet. */
  @Test
  void limitHold_whenItIsOver_changesNothing() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withMaxHold(seconds(8)));
    a.machine.pause();
    advance(seconds(8));
    assertThat(lease.limitHold(Duration.ZERO, LIMIT)).isFalse();
    a.machine.resume();
    advance(MILLI);
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThat(lease.limitHold(Duration.ZERO, LIMIT)).isFalse();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(lease.limitHold(Duration.ZERO, LIMIT)).isFalse();
  }

  @Test
  void limitHold_released_changesNothing() {
    Lease lease = a.acquire("x", AT_LEAST);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(lease.limitHold(Duration.ZERO, LIMIT)).isFalse();
    advance(LIMIT.minusMillis(1));
    assertThat(b.canAcquire("x")).isFalse();
    advance(MILLI.multipliedBy(2));
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void limitHold_outOfRange_isRejected() {
    Lease lease = a.acquire("x");
    assertThatThrownBy(() -> lease.limitHold(LIMIT, LIMIT.minusMillis(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holdAtLeast")
        .hasMessageContaining("maxHold");
    assertThatThrownBy(() -> lease.limitHold(Duration.ZERO, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("maxHold");
    assertThat(lease.ttl()).isEqualTo(World.TTL);
    lease.close();
  }

  @Test
  void limits_thatContradictEachOther_areRejected() {
    assertThatThrownBy(
            () -> a.manager.acquireAsync("x", AT_LEAST.withMaxHold(LIMIT.minusMillis(1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holdAtLeast")
        .hasMessageContaining("maxHold");
    assertThatThrownBy(() -> LockOptions.defaults().withMaxHold(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> LockOptions.defaults().withHoldAtLeast(Duration.ofHours(25)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () ->
                LockManager.builder(world.memory)
                    .defaultOptions(LockOptions.defaults().withLinger(Duration.ofSeconds(20))))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
