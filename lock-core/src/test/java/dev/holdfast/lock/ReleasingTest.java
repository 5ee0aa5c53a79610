package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How a lock is given back, and what the caller learns. */
class ReleasingTest extends OnVirtualTime {

  // --- RELEASED

  @Test
  void release_isOneDelete_afterWhichTheLockIsFree() {
    Lease lease = a.acquire("x");
    a.store.clear();

    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(a.store.requests()).hasSize(1);
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.remaining()).isZero();
    world.time.settle();
    assertThat(a.events.all()).containsExactly("acquired x", "released x RELEASED");
  }

  @Test
  void release_actsOnce_howeverOftenAndHoweverItIsCalled() {
    Lease lease = a.acquire("x");
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    Lease successor = b.acquire("x");
    a.store.clear();

    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    lease.close();

    assertThat(a.store.requests()).isEmpty();
    assertThat(a.events.count("released x RELEASED")).isEqualTo(1);
    assertThat(successor.isHeld()).isTrue();
    successor.close();
  }

  @Test
  void release_whoseAnswerIsUnclear_isConfirmedByTwoReadsThatFindNothing() {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.landsButUnclear());

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(READ)).isEqualTo(2);
  }

  @Test
  void release_thatWasSentTwice_conflictsWithItself_andIsConfirmed() {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.twice());

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void release_thatDidNotLand_isSentAgain() {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.unclear()).next(DELETE, ScriptedStore.unclear());

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(DELETE)).isEqualTo(3);
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_OUTLIVES_THE_RELEASE)
  void release_afterARenewalThatLandedUnseen_deletesWhatTheRenewalWrote() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.landsButUnclear()).next(READ, ScriptedStore.unclear());
    // No longer: it is tried again soon.
    assertThat(world.time.runUntil(() -> a.store.count(READ) > 0, World.TTL)).isTrue();
    a.store.clear();

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.requests())
        .extracting(r -> r.op().name())
        .containsExactly("delete", "read", "delete");
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_OUTLIVES_THE_RELEASE)
  void release_whileARenewalIsOut_waitsForItsAnswer_andDeletesItsVersion() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertThat(a.store.count(DELETE)).isZero();
    assertThat(lease.isHeld()).as("from the caller's view it is over").isFalse();

    a.store.last(REPLACE).landAndAnswer();

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    assertThat(a.store.mostInFlight()).isEqualTo(1);
  }

  @Test
  void release_whileARenewalIsOutThatIsRefused_deletesTheOldVersion() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();

    a.store.last(REPLACE).answer(new WriteResult.Rejected(new IllegalStateException("429")));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWALS_DELAY_THE_RELEASE)
  void release_whileARenewalReads_deletesWhatItKnows() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.unclear()).next(READ, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertThat(a.store.count(DELETE)).isZero();

    a.store.last(READ).landAndAnswer();

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
  }

  // --- NOT_HELD

  @Test
  void release_ofALeaseThatHasEnded_saysNotHeld_andFreesTheLockForOthers() {
    Lease lease = a.acquire("x");
    a.machine.stepWallClock(World.VALIDITY);

    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    advance(seconds(1));

    assertThat(a.store.isFree("x")).as("its own record is cleaned up").isTrue();
    assertThat(a.events.all()).doesNotContain("released x NOT_HELD");
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @Test
  @GuardsAgainst(Pitfall.RELEASE_FREES_THE_SUCCESSOR)
  void release_afterASuccessorTookOver_saysNotHeld_andTouchesNothing() {
    Lease lease = a.acquire("x");
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();
    Lease successor = b.acquire("x");

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(successor.isHeld()).isTrue();
    assertThat(successor.renew()).isTrue();
    successor.close();
  }

  @Test
  void release_whenTheRecordIsGoneBeforeADeleteWasSent_saysNotHeld() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();
    a.store.last(REPLACE).landAndAnswer();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(a.store.count(DELETE)).isZero();
    assertThatThrownBy(lease::close)
        .as("a loss that only the release shows")
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.RECORD_DELETED));
  }

  @Test
  void release_duringARenewalThatMeetsASuccessor_isALoss() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();
    Lease successor = b.acquire("x");
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    a.store.last(REPLACE).landAndAnswer();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThatThrownBy(lease::close)
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.TAKEN_OVER));
    successor.close();
  }

  @Test
  void release_thatReadsAStaleCopy_asksAgain() {
    Lease predecessor = b.acquire("x");
    ReadResult stale = b.store.snapshot("x");
    predecessor.close();
    Lease lease = a.acquire("x");
    a.store
        .next(DELETE, ScriptedStore.unclear())
        .next(READ, ScriptedStore.answering(stale))
        .next(READ, ScriptedStore.answering(stale));

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(READ)).isEqualTo(3);
  }

  @Test
  void release_thatMayHaveBeenApplied_beforeTheIndexIsDeleted_isNoLoss() {
    Lease lease = a.acquire("x");
    a.store
        .next(DELETE, ScriptedStore.unclear())
        .next(
            DELETE,
            ScriptedStore.answering(
                new WriteResult.Rejected(new IncarnationGoneException(MEMORY))));

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(a.store.count(DELETE)).isEqualTo(2);
    assertNoLoss(lease);
  }

  @Test
  void release_thatConflictsWithItself_afterASuccessorCame_isNoLoss() {
    Lease lease = a.acquire("x");
    List<Lease> successors = new ArrayList<>();
    a.store.next(
        DELETE,
        request -> {
          request.land();
          var unused = b.manager.acquireAsync("x", World.ONE_ATTEMPT).thenAccept(successors::add);
          request.land();
          request.answer();
        });

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isNotEqualTo(ReleaseResult.UNCONFIRMED);
    assertNoLoss(lease);
    successors.get(0).close();
  }

  /** Records of other clients may not say when they were made. */
  @Test
  void release_thatConflictsWithItself_andFindsARecordWithoutTimes_isNoLoss() {
    Lease lease = a.acquire("x");
    a.store.next(
        DELETE,
        request -> {
          request.land();
          world.recordIs(orphan("x"));
          request.land();
          request.answer();
        });

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(1));

    assertThat(world.now(release)).isNotEqualTo(ReleaseResult.UNCONFIRMED);
    assertNoLoss(lease);
  }

  private void assertNoLoss(Lease lease) {
    assertThat(a.events.count("lost x")).isZero();
    assertThatCode(lease::close).doesNotThrowAnyException();
  }

  // --- UNCONFIRMED

  @Test
  void release_withoutAnswer_isUnconfirmedAfterTheReleaseTimeout() {
    Lease lease = a.acquire("x");
    a.store.cutOff();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();

    advance(seconds(5).minus(MILLI));
    assertThat(release).isNotDone();
    advance(MILLI);

    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    assertThat(a.events.count("released x UNCONFIRMED")).isEqualTo(1);
    assertThat(a.events.count("lost x")).isZero();
  }

  @Test
  void release_withoutAnswer_isUnconfirmedWhenTheValidityEndsFirst() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withAutoRenew(false));
    advance(World.VALIDITY.minus(seconds(2)));
    a.store.cutOff();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();

    advance(seconds(2));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
  }

  @Test
  void release_whoseTimersNeverFire_isUnconfirmedOnTimeAllTheSame() {
    World.Client c =
        world.client(
            "C", m -> m.scheduler((task, delay) -> () -> {}).releaseTimeout(seconds(0.025)));
    Lease lease = c.acquire("x");
    c.store.next(DELETE, ScriptedStore.holdBack());

    assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);

    world.time.settle();
    assertThat(c.events.count("released x UNCONFIRMED")).as("told by the engine").isEqualTo(1);
    c.store.requests(DELETE).get(0).landAndAnswer();
    assertThat(world.now(c.manager.closeAsync())).isNull();
  }

  @Test
  void release_thatIsRefused_isUnconfirmedAtOnce() {
    Lease lease = a.acquire("x");
    a.store.next(
        DELETE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("403"))));

    assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);

    advance(seconds(1));
    assertThat(a.store.isFree("x")).as("cleaned up when the store relents").isTrue();
  }

  @Test
  @GuardsAgainst(Pitfall.FAILED_RELEASE_IS_FORGOTTEN)
  void release_thatIsUnconfirmed_isMadeUpForLater() {
    Lease lease = a.acquire("x");
    a.store.cutOff();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(seconds(5));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    assertThat(a.store.isFree("x")).isFalse();

    a.store.heal();
    advance(World.REQUEST_TIMEOUT.plus(seconds(1)));

    assertThat(a.store.isFree("x")).isTrue();
  }

  // --- Callers of any kind

  @Test
  @GuardsAgainst(Pitfall.OWNERSHIP_IS_BOUND_TO_A_THREAD)
  void release_byAnotherThread_works() throws Exception {
    Lease lease = a.acquire("x");
    assertThat(Caller.of(lease::release).result()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  @GuardsAgainst(Pitfall.INTERRUPT_BREAKS_THE_RELEASE)
  void release_ofAnInterruptedThread_works_andKeepsTheInterrupt() {
    Lease lease = a.acquire("x");
    Thread.currentThread().interrupt();
    try {
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void release_thatIsInterruptedWhileItWaits_waitsOn_andKeepsTheInterrupt() throws Exception {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.holdBack());
    List<Boolean> interrupted = new ArrayList<>();
    Caller<ReleaseResult> caller =
        Caller.of(
            () -> {
              ReleaseResult result = lease.release();
              interrupted.add(Thread.currentThread().isInterrupted());
              return result;
            });
    caller.awaitBlocked();
    caller.interrupt();
    caller.awaitBlocked();

    a.store.last(DELETE).landAndAnswer();

    assertThat(caller.result()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(interrupted).containsExactly(true);
  }

  @Test
  void releaseAsync_whoseFutureIsCancelled_releasesAllTheSame() {
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.holdBack());
    lease.releaseAsync().cancel(false);

    a.store.last(DELETE).landAndAnswer();

    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void close_ofALostLease_throws_soThatTryWithResourcesHidesNoLoss() {
    assertThatThrownBy(
            () -> {
              try (Lease lease = a.acquire("x")) {
                a.machine.stepWallClock(World.VALIDITY);
                assertThat(lease.isHeld()).isFalse();
              }
            })
        .isInstanceOf(LeaseLostException.class)
        .hasMessageContaining("\"x\"");

    assertThatThrownBy(
            () -> {
              try (Lease lease = a.acquire("y")) {
                a.machine.stepWallClock(World.VALIDITY);
                throw new IllegalStateException("while " + lease.lockId() + " was held");
              }
            })
        .isInstanceOf(IllegalStateException.class)
        .satisfies(
            e -> assertThat(e.getSuppressed()).hasOnlyElementsOfType(LeaseLostException.class));
  }

  @Test
  void close_ofALeaseThatWasNotLost_throwsNothing_alsoIfUnconfirmed() {
    Lease released = a.acquire("x");
    assertThatCode(released::close).doesNotThrowAnyException();

    Lease unconfirmed = a.acquire("y");
    a.store.next(
        DELETE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("403"))));
    assertThatCode(unconfirmed::close).doesNotThrowAnyException();
  }

  @Test
  void release_whileSomebodyWaitsForARenewal_tellsThemAtOnce() throws Exception {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    Caller<Boolean> renewal = Caller.of(lease::renew).awaitBlocked();

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();

    assertThat(renewal.result()).isFalse();
    a.store.last(REPLACE).landAndAnswer();
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
  }
}
