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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records that may still appear, although nobody waits for them any more. */
class OrphanCleanupTest extends OnVirtualTime {

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

    advance(seconds(5));

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

  /** Whose timers run no more, so that a look that waited for the budget would wait for ever. */
  @Test
  void cleanUp_thatBeginsInAClosedManager_looksOnceAtOnce_whateverTheBudget() {
    Engine engine = a.manager.engine;
    for (int i = 0; i < CleanupBudget.BURST; i++) {
      engine.cleanupBudget.look(() -> {});
    }
    a.manager.close();
    a.store.clear();

    engine.onQueue("x", queue -> queue.cleanUp("t", World.ONE_ATTEMPT, engine.clocks.read(), null));
    advance(seconds(1));

    assertThat(a.store.count(READ)).isEqualTo(1);
    assertThat(a.manager.stats().cleanUps()).isZero();
    assertThat(engine.queues).isEmpty();
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

      assertThat(a.store.isFree("x")).as("nobody cleans it up").isFalse();
      assertThat(a.manager.engine.cleanups).hasValue(Engine.MAX_CLEANUPS);
      CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
      advance(World.TTL.plus(World.SKEW).plus(seconds(1)));
      world.now(waiter).close();
    } finally {
      a.manager.engine.cleanups.set(0);
    }
  }

  private int ownReads;

  /** A create that the store rejects, perhaps after it has taken effect: as 429 may mean. */
  private void attemptInVain(String lockId, Duration ttl) {
    int before = a.store.count(READ);
    a.store.next(CREATE, ScriptedStore.unclear());
    CompletableFuture<Lease> acquisition =
        a.manager.acquireAsync(lockId, World.ONE_ATTEMPT.withTtl(ttl));
    ownReads += a.store.count(READ) - before;
    acquisition.cancel(false);
  }

  /** How often clean-ups have looked. */
  private int looks() {
    return a.store.count(READ) - ownReads;
  }

  /** A read that was executed before proves nothing: the record may have been written after it. */
  @Test
  void token_addedWhileALookIsOut_isNotClearedByThatLook() {
    attemptInVain("x", World.TTL);
    a.store.next(READ, ScriptedStore.loseAnswer());
    advance(seconds(2));
    ScriptedStore.Request<?> look = a.store.last(READ);

    // The caller goes. Its create takes effect, and a second sending of it meets a conflict.
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.ONE_ATTEMPT);
    ScriptedStore.Request<?> create = a.store.last(CREATE);
    acquisition.cancel(false);
    create.land();
    create.land();
    create.answer();
    look.answer();
    assertThat(a.store.isFree("x")).isFalse();
    advance(seconds(3));

    assertThat(a.store.isFree("x")).isTrue();
  }

  /** However long the TTL is: what is looked for is less and less likely to come. */
  @ParameterizedTest
  @ValueSource(ints = {30, 3_600, 86_400})
  void cleanUp_ofAnyTtl_looksAFewTimes(int ttlSeconds) {
    attemptInVain("x", Duration.ofSeconds(ttlSeconds));

    advance(Duration.ofSeconds(2L * ttlSeconds));

    assertThat(looks()).isBetween(8, 40);
    assertThat(a.manager.stats().cleanUps()).isZero();
  }

  @Test
  void cleanUps_ofOneLock_shareTheirLooks() {
    for (int i = 0; i < 100; i++) {
      attemptInVain("x", World.TTL);
      advance(Duration.ofMillis(10));
    }
    assertThat(a.manager.stats().cleanUps()).isEqualTo(100);
    advance(World.TTL.multipliedBy(2));

    assertThat(looks()).isBetween(8, 60);
    assertThat(a.manager.stats().cleanUps()).isZero();
  }

  /** A new token is looked for soon, however far apart the looks for the old ones are. */
  @Test
  void token_addedLate_isLookedForSoon() {
    attemptInVain("x", Duration.ofHours(24));
    advance(Duration.ofHours(13));
    int before = looks();
    advance(Duration.ofMinutes(20));
    assertThat(looks()).as("looks are far apart by now").isEqualTo(before);

    attemptInVain("x", World.TTL);
    assertThat(looks()).isEqualTo(before);
    advance(Duration.ofMillis(500));

    assertThat(looks() - before).isEqualTo(1);
    assertThat(a.manager.stats().cleanUps()).isEqualTo(2);
    advance(Duration.ofHours(24));
  }

  /** A look that is due sooner anyway is not put off by another token. */
  @Test
  void token_addedShortlyBeforeALook_doesNotPutItOff() {
    attemptInVain("x", World.TTL);
    for (int i = 0; i < 40; i++) {
      advance(Duration.ofMillis(50));
      attemptInVain("x", World.TTL);
    }

    assertThat(looks()).as("in 2 s, with one at least every 0.4 s").isGreaterThanOrEqualTo(5);
  }

  @Test
  void close_whileALookIsDueLater_looksOnceAtOnce() {
    ScriptedStore.Request<?> create = unansweredCreate();
    advance(seconds(5));
    create.land();
    a.store.clear();

    Void unused = world.now(a.manager.closeAsync());

    assertThat(a.store.count(READ)).isEqualTo(1);
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(a.manager.stats().cleanUps()).isZero();
  }

  @Test
  void close_whileALookIsOut_looksAgainForWhatHasComeSince() {
    attemptInVain("x", World.TTL);
    a.store.next(READ, ScriptedStore.holdBack());
    advance(seconds(2));
    ScriptedStore.Request<?> look = a.store.last(READ);
    look.land();
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", World.ONE_ATTEMPT);
    ScriptedStore.Request<?> create = a.store.last(CREATE);
    acquisition.cancel(false);
    CompletableFuture<?> closed = a.manager.closeAsync();
    create.land();
    create.answerUnclear();
    a.store.clear();

    look.answer();
    world.time.settle();

    assertThat(a.store.count(READ)).as("looks").isEqualTo(1);
    assertThat(a.store.isFree("x")).isTrue();
    assertThat(closed).isDone();
  }

  /** Its answer does not show that nothing will come: the TTL does the rest. */
  @Test
  void close_whoseLastLookShowsNothing_endsAllTheSame() {
    ScriptedStore.Request<?> unused = unansweredCreate();
    advance(seconds(5));
    a.store.clear();
    a.store.always(READ, ScriptedStore.unclear());

    Void unusedToo = world.now(a.manager.closeAsync());

    assertThat(a.store.count(READ)).isEqualTo(1);
    assertThat(a.manager.stats().cleanUps()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void cleanUps_ofManyLocks_shareABudget_whichIsSmallerWhileNobodyAnswers(boolean answered) {
    if (!answered) {
      a.store.always(READ, ScriptedStore.unclear());
    }
    int seconds = 30;
    for (int i = 0; i < 100 * seconds; i++) {
      attemptInVain("x" + i, World.TTL);
      advance(Duration.ofMillis(10));
    }
    long perSecond = Duration.ofSeconds(1).toNanos() / CleanupBudget.MIN_INTERVAL_NANOS;

    assertThat(looks())
        .isGreaterThan(seconds / 2)
        .isLessThanOrEqualTo(
            (int) (answered ? perSecond * seconds : 2L * seconds) + 2 * CleanupBudget.BURST);
    a.store.heal();
    advance(Duration.ofMinutes(10));
    assertThat(a.manager.stats().cleanUps()).isZero();
  }

  /** The debt of an outage is not paid when it is over. */
  @Test
  void budget_isThereAgain_soonAfterAnOutage() {
    a.store.always(READ, ScriptedStore.unclear());
    for (int i = 0; i < 100; i++) {
      attemptInVain("x" + i, Duration.ofHours(1));
    }
    advance(seconds(60));
    int before = looks();

    a.store.heal();
    advance(seconds(5));

    assertThat(looks() - before).isGreaterThan(40);
    advance(Duration.ofHours(3));
  }

  /** Only an answer shows that a write which met a conflict had not been applied before. */
  @Test
  void token_thatOneLookWouldClear_isLookedForUntilThereIsAnAnswer() {
    a.store.next(CREATE, ScriptedStore.twice()).always(READ, ScriptedStore.unclear());
    CompletableFuture<Lease> acquisition =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withTtl(Duration.ofHours(24)));
    assertThat(a.failure(acquisition)).isInstanceOf(LockStoreUnavailableException.class);
    advance(seconds(20));
    assertThat(a.store.isFree("x")).isFalse();

    a.store.heal();
    advance(Duration.ofMinutes(2));

    assertThat(a.store.isFree("x")).isTrue();
    advance(Duration.ofDays(1));
  }

  @Test
  void record_ofALongTtl_isDeletedMinutesAfterALongOutage() {
    Lease lease = a.acquire("x", World.ONE_ATTEMPT.withTtl(Duration.ofHours(24)));
    a.store.goDown();
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    advance(Duration.ofHours(3));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.UNCONFIRMED);
    int inTheOutage = a.store.count(READ);

    a.store.heal();
    advance(Duration.ofMinutes(7));

    assertThat(a.store.isFree("x")).isTrue();
    assertThat(inTheOutage).isLessThan(100);
    advance(Duration.ofDays(2));
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

    advance(seconds(20));

    for (int i = 0; i < 200; i++) {
      assertThat(a.store.isFree("x" + i)).isTrue();
    }
  }
}
