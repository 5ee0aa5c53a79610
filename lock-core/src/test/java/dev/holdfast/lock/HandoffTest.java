package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a lock goes from one holder to the next within a process. */
class HandoffTest extends OnVirtualTime {

  private Lease held = a.acquire("x");

  private CompletableFuture<Lease> waiter() {
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();
    assertThat(waiter).isNotDone();
    return waiter;
  }

  @Test
  void release_whileAnotherWaitsHere_handsTheLockOver_withoutARequest() {
    CompletableFuture<Lease> waiter = waiter();
    a.store.clear();

    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);

    Lease next = world.now(waiter);
    assertThat(a.store.requests()).isEmpty();
    assertThat(held.isHeld()).isFalse();
    assertThat(held.renew()).isFalse();
    assertThat(next.isHeld()).isTrue();
    assertThat(next.token()).isEqualTo(held.token() + "#1");
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    assertThat(b.canAcquire("x")).isFalse();
    world.time.settle();
    assertThat(a.events.all()).contains("released x RELEASED");
    assertThat(a.events.count("acquired x")).isEqualTo(2);

    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** The engine's own look at the session sees the release before its caller's task has run. */
  @Test
  void release_thatTheTimerSeesFirst_handsTheLockOver_andItIsRenewed() {
    LockOptions options = World.PATIENT.withTtl(Duration.ofSeconds(2));
    AtomicReference<Runnable> atNextLook = new AtomicReference<>(() -> {});
    World.Client c =
        world.client(
            "C", builder -> builder.ticker(() -> World.after(atNextLook, a.machine.nanos())));
    Lease first = c.acquire("y", options);
    CompletableFuture<Lease> waiter = c.manager.acquireAsync("y", options);
    // Such looks come every tenth of this TTL, those of the loss watch each second.
    advance(Duration.ofMillis(250));
    atNextLook.set(
        () -> {
          var unused = first.releaseAsync();
        });

    advance(Duration.ofMillis(250));
    Lease next = world.now(waiter);
    assertThat(next.token()).as("handed off").contains("#");
    advance(seconds(10));

    assertThat(next.isHeld()).isTrue();
    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    held.close();
  }

  @Test
  void handedOver_firstComeFirstServed() {
    List<String> order = new ArrayList<>();
    for (String name : List.of("first", "second", "third")) {
      var unused =
          a.manager
              .acquireAsync("x", World.PATIENT)
              .thenAccept(
                  lease -> {
                    order.add(name);
                    var unusedToo = lease.releaseAsync();
                  });
    }

    held.close();
    world.time.settle();

    assertThat(order).containsExactly("first", "second", "third");
    assertThat(a.store.count(CREATE)).isEqualTo(1);
  }

  @Test
  void handedOverLease_isRenewed_andOutlivesTheTtl() {
    CompletableFuture<Lease> waiter = waiter();
    held.close();
    Lease next = world.now(waiter);

    advance(World.TTL.multipliedBy(3));

    assertThat(next.isHeld()).isTrue();
    assertThat(b.canAcquire("x")).isFalse();
    next.close();
  }

  @Test
  void tokens_riseWithEveryHandOver_beyondAllNumbersThatThereAreBetweenTwoWrites() {
    Lease current = held;
    int handoffs = 3 * (FencingToken.MAX_HANDOFF + 1);
    for (int i = 1; i <= handoffs; i++) {
      CompletableFuture<Lease> waiter = waiter();
      current.close();
      Lease next = world.now(waiter);
      assertThat(next.fencingToken()).isGreaterThan(current.fencingToken());
      assertThat(next.token()).isEqualTo(held.token() + "#" + i);
      current = next;
    }
    assertThat(a.store.count(CREATE)).as("it was never given back").isEqualTo(1);
    assertThat(a.store.count(DELETE)).isZero();
    assertThat(a.store.count(REPLACE)).as("new sequence numbers").isBetween(2, 3);
    current.close();
  }

  @Test
  void loss_isToldToTheHolderOfNowOnly() {
    List<String> told = new ArrayList<>();
    held.onLost(loss -> told.add("first"));
    CompletableFuture<Lease> waiter = waiter();
    held.close();
    Lease next = world.now(waiter);
    next.onLost(loss -> told.add("second"));
    a.store.cutOff();

    advance(World.TTL);

    assertThat(told).containsExactly("second");
    assertThat(next.isHeld()).isFalse();
    assertThat(next.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  /** The lease is what the write before made it, until the answer comes. */
  @Test
  void renewalOnItsWay_doesNotHoldUpAHandOver_andServesTheNextHolder() {
    a.store.next(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    advance(World.TTL.dividedBy(3).plus(MILLI));
    CompletableFuture<Lease> waiter = waiter();

    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);

    Lease next = world.now(waiter);
    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    Duration before = next.remaining();
    advance(seconds(1));
    assertThat(next.remaining()).isGreaterThan(before);
    assertThat(b.canAcquire("x")).isFalse();
    assertThat(a.store.count(REPLACE)).as("one renewal served both").isEqualTo(1);
    assertThat(a.store.count(DELETE)).isZero();
    next.close();
  }

  @Test
  void renewalOnItsWay_nobodyWaits_theReleaseWaits_andWhoComesMeanwhileInherits() {
    a.store.next(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    advance(World.TTL.dividedBy(3).plus(MILLI));

    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    world.time.settle();
    assertThat(release).isNotDone();
    assertThat(a.store.count(DELETE)).isZero();
    CompletableFuture<Lease> waiter = waiter();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    assertThat(a.store.count(DELETE)).as("who came meanwhile got it").isZero();
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    next.close();
  }

  /** Once an answer tells nothing, it is not known what the record is: nobody inherits that. */
  @Test
  void renewalWithoutAClearAnswer_noHandOver() {
    a.store
        .next(REPLACE, ScriptedStore.landsButUnclear())
        .next(READ, ScriptedStore.late(a.machine, seconds(1)));
    assertThat(world.time.runUntil(() -> a.store.count(READ) > 0, World.TTL)).isTrue();
    CompletableFuture<Lease> waiter = waiter();

    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    world.time.settle();
    assertThat(release).isNotDone();
    assertThat(waiter).as("it is not known whether the renewal was applied").isNotDone();
    advance(seconds(2));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    assertThat(next.token()).as("acquired again").doesNotContain("#");
    next.close();
  }

  /** When the numbers are used up, the next handoff waits for the write that gives new ones. */
  @Test
  void renewalOnItsWay_numbersUsedUp_isAwaited_andThenTheLockIsHandedOver() {
    a.store.next(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    handoffs(FencingToken.MAX_HANDOFF - HandoffPacing.MIN_IN_A_RENEWAL - 1, Duration.ZERO);
    assertThat(a.store.count(REPLACE)).as("more numbers are left than may be needed").isZero();
    handoffs(1, Duration.ZERO);
    assertThat(a.store.count(REPLACE)).as("sent ahead").isEqualTo(1);
    handoffs(HandoffPacing.MIN_IN_A_RENEWAL, Duration.ZERO);
    CompletableFuture<Lease> waiter = waiter();

    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    world.time.settle();
    assertThat(release).isNotDone();
    assertThat(waiter).isNotDone();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    assertThat(a.store.count(DELETE)).isZero();
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    assertThat(next.fencingToken().handoff()).isZero();
    next.close();
  }

  /** Its numbers are used up, and a write did not bring new ones: it is given back. */
  @Test
  void renewalOnItsWay_numbersUsedUp_thatFails_noHandOver() {
    a.store.next(REPLACE, ScriptedStore.holdBack());
    handoffs(FencingToken.MAX_HANDOFF, Duration.ZERO);
    CompletableFuture<Lease> waiter = waiter();
    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    world.time.settle();

    a.store.last(REPLACE).answer(new WriteResult.Rejected(new IllegalStateException("429")));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    assertThat(next.token()).as("acquired again").doesNotContain("#");
    assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
    next.close();
  }

  @Test
  void renewalOnItsWay_whoseAnswerIsARefusal_leavesTheNextHolderItsLease() {
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(World.TTL.dividedBy(3).plus(MILLI));
    CompletableFuture<Lease> waiter = waiter();
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);

    a.store.last(REPLACE).answer(new WriteResult.Rejected(new IllegalStateException("429")));
    world.time.settle();

    assertThat(next.isHeld()).isTrue();
    assertThat(b.canAcquire("x")).isFalse();
    next.close();
  }

  @Test
  void renewalOnItsWay_thatMeetsASuccessor_isALossOfTheNextHolder() {
    List<String> told = new ArrayList<>();
    held.onLost(loss -> told.add("first"));
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(World.TTL.dividedBy(3).plus(MILLI));
    CompletableFuture<Lease> waiter = waiter();
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    next.onLost(loss -> told.add("second"));
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();
    Lease successor = b.acquire("x");

    a.store.last(REPLACE).landAndAnswer();
    world.time.settle();

    assertThat(next.isHeld()).isFalse();
    assertThat(told).containsExactly("second");
    assertThat(successor.fencingToken()).isGreaterThan(next.fencingToken());
    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(successor.isHeld()).isTrue();
    successor.close();
  }

  @Test
  void renewalOnItsWay_servesTheCallOfTheNextHolder_andEndsThatOfTheFormer() throws Exception {
    a.store.next(REPLACE, ScriptedStore.holdBack());
    FutureTask<Boolean> former = renewalInAThread(held);
    CompletableFuture<Lease> waiter = waiter();
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(former.get(1, TimeUnit.MINUTES)).isFalse();
    Lease next = world.now(waiter);
    FutureTask<Boolean> renewed = renewalInAThread(next);

    a.store.last(REPLACE).landAndAnswer();

    assertThat(renewed.get(1, TimeUnit.MINUTES)).isTrue();
    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    next.close();
  }

  private static FutureTask<Boolean> renewalInAThread(Lease lease) throws InterruptedException {
    FutureTask<Boolean> renewal = new FutureTask<>(lease::renew);
    startAndAwaitItsSleep(new Thread(renewal));
    return renewal;
  }

  /** The time-out of a release that became a handoff, and comes while the next is under way. */
  @Test
  void timeOutOfARelease_cancelledTooLate_isNotThatOfTheNext() {
    a.machine.cancelTooLate(true);
    a.store.next(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    advance(World.TTL.dividedBy(3).plus(MILLI));
    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.PATIENT.withWaitTimeout(Duration.ofMinutes(1)));
    advance(seconds(1));
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    Lease next = world.now(waiter);
    assertThat(next.token()).isEqualTo(held.token() + "#1");

    a.store.next(DELETE, ScriptedStore.late(a.machine, seconds(2)));
    advance(a.manager.engine.releaseTimeout.minus(seconds(2)));
    CompletableFuture<ReleaseResult> last = next.releaseAsync();
    advance(seconds(2));

    assertThat(world.now(last)).isEqualTo(ReleaseResult.RELEASED);
  }

  /** Of handoffs in a row none waits for a write that takes as long as the one before. */
  @ParameterizedTest
  @ValueSource(ints = {40, 400, 800})
  void handOversInARow_areSoonRenewedBeforeTheirNumbersRunOut(int inARenewal) {
    Duration each = Duration.ofNanos(10_000);
    a.store.always(REPLACE, ScriptedStore.late(a.machine, each.multipliedBy(inARenewal)));
    int waits = 0;
    while (a.store.count(REPLACE) < 14) {
      waits += handOff(each) ? 0 : 1;
    }
    // Half as many again each time: from 16 to 800 in ten renewals.
    assertThat(waits).as("while it learns how many come in a renewal").isLessThanOrEqualTo(10);
    a.store.clear();

    for (int i = 0; i < 4_000; i++) {
      FencingToken before = held.fencingToken();
      assertThat(handOff(each)).isTrue();
      assertThat(held.fencingToken()).isGreaterThan(before);
    }

    assertThat(a.store.count(REPLACE)).as("of 4,000 handoffs").isBetween(3, 7);
    assertThat(a.store.count(DELETE)).isZero();
    a.store.heal();
    advance(seconds(1));
    held.close();
  }

  /** However they come, one renewal serves so many. */
  @ParameterizedTest
  @ValueSource(ints = {8, 68, 480, 800, 1_200})
  void handOversInBursts_costFewRenewals(int burst) {
    Duration write = MILLI;
    a.store.always(REPLACE, ScriptedStore.late(a.machine, write));

    for (int i = 1; i <= 12_000; i++) {
      handOff(i % burst == 0 ? write : Duration.ofNanos(1));
    }

    assertThat(a.store.count(REPLACE)).as("of 12,000 handoffs").isBetween(11, 21);
    assertThat(a.store.count(DELETE)).isZero();
    a.store.heal();
    advance(seconds(1));
    held.close();
  }

  /** Whether it came at once, and not after a write. */
  private boolean handOff(Duration heldFor) {
    CompletableFuture<Lease> waiter = waiter();
    world.advance(heldFor);
    CompletableFuture<ReleaseResult> release = held.releaseAsync();
    world.time.settle();
    boolean atOnce = release.isDone();
    assertThat(world.time.runUntil(waiter::isDone, seconds(1))).isTrue();
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    held = world.now(waiter);
    return atOnce;
  }

  @Test
  void renewalThatFailed_noHandOver() {
    a.store.next(REPLACE, ScriptedStore.unclear()).next(READ, ScriptedStore.unclear());
    // No longer: it is tried again soon.
    assertThat(world.time.runUntil(() -> a.store.count(READ) > 0, World.TTL)).isTrue();
    CompletableFuture<Lease> waiter = waiter();

    held.close();
    world.time.settle();

    assertThat(world.now(waiter).token()).doesNotContain("#");
    waiter.join().close();
  }

  static List<LockOptions> others() {
    return List.of(
        World.PATIENT.withTtl(World.TTL.plusSeconds(1)),
        World.PATIENT.withMetadata(Map.of("k", "v")),
        World.PATIENT.withAutoRenew(false));
  }

  @ParameterizedTest
  @MethodSource("others")
  void waiterThatAskedForSomethingElse_acquiresAnew(LockOptions other) {
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", other);
    held.close();
    world.time.settle();
    Lease next = world.now(waiter);
    assertThat(next.token()).doesNotContain("#");
    next.close();
  }

  @Test
  void leaseThatIsNotRenewed_isNotHandedOver() {
    held.close();
    held = a.acquire("x", World.ONE_ATTEMPT.withAutoRenew(false));
    CompletableFuture<Lease> waiter = waiter();
    held.close();
    world.time.settle();
    assertThat(world.now(waiter).token()).doesNotContain("#");
    waiter.join().close();
  }

  @Test
  void bodyThatInherits_isInterrupted_onlyIfItAskedForThat() {
    CompletableFuture<Lease> waiter =
        a.manager.acquireAsync("x", World.PATIENT.withOnLeaseLost(OnLeaseLost.NOTIFY));
    held.close();
    Lease next = world.now(waiter);
    LeaseHandle handle = (LeaseHandle) next;
    assertThat(handle.enterBody()).isTrue();
    a.store.cutOff();

    advance(World.TTL);

    assertThat(next.isHeld()).isFalse();
    assertThat(Thread.interrupted()).isFalse();
    handle.exitBody(null);
    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void managerCloses_nobodyInherits() {
    CompletableFuture<Lease> waiter = waiter();
    CompletableFuture<Void> closed = a.manager.closeAsync();
    world.time.settle();

    assertThat(a.failure(waiter)).isInstanceOf(LockManagerClosedException.class);
    assertThat(closed).isCompleted();
    assertThat(b.canAcquire("x")).isTrue();
  }

  private static void startAndAwaitItsSleep(Thread thread) throws InterruptedException {
    thread.start();
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      assertThat(thread.isAlive()).isTrue();
      Thread.sleep(1);
    }
  }

  private void handoffs(int count, Duration heldFor) {
    for (int i = 0; i < count; i++) {
      assertThat(handOff(heldFor)).as("that it came at once").isTrue();
    }
  }
}
