package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Records that may still appear, although nobody waits for them any more. */
class CleanupTest extends OnVirtualTime {

  /** An acquisition that ended without an answer, whose create has not landed yet. */
  private ScriptedStore.Request<?> unansweredCreate() {
    a.store.next(CREATE, ScriptedStore.holdBack()).always(READ, ScriptedStore.unclear());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.ONE_ATTEMPT);
    advance(World.REQUEST_TIMEOUT);
    assertThat(a.failure(acquisition)).isInstanceOf(LockStoreUnavailableException.class);
    ScriptedStore.Request<?> create = a.store.last(CREATE);
    a.store.heal();
    return create;
  }

  @Test
  @GuardsAgainst(Pitfall.CANCEL_LEAVES_AN_ORPHAN)
  void record_thatAppearsAfterItsCallerHasGone_isDeleted() {
    ScriptedStore.Request<?> create = unansweredCreate();
    advance(seconds(5));
    create.land();
    assertThat(a.store.isFree("x")).isFalse();

    advance(seconds(3));

    assertThat(a.store.isFree("x")).as("long before its TTL").isTrue();
    assertThat(a.events.count("acquired x")).isZero();
  }

  @Test
  void record_thatAppearsWhileAnotherIsThere_isLeftToTheStore_whichRefusesIt() {
    ScriptedStore.Request<?> create = unansweredCreate();
    Lease other = b.acquire("x");
    create.land();
    advance(seconds(3));

    assertThat(other.isHeld()).isTrue();
    assertThat(a.store.count(DELETE)).as("nothing with its token was seen").isZero();
    other.close();
  }

  @Test
  void cleanUp_ofAnAcquisition_neverTouchesTheLeaseOfTheNext_ofTheSameProcess() {
    ScriptedStore.Request<?> create = unansweredCreate();
    Lease lease = a.acquire("x");

    create.land();
    advance(World.TTL);

    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("lost x")).isZero();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void cleanUp_looksLessAndLessOften_andEndsWithTheLastLeaseThatCouldCome() {
    ScriptedStore.Request<?> unused = unansweredCreate();
    a.store.clear();

    advance(World.TTL.minus(World.REQUEST_TIMEOUT).plus(seconds(2)));
    int looks = a.store.requests().size();
    advance(World.TTL);

    assertThat(looks).isBetween(5, 60);
    assertThat(a.store.requests()).as("afterwards").hasSize(looks);
  }

  @Test
  void cleanUp_ofADeleteThatWasNotAnswered_doesNotDeleteTheSuccessorsRecord() {
    ScriptedStore.Request<?> create = unansweredCreate();
    create.land();
    a.store.next(DELETE, ScriptedStore.landsButUnclear());
    advance(Duration.ofMillis(200));
    Lease successor = b.acquire("x");

    advance(seconds(5));

    assertThat(successor.isHeld()).isTrue();
    assertThat(b.store.found("x").record().token()).isEqualTo(successor.token());
    successor.close();
  }

  @Test
  void uncertainCreate_ofALeaseThatWasGrantedLater_isLookedAfterWhenTheLeaseHasEnded() {
    // The create is answered by nobody; its record is found, confirmed, and held.
    a.store.next(CREATE, ScriptedStore.loseAnswer());
    CompletableFuture<Lease> acquisition =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withWaitTimeout(Duration.ofMinutes(1)));
    advance(World.REQUEST_TIMEOUT.plus(seconds(2)));
    Lease lease = world.now(acquisition);
    ScriptedStore.Request<?> create = a.store.requests(CREATE).get(0);
    assertThat(a.store.count(REPLACE)).isPositive();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    // Somebody on the way sends the first create once more.
    create.land();
    assertThat(a.store.isFree("x")).isFalse();
    advance(seconds(5));

    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void cleanUps_areBounded_andBeyondThatTheTtlDoesTheWork() {
    a.manager.engine.cleanups.set(Engine.MAX_CLEANUPS);
    try {
      ScriptedStore.Request<?> create = unansweredCreate();
      create.land();
      advance(seconds(3));

      assertThat(a.store.isFree("x")).as("nobody looks after it").isFalse();
      assertThat(a.manager.engine.cleanups).hasValue(Engine.MAX_CLEANUPS);
      CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
      advance(World.TTL.plus(World.SKEW).plus(seconds(1)));
      world.now(waiter).close();
    } finally {
      a.manager.engine.cleanups.set(0);
    }
  }

  @Test
  void cleanUps_ofManyLocks_runBesideEachOther_andAllEnd() {
    List<ScriptedStore.Request<?>> creates = new ArrayList<>();
    a.store.always(CREATE, ScriptedStore.holdBack());
    for (int i = 0; i < 200; i++) {
      CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x" + i, World.PATIENT);
      creates.add(a.store.last(CREATE));
      assertThat(acquisition.cancel(false)).isTrue();
    }
    advance(World.REQUEST_TIMEOUT);
    a.store.heal();
    creates.forEach(ScriptedStore.Request::land);

    advance(seconds(5));

    for (int i = 0; i < 200; i++) {
      assertThat(a.store.isFree("x" + i)).isTrue();
    }
  }
}
