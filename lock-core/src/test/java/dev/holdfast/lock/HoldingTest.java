package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How long a lease is valid, how it is renewed, and how it is lost. */
class HoldingTest extends OnVirtualTime {
  private static final LockOptions NOT_RENEWED = World.ONE_ATTEMPT.withAutoRenew(false);

  // --- Validity and the clocks

  @Test
  void lease_thatIsNotRenewed_endsWithTheTtlLessDriftMarginAndPadding() {
    Lease lease = a.acquire("x", NOT_RENEWED);
    assertThat(lease.remaining()).isEqualTo(World.VALIDITY);

    advance(World.VALIDITY.minus(MILLI));
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.remaining()).isEqualTo(MILLI);

    advance(MILLI);
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.remaining()).isZero();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThat(a.store.count(REPLACE)).isZero();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  @GuardsAgainst(Pitfall.LEASE_COUNTS_FROM_THE_ANSWER)
  void validityAndExpiry_ofASlowWrite_countFromItsSending() {
    a.store.next(CREATE, ScriptedStore.late(a.machine, seconds(4)));
    CompletableFuture<Lease> acquisition = a.manager.acquireAsync("x", NOT_RENEWED);
    Instant sent = a.machine.instant();
    advance(seconds(4));

    Lease lease = world.now(acquisition);

    assertThat(lease.acquiredAt()).isEqualTo(sent);
    assertThat(lease.remaining()).isEqualTo(World.VALIDITY.minus(seconds(4)));
    assertThat(a.store.found("x").record().createdAt()).isEqualTo(sent);
    assertThat(a.store.found("x").record().expiresAt()).isEqualTo(sent.plus(World.TTL));
    lease.close();
  }

  @Test
  void renewals_ofManyLeases_shareFewInstantsAndAreNeverLate() {
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      leases.add(a.acquire("x" + i));
      advance(Duration.ofMillis(37));
    }
    advance(World.TTL);
    a.store.clear();
    Duration interval = World.TTL.dividedBy(3);
    advance(interval.multipliedBy(3));

    Map<String, Long> last = new HashMap<>();
    Set<Long> instants = new HashSet<>();
    for (ScriptedStore.Request<WriteResult> renewal : a.store.requests(REPLACE)) {
      instants.add(renewal.sentAt());
      Long before = last.put(renewal.lockId(), renewal.sentAt());
      if (before != null) {
        assertThat(Duration.ofNanos(renewal.sentAt() - before))
            .isBetween(interval.multipliedBy(9).dividedBy(10), interval);
      }
    }
    assertThat(last).hasSize(leases.size());
    // Twenty in each interval, and the ends.
    assertThat(instants).hasSizeLessThanOrEqualTo(3 * 20 + 2);
    leases.forEach(Lease::close);
  }

  @Test
  @GuardsAgainst(Pitfall.LEASE_COUNTS_FROM_THE_ANSWER)
  void validityAndExpiry_ofASlowRenewal_countFromItsSending() {
    Lease lease = a.acquire("x", NOT_RENEWED);
    advance(seconds(19));
    a.store.next(REPLACE, ScriptedStore.holdBack());
    Caller<Boolean> renewal = Caller.of(lease::renew).awaitBlocked();
    Instant sent = a.machine.instant();
    advance(seconds(5));
    a.store.last(REPLACE).landAndAnswer();

    assertThat(lease.remaining()).isEqualTo(World.VALIDITY.minus(seconds(5)));
    assertThat(a.store.found("x").record().expiresAt()).isEqualTo(sent.plus(World.TTL));
    assertThat(a.store.found("x").record().createdAt()).isEqualTo(lease.acquiredAt());
    assertThat(renewal).satisfies(r -> assertThat(r.result()).isTrue());
    lease.close();
  }

  @Test
  void wallClock_setForward_costsTheLeaseAtOnce() {
    Lease lease = a.acquire("x");

    a.machine.stepWallClock(World.VALIDITY);

    assertThat(lease.isHeld()).isFalse();
    world.time.settle();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void wallClock_setForwardByLess_costsThatMuch() {
    Lease lease = a.acquire("x", NOT_RENEWED);

    a.machine.stepWallClock(seconds(10));

    assertThat(lease.remaining()).isEqualTo(World.VALIDITY.minus(seconds(10)));
    lease.close();
  }

  @Test
  void wallClock_setBack_extendsNothing() {
    Lease lease = a.acquire("x", NOT_RENEWED);

    a.machine.stepWallClock(Duration.ofDays(-1));

    Duration byTheMonotonicClock = World.LENGTH;
    assertThat(lease.remaining()).isEqualTo(byTheMonotonicClock);
    advance(byTheMonotonicClock);
    assertThat(lease.isHeld()).isFalse();
    lease.release();
  }

  @Test
  void machine_thatSleptPastTheValidity_hasLostTheLeaseWhenItWakes() {
    Lease lease = a.acquire("x");
    advance(seconds(1));

    a.machine.suspend();
    advance(World.VALIDITY);
    a.machine.resume();

    assertThat(lease.isHeld()).as("before any timer has run").isFalse();
    world.time.settle();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    lease.release();
  }

  @Test
  void machine_thatSleptWhileItsWallClockWasSetBackByThePadding_hasLostTheLease() {
    Lease lease = a.acquire("x");

    a.machine.suspend();
    advance(World.LENGTH);
    a.machine.stepWallClock(World.SKEW.negated());
    a.machine.resume();

    assertThat(lease.isHeld()).isFalse();
    lease.release();
  }

  @Test
  void machine_thatSleptForLess_goesOnAndRenews() {
    Lease lease = a.acquire("x");

    a.machine.suspend();
    advance(seconds(15));
    a.machine.resume();

    assertThat(lease.remaining()).isEqualTo(World.VALIDITY.minus(seconds(15)));
    advance(Duration.ofMinutes(5));
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void loss_isLatched_alsoWhenTheClockGoesBack() {
    Lease lease = a.acquire("x");
    a.machine.stepWallClock(Duration.ofHours(1));
    assertThat(lease.isHeld()).isFalse();

    a.machine.stepWallClock(Duration.ofHours(-1));

    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.renew()).isFalse();
    advance(seconds(20));
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  /** What chrony slews by at most unless told otherwise, and the monotonic clock with it. */
  private static final double CHRONY = 0.083_333;

  @ParameterizedTest
  @CsvSource({
    // One machine is slewed, either way, beside one that runs true or nearly so.
    "-0.083333, 0, 0.1",
    "-0.083333, 0.018, 0.1",
    "0, 0.083333, 0.1",
    "-0.018, 0.083333, 0.1",
    "-0.0999, 0, 0.1",
    // Two at a time.
    "-0.052, 0.052, 0.1",
    "-0.083333, -0.083333, 0.1",
    "0.083333, -0.083333, 0.1",
    "-0.083333, 0.083333, 0.16",
    "-0.0199, 0, 0.02",
    "-0.49, 0, 0.5"
  })
  void drift_withinTheMargin_neverMakesTwoHolders(double holder, double watcher, double margin) {
    assertThat(mostHolders(holder, watcher, margin, margin)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"-0.12, 0, 0.1", "-0.083333, 0.083333, 0.1", "-0.083333, 0, 0.02", "-0.01, 0, 0"})
  void drift_beyondTheMargin_isWhatTheGuaranteeExcludes(
      double holder, double watcher, double margin) {
    assertThat(mostHolders(holder, watcher, margin, margin))
        .as("this test would see two holders if there were two")
        .isEqualTo(2);
  }

  @Test
  void drift_margin_isTheHoldersOwn_whateverOthersHave() {
    assertThat(mostHolders(-CHRONY, 0, 0.1, 0)).isEqualTo(1);
    assertThat(mostHolders(-CHRONY, 0, 0, 0.5)).isEqualTo(2);
  }

  /** Of one lock, while its holder cannot renew and another waits for it to expire. */
  private int mostHolders(
      double holderDrift, double watcherDrift, double holderMargin, double watcherMargin) {
    World.Client holder =
        world.client("holder", m -> m.calendarTakeover(false).maxClockDrift(holderMargin));
    World.Client watcher =
        world.client("watcher", m -> m.calendarTakeover(false).maxClockDrift(watcherMargin));
    holder.machine.drift(holderDrift);
    watcher.machine.drift(watcherDrift);
    Lease first = holder.acquire("drift");
    holder.machine.stepWallClock(Duration.ofDays(-1)); // so that only the monotonic clock counts
    holder.store.cutOff();
    CompletableFuture<Lease> second = watcher.manager.acquireAsync("drift", World.PATIENT);
    List<Integer> holders = new ArrayList<>();
    world.time.afterEachStep(
        () -> {
          boolean secondHolds = second.isDone() && second.join().isHeld();
          holders.add((first.isHeld() ? 1 : 0) + (secondHolds ? 1 : 0));
        });
    advance(seconds(60));
    assertThat(second.join().release()).isEqualTo(ReleaseResult.RELEASED);
    var unused = first.releaseAsync();
    return holders.stream().mapToInt(n -> n).max().orElse(0);
  }

  @ParameterizedTest
  @CsvSource({"0.1, 10", "0.3, 9", "0.5, 6"})
  void renewal_withAnyMargin_comesBeforeTheMiddleOfTheValidity(double margin, double latest) {
    World.Client client = world.client("margin", m -> m.maxClockDrift(margin));
    Lease lease = client.acquire("margin");
    advance(Duration.ofMinutes(2));

    assertThat(gaps(client.store.requests(REPLACE)))
        .hasSizeGreaterThan(5)
        .allSatisfy(
            gap -> assertThat(gap).isBetween(seconds(latest * 0.85), seconds(latest * 1.1)));
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  // --- Renewal

  @Test
  void renewal_comesEveryThirdOfTheTtlOrALittleEarlier() {
    Lease lease = a.acquire("x");
    advance(Duration.ofMinutes(5));

    List<Duration> gaps = gaps(a.store.requests(REPLACE));
    assertThat(gaps).hasSizeBetween(30, 34);
    assertThat(gaps).allSatisfy(gap -> assertThat(gap).isBetween(seconds(9), seconds(10)));
    assertThat(new HashSet<>(gaps)).as("with jitter").hasSizeGreaterThan(1);
    assertThat(a.store.mostInFlight()).isEqualTo(1);
    lease.close();
  }

  private static List<Duration> gaps(List<ScriptedStore.Request<WriteResult>> requests) {
    List<Duration> gaps = new ArrayList<>();
    for (int i = 1; i < requests.size(); i++) {
      gaps.add(Duration.ofNanos(requests.get(i).sentAt() - requests.get(i - 1).sentAt()));
    }
    return gaps;
  }

  @Test
  @GuardsAgainst(Pitfall.LEASE_GIVEN_UP_TOO_EARLY)
  void renewal_thatFails_isTriedAgainUntilItSucceeds() {
    Lease lease = a.acquire("x");
    a.store.goDown();
    advance(World.VALIDITY.minus(seconds(1)));
    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("renewalFailed x")).isGreaterThan(3);

    a.store.heal();
    advance(seconds(60));

    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("lost x")).isZero();
    lease.close();
  }

  @Test
  @GuardsAgainst(Pitfall.LOST_ANSWER_ENDS_THE_LEASE)
  void renewal_thatLandedButWasNotAnswered_isRecognised_andEndsNothing() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.landsButUnclear());
    advance(World.TTL.multipliedBy(2));

    assertThat(a.store.count(READ)).as("asked what became of it").isEqualTo(1);
    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("lost x")).isZero();
    lease.close();
  }

  @Test
  void renewal_thatFails_isNotTriedInABurst() {
    Lease lease = a.acquire("x");
    a.store.goDown();
    a.store.clear();
    advance(World.VALIDITY);

    assertThat(a.store.requests()).as("writes and reads").hasSizeLessThan(30);
    assertThat(lease.isHeld()).isFalse();
    world.time.settle();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    lease.release();
  }

  @Test
  void renewal_thatFails_isTriedAgainSoon_andThenLessOften() {
    Lease lease = a.acquire("x");
    a.store.always(
        REPLACE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("429"))));
    assertThat(world.time.runUntil(() -> a.store.count(REPLACE) == 1, World.TTL)).isTrue();

    // A 60th of the TTL and twice that, a fifth more or less.
    advance(Duration.ofMillis(399));
    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    advance(Duration.ofMillis(202));
    assertThat(a.store.count(REPLACE)).isEqualTo(2);
    advance(Duration.ofMillis(598));
    assertThat(a.store.count(REPLACE)).isEqualTo(2);
    advance(Duration.ofMillis(602));
    assertThat(a.store.count(REPLACE)).isEqualTo(3);
    a.store.heal();
    lease.close();
  }

  @Test
  void renewal_thatNeverSucceeds_takesEightRequests_beforeItIsPutOff() {
    Lease lease = a.acquire("x");
    a.store.always(REPLACE, ScriptedStore.unclear());
    a.store.clear();

    assertThat(world.time.runUntil(() -> a.events.count("renewalFailed x") > 0, World.TTL))
        .isTrue();

    assertThat(a.store.requests())
        .extracting(request -> request.op().name())
        .containsExactly(
            "replace", "read", "replace", "read", "replace", "read", "replace", "read");
    a.store.heal();
    lease.close();
  }

  @Test
  void renewal_thatReadsStaleCopiesOnly_takesEightRequests_beforeItIsPutOff() {
    Lease predecessor = b.acquire("x");
    ReadResult stale = b.store.snapshot("x");
    predecessor.close();
    Lease lease = a.acquire("x");
    a.store.always(REPLACE, ScriptedStore.unclear());
    a.store.always(READ, ScriptedStore.answering(stale));
    a.store.clear();

    assertThat(world.time.runUntil(() -> a.events.count("renewalFailed x") > 0, World.TTL))
        .isTrue();

    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(a.store.count(READ)).isEqualTo(7);
    a.store.heal();
    lease.close();
  }

  @Test
  void renewal_whoseReadComesAfterTheValidity_isNotSentAgain() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.unclear()).next(READ, ScriptedStore.holdBack());
    assertThat(world.time.runUntil(() -> a.store.count(READ) == 1, World.TTL)).isTrue();
    a.machine.stepWallClock(World.VALIDITY);

    a.store.last(READ).landAndAnswer();

    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void renewal_thatIsRefused_isTriedAgain_andTheLeaseEndsWithItsValidity() {
    Lease lease = a.acquire("x");
    a.store.always(
        REPLACE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("403"))));

    advance(World.VALIDITY.minus(MILLI));
    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("renewalFailed x")).isGreaterThan(3);
    advance(MILLI);
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_TASK_DIES_SILENTLY)
  void renewal_whoseFutureFailsOrWhoseCallThrows_isTriedAgain() {
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.throwing(new IllegalStateException("a bug in the store")))
        .next(READ, ScriptedStore.throwing(new IllegalStateException("another")))
        .next(REPLACE, ScriptedStore.failing(new IllegalStateException("a third")))
        .next(READ, ScriptedStore.failing(new IllegalStateException("a fourth")));

    advance(Duration.ofMinutes(2));

    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("renewalFailed x")).isEqualTo(2);
    lease.close();
  }

  @Test
  void renewal_whoseAcknowledgementComesAfterTheValidity_isALoss() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    a.store.last(REPLACE).land();
    a.machine.stepWallClock(seconds(20));

    a.store.last(REPLACE).answer();

    assertThat(lease.isHeld()).isFalse();
    world.time.settle();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    assertThat(a.events.count("renewed x")).isZero();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    advance(seconds(1));
    assertThat(a.store.isFree("x")).as("what the renewal wrote is cleaned up").isTrue();
  }

  @Test
  void renewal_ofAnOldWrite_thatIsAcknowledgedAfterAPause_isALoss() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    a.machine.pause();
    advance(seconds(30));
    a.machine.resume();

    a.store.last(REPLACE).landAndAnswer();

    assertThat(lease.isHeld()).isFalse();
    lease.release();
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_OF_NOTHING_SUCCEEDS)
  void renewal_byTheUser_isTrueWhenAcknowledged_andFalseWhenNot() {
    Lease lease = a.acquire("x", NOT_RENEWED);
    advance(seconds(20));

    assertThat(lease.renew()).isTrue();
    assertThat(lease.remaining()).isEqualTo(World.VALIDITY);

    a.store.goDown();
    assertThat(lease.renew()).isFalse();
    assertThat(lease.isHeld()).as("nothing was changed").isTrue();

    a.store.heal();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    a.store.clear();
    assertThat(lease.renew()).isFalse();
    assertThat(a.store.requests()).as("a released lease sends nothing").isEmpty();
  }

  @Test
  void renewal_thatFindsTheIndexDeleted_isALoss_andNotAFailedRenewal() {
    Lease lease = a.acquire("x");
    a.store.next(
        REPLACE,
        ScriptedStore.answering(new WriteResult.Rejected(new IncarnationGoneException(MEMORY))));

    assertThat(lease.renew()).isFalse();

    assertThat(lease.isHeld()).isFalse();
    world.time.settle();
    assertThat(a.events.all()).containsExactly("acquired x", "lost x");
  }

  @Test
  void renewal_byTheUserWhileOneIsUnderWay_sharesIt() throws Exception {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    Caller<Boolean> one = Caller.of(lease::renew).awaitBlocked();
    Caller<Boolean> other = Caller.of(lease::renew).awaitBlocked();

    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    a.store.last(REPLACE).landAndAnswer();

    assertThat(one.result()).isTrue();
    assertThat(other.result()).isTrue();
    assertThat(a.store.mostInFlight()).isEqualTo(1);
    lease.close();
  }

  @Test
  void renewal_byTheUserWithoutAnswer_endsWhenTheLeaseDoes() throws Exception {
    Lease lease = a.acquire("x", NOT_RENEWED);
    advance(seconds(20));
    a.store.cutOff();
    Caller<Boolean> renewal = Caller.of(lease::renew).awaitBlocked();

    advance(World.VALIDITY.minus(seconds(20)));

    assertThat(renewal.result()).isFalse();
    var unused = lease.releaseAsync();
  }

  @Test
  void ensureHeld_withEnoughLeft_asksNobody_andElseRenews() {
    Lease lease = a.acquire("x", NOT_RENEWED);
    a.store.clear();
    lease.ensureHeld(seconds(20));
    advance(MILLI);
    lease.ensureHeld(lease.remaining());
    assertThat(a.store.requests()).isEmpty();

    advance(seconds(10));
    lease.ensureHeld(seconds(20));
    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(lease.remaining()).isEqualTo(World.VALIDITY);
    lease.close();
  }

  @Test
  void ensureHeld_whenItCannotBeHad_throwsAndLosesNothing() {
    Lease lease = a.acquire("x", NOT_RENEWED);
    advance(seconds(10));
    a.store.goDown();

    assertThatThrownBy(() -> lease.ensureHeld(seconds(20)))
        .isInstanceOf(LeaseLostException.class)
        .hasMessageContainingAll("x", "PT20S");
    assertThat(lease.isHeld()).isTrue();
    lease.ensureHeld(seconds(5));

    advance(seconds(20));
    assertThatThrownBy(() -> lease.ensureHeld(seconds(5)))
        .isInstanceOf(LeaseLostException.class)
        .hasMessageContaining(SessionState.Lost.validityEnded().message());
    a.store.heal();
    lease.release();
  }

  @Test
  void ticks_whoseCancellingComesTooLate_doNotMultiply() {
    a.machine.cancelTooLate(true);
    Lease lease = a.acquire("x");
    for (int i = 0; i < 100; i++) {
      advance(seconds(1));
      assertThat(lease.renew()).isTrue();
    }

    a.store.clear();
    advance(seconds(60));

    assertThat(a.machine.pendingTimers()).isLessThan(10);
    lease.close();
  }

  // --- What reads tell a holder

  @Test
  void renewal_thatMeetsASuccessor_isALossAtOnce_andNamesIt() {
    Lease lease = a.acquire("x");
    CompletableFuture<LeaseLostException> loss = new CompletableFuture<>();
    lease.onLost(loss::complete);
    ReadResult.Found ours = a.store.found("x");
    assertThat(world.memory.delete("x", ours.version())).isCompleted();
    Lease successor = b.acquire("x");

    advance(seconds(10));

    assertThat(lease.isHeld()).isFalse();
    assertThat(world.now(loss)).hasMessageContaining("taken over by B");
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(successor.isHeld()).isTrue();
    assertThat(successor.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  @GuardsAgainst(Pitfall.FENCING_TOKEN_OF_SOMEBODY_ELSE)
  void fencingToken_isTheHoldersOwn_alsoAfterAnotherTookOver() {
    Lease lease = a.acquire("x");
    FencingToken own = lease.fencingToken();
    a.store.cutOff();
    CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
    advance(World.TTL.multipliedBy(2));

    Lease successor = world.now(waiter);
    assertThat(successor.fencingToken()).isGreaterThan(own);
    assertThat(lease.fencingToken()).isEqualTo(own);
    a.store.heal();
    successor.close();
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_OF_NOTHING_SUCCEEDS)
  void record_thatIsAbsentTwice_isALoss() {
    Lease lease = a.acquire("x");
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();

    advance(seconds(10));

    assertThat(lease.isHeld()).isFalse();
    assertThat(a.store.count(READ)).isEqualTo(2);
    assertThat(a.events.count("lost x")).isEqualTo(1);
    lease.release();
  }

  @Test
  void record_thatIsAbsentOnce_wasShownByAStaleCopy() {
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.loseAnswer())
        .next(READ, ScriptedStore.answering(new ReadResult.Absent(MEMORY)));

    advance(Duration.ofMinutes(1));

    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("lost x")).isZero();
    lease.close();
  }

  @Test
  void read_thatIsOlderThanTheLastAcknowledgedWrite_tellsAHolderNothing() {
    Lease predecessor = b.acquire("x");
    ReadResult stale = b.store.snapshot("x");
    predecessor.close();
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.landsButUnclear())
        .next(READ, ScriptedStore.answering(stale))
        .next(READ, ScriptedStore.answering(stale));

    advance(seconds(11));

    assertThat(lease.isHeld()).isTrue();
    assertThat(a.events.count("renewed x")).isEqualTo(1);
    assertThat(a.store.count(READ)).isEqualTo(3);
    lease.close();
  }

  @Test
  void read_thatIsStaleAgainAndAgain_putsTheRenewalOff_andEndsNothing() {
    Lease predecessor = b.acquire("x");
    ReadResult stale = b.store.snapshot("x");
    predecessor.close();
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.landsButUnclear())
        .always(READ, ScriptedStore.answering(stale));
    advance(seconds(11));
    assertThat(a.events.count("renewalFailed x")).isPositive();
    assertThat(a.store.count(READ)).as("bounded").isLessThan(40);

    a.store.heal();
    advance(Duration.ofMinutes(1));
    assertThat(lease.isHeld()).isTrue();
    lease.close();
  }

  @Test
  void read_thatShowsAWriteThatWasNeverCommitted_isNotBelieved() {
    Lease lease = a.acquire("x");
    ReadResult.Found real = a.store.found("x");
    ReadResult dirty =
        new ReadResult.Found(
            real.record(),
            new Version(real.version().incarnation(), real.version().primaryTerm(), 1_000));
    a.store.next(REPLACE, ScriptedStore.unclear()).next(READ, ScriptedStore.answering(dirty));

    advance(Duration.ofMinutes(1));

    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.isFree("x")).isTrue();
  }

  // --- Being told

  @Test
  void onLost_isRunOnceForEachCallback_alsoWhenItIsLostAlready() {
    Lease lease = a.acquire("x");
    List<String> told = new ArrayList<>();
    lease.onLost(loss -> told.add("before"));
    lease.onLost(
        loss -> {
          told.add("failing");
          throw new IllegalStateException("a bug of the user");
        });
    lease.onLost(loss -> told.add("last"));
    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));
    assertThat(told).containsExactlyInAnyOrder("before", "failing", "last");

    lease.onLost(loss -> told.add("after"));
    world.time.settle();
    assertThat(told).hasSize(4).contains("after");

    advance(Duration.ofMinutes(5));
    var unused = lease.releaseAsync();
    advance(Duration.ofMinutes(1));
    assertThat(told).hasSize(4);
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @Test
  @GuardsAgainst(Pitfall.LOSS_TOLD_TO_A_NON_HOLDER)
  void onLost_ofAReleasedLease_isNeverRun() {
    Lease lease = a.acquire("x");
    List<String> told = new ArrayList<>();
    lease.onLost(loss -> told.add("before"));
    lease.close();
    lease.onLost(loss -> told.add("after"));

    advance(Duration.ofMinutes(5));

    assertThat(told).isEmpty();
    assertThat(a.events.count("lost x")).isZero();
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  @GuardsAgainst(Pitfall.BLACK_HOLE_HIDES_THE_LOSS)
  void loss_isNoticedWithoutAnybodyAsking_whenTheStoreIsSilent() {
    Lease lease = a.acquire("x");
    CompletableFuture<LeaseLostException> loss = new CompletableFuture<>();
    lease.onLost(loss::complete);
    a.store.cutOff();

    assertThat(world.time.runUntil(loss::isDone, World.VALIDITY.plus(MILLI))).isTrue();

    assertThat(loss.join()).hasMessageContaining(SessionState.Lost.validityEnded().message());
    assertThat(loss.join().lockId()).isEqualTo("x");
    assertThat(a.store.count(DELETE)).as("nobody deletes while a body may still run").isZero();
    var unused = lease.releaseAsync();
  }
}
