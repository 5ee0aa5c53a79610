package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Sessions that stay with their manager without a holder, for its next caller. */
class LingerTest extends OnVirtualTime {
  private static final Duration LINGER = Duration.ofSeconds(10);
  private static final LockOptions LINGERING = World.ONE_ATTEMPT.withLinger(LINGER);

  private void acquireAndRelease() {
    release(a.acquire("x", LINGERING));
  }

  private void release(Lease lease) {
    assertThat(world.now(lease.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void nextCaller_getsTheLockFromMemory_withTheNextFencingToken() {
    Lease first = a.acquire("x", LINGERING);
    release(first);
    assertThat(a.store.count(DELETE)).isZero();
    a.store.clear();

    // No renewal is due yet.
    advance(LINGER.dividedBy(2));
    Lease second = a.acquire("x", LINGERING);

    assertThat(a.store.requests()).isEmpty();
    assertThat(second.isHeld()).isTrue();
    assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
    assertThat(first.isHeld()).isFalse();
    assertThat(a.events.count("acquired x")).isEqualTo(2);
    assertThat(a.events.count("released x RELEASED")).isEqualTo(1);
    release(second);
    advance(LINGER);
    assertThat(a.events.count("released x RELEASED"))
        .as("the end of the linger is no release")
        .isEqualTo(2);
  }

  @Test
  void others_findTheLockHeld_untilTheTimeIsUp() {
    acquireAndRelease();

    advance(LINGER.minusMillis(1));
    assertThat(b.canAcquire("x")).isFalse();
    assertThat(b.manager.find("x"))
        .hasValueSatisfying(info -> assertThat(info.owner()).isEqualTo("A"));
    assertThat(a.manager.list()).hasSize(1);

    advance(MILLI);
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void withoutLinger_theRecordIsDeletedAtOnce() {
    release(a.acquire("x"));
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void lock_thatACallOfAnotherKindWaitsFor_isGivenBackAtOnce() {
    Lease lease = a.acquire("x", LINGERING);
    CompletableFuture<Lease> apart = a.manager.acquireAsync("x", World.APART);
    world.time.settle();
    assertThat(apart).isNotDone();

    release(lease);

    assertThat(world.now(apart).token()).as("a lease of its own").doesNotContain("#");
    release(apart.join());
  }

  @Test
  void renewal_thatIsAnsweredWhileTheLockLingers_doesNotEndThat() {
    Lease lease = a.acquire("x", LINGERING);
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    release(lease);

    a.store.last(REPLACE).landAndAnswer();
    advance(seconds(1));

    assertThat(a.store.count(DELETE)).isZero();
    advance(LINGER);
    assertThat(a.store.count(DELETE)).isEqualTo(1);
  }

  /** Only the time after a renewal is there to be used, and no renewal is sent for it. */
  @Test
  void session_isNotRenewedToLingerOn() {
    Lease lease = a.acquire("x", LINGERING.withLinger(Duration.ofSeconds(15)));
    advance(seconds(9));
    release(lease);
    a.store.clear();

    advance(seconds(14.9));

    assertThat(a.store.requests()).isEmpty();
    advance(seconds(0.2));
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    assertThat(a.store.count(REPLACE)).isZero();
  }

  /** A renewal that was asked for at the moment of the release. */
  @Test
  void renewal_askedForByAHolderThatReleases_isNotSent() {
    AtomicReference<Runnable> atNextLook = new AtomicReference<>(() -> {});
    World.Client c =
        world.client(
            "C", builder -> builder.ticker(() -> World.after(atNextLook, a.machine.nanos())));
    Lease lease = c.acquire("x", LINGERING);
    CompletableFuture<ReleaseResult> released = new CompletableFuture<>();
    atNextLook.set(
        () -> {
          var unused = lease.releaseAsync().thenAccept(released::complete);
        });

    assertThat(lease.renew()).isFalse();

    assertThat(world.now(released)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(c.manager.engine.lingering.size()).isEqualTo(1);
    assertThat(c.store.count(REPLACE)).isZero();
  }

  /** The clock fails when the answer comes. */
  @Test
  void renewal_whoseHandlerBreaksOff_isSentAgain() {
    AtomicBoolean broken = new AtomicBoolean();
    World.Client c =
        world.client(
            "C",
            builder ->
                builder.wallClock(
                    () -> {
                      if (broken.getAndSet(false)) {
                        throw new IllegalStateException("no clock");
                      }
                      return a.machine.instant();
                    }));
    Lease lease = c.acquire("x", LINGERING);
    c.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    broken.set(true);
    c.store.last(REPLACE).answerUnclear();
    assertThat(broken).as("the clock was read").isFalse();

    advance(World.TTL.multipliedBy(2));

    assertThat(lease.isHeld()).isTrue();
    release(lease);
  }

  @Test
  void lateNextCaller_isRenewedAtOnce() {
    release(a.acquire("x", LINGERING.withLinger(Duration.ofSeconds(15))));
    advance(seconds(14));
    a.store.clear();

    Lease next = a.acquire("x", LINGERING);
    world.time.settle();

    assertThat(a.store.count(REPLACE)).isEqualTo(1);
    assertThat(next.remaining()).isGreaterThan(seconds(24));
    advance(World.TTL.multipliedBy(2));
    assertThat(next.isHeld()).isTrue();
    release(next);
  }

  /** Its renewal might come too late. */
  @Test
  void veryLateNextCaller_acquiresAgain() {
    Lease first = a.acquire("x", LINGERING.withLinger(Duration.ofSeconds(15)));
    advance(seconds(9));
    release(first);
    advance(seconds(11));

    Lease next = a.acquire("x", LINGERING);

    assertThat(next.token()).doesNotContain("#");
    assertThat(next.fencingToken()).isGreaterThan(first.fencingToken());
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    release(next);
  }

  @Test
  void renewalUnclear_whenReleased_doesNotLinger() {
    a.store.next(REPLACE, ScriptedStore.unclear());
    a.store.next(READ, ScriptedStore.holdBack());
    Lease lease = a.acquire("x", LINGERING);
    advance(seconds(10));
    assertThat(a.store.count(READ)).as("the renewal is being looked for").isEqualTo(1);

    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    world.time.settle();

    assertThat(a.manager.engine.lingering.size()).isZero();
    advance(seconds(10));
    assertThat(release).isCompleted();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void lateNextCaller_whoseRenewalFails_losesTheLeaseInTime() {
    release(a.acquire("x", LINGERING.withLinger(Duration.ofSeconds(15))));
    advance(seconds(14));
    a.store.cutOff();
    Lease next = a.acquire("x", LINGERING);
    assertThat(next.isHeld()).isTrue();

    advance(World.VALIDITY.minusSeconds(14));

    assertThat(next.isHeld()).isFalse();
    assertThat(b.canAcquire("x")).as("the record stands for its whole TTL").isFalse();
    assertThat(world.now(next.releaseAsync())).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void otherMetadata_orTtl_theLockIsGivenBackFirst_andNobodyIsToldThatItIsHeld() {
    acquireAndRelease();
    Lease other = a.acquire("x", LINGERING.withMetadata(Map.of("job", "another")));
    assertThat(other.token()).doesNotContain("#");
    assertThat(a.store.count(DELETE)).isEqualTo(1);
    assertThat(a.store.count(CREATE)).isEqualTo(2);
    release(other);

    Lease longer =
        a.acquire(
            "x", LINGERING.withTtl(Duration.ofSeconds(60)).withMetadata(Map.of("job", "another")));
    assertThat(longer.remaining()).isGreaterThan(World.TTL);
    assertThat(a.events.count("contended x")).isZero();
    release(longer);
  }

  @Test
  void outage_whileItIsGivenBackForAnother_isNoContention() {
    acquireAndRelease();
    a.store.cutOff();
    CompletableFuture<Lease> other =
        a.manager.acquireAsync("x", World.ONE_ATTEMPT.withMetadata(Map.of("job", "another")));

    advance(World.REQUEST_TIMEOUT);

    assertThat(a.failure(other)).isInstanceOf(LockStoreUnavailableException.class);
    a.store.heal();
  }

  @Test
  void close_givesBackWhatLingers() {
    acquireAndRelease();
    CompletableFuture<?> closed = a.manager.closeAsync();
    world.now(closed);
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void forceRelease_endsIt_here_andThere() {
    acquireAndRelease();
    assertThat(a.manager.forceRelease("x")).isTrue();
    a.store.clear();
    Lease again = a.acquire("x", LINGERING);
    assertThat(a.store.count(CREATE)).isEqualTo(1);
    release(again);

    assertThat(b.manager.forceRelease("x")).isTrue();
    Lease ofB = b.acquire("x");
    advance(LINGER);
    assertThat(ofB.isHeld()).isTrue();
    assertThat(a.events.count("lost x")).as("it was nobody's").isZero();
    release(ofB);
  }

  @Test
  void lingering_whenTheMachineSleeps_endsWithItsValidity_silently() {
    acquireAndRelease();
    a.machine.suspend();
    advance(World.TTL.plus(World.SKEW).plusMillis(1));
    Lease ofB = b.acquire("x");
    a.machine.resume();

    CompletableFuture<Lease> next = a.manager.acquireAsync("x", LINGERING);

    assertThat(a.failure(next)).isInstanceOf(LockAcquisitionException.class);
    assertThat(a.events.count("lost x")).isZero();
    assertThat(ofB.isHeld()).isTrue();
    release(ofB);
  }

  @Test
  void fencingTokens_riseBeyondAllNumbers_withOneRequestForEach1024() {
    Lease last = a.acquire("x", LINGERING);
    int grants = 5_000;
    for (int i = 0; i < grants; i++) {
      release(last);
      Lease next = a.acquire("x", LINGERING);
      assertThat(next.fencingToken()).isGreaterThan(last.fencingToken());
      last = next;
    }
    release(last);
    assertThat(a.store.requests().size()).isLessThanOrEqualTo(1 + grants / 1_000);
    assertThat(a.store.count(DELETE)).isZero();
  }

  /** The next caller waits for the numbers, and not for a delete and a create. */
  @Test
  void numbersUsedUp_nextCallerWaitsForTheRenewal() {
    a.store.always(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    Lease last = a.acquire("x", LINGERING);
    for (int i = 0; i < FencingToken.MAX_HANDOFF; i++) {
      release(last);
      last = a.acquire("x", LINGERING);
    }
    release(last);
    CompletableFuture<Lease> next = a.manager.acquireAsync("x", LINGERING);
    world.time.settle();
    assertThat(next).isNotDone();

    advance(seconds(1));

    assertThat(world.now(next).fencingToken()).isGreaterThan(last.fencingToken());
    assertThat(a.store.count(DELETE)).isZero();
    release(next.join());
  }

  @Test
  void numbersUsedUp_renewalUnclear_givenBack_andAcquiredAgain() {
    a.store.always(REPLACE, ScriptedStore.late(a.machine, seconds(1)));
    Lease last = a.acquire("x", LINGERING);
    for (int i = 0; i < FencingToken.MAX_HANDOFF; i++) {
      release(last);
      last = a.acquire("x", LINGERING);
    }
    release(last);
    CompletableFuture<Lease> next = a.manager.acquireAsync("x", LINGERING);
    a.store.requests(REPLACE).get(0).answerUnclear();
    world.time.settle();
    advance(seconds(1));

    Lease granted = world.now(next);
    assertThat(granted.token()).as("acquired again").doesNotContain("#");
    assertThat(granted.fencingToken()).isGreaterThan(last.fencingToken());
    release(granted);
  }

  /** What a busy process keeps without a holder counts as held: others get their turn. */
  @Test
  void busyProcess_leavesTheLockToOthers() {
    CompletableFuture<Lease> waiter = new CompletableFuture<>();
    List<Lease> granted = new ArrayList<>();
    Duration turn = Duration.ofMillis(20);
    long turns = LocalTenure.MAX_LOCAL_TENURE.plus(LocalTenure.MIN_PAUSE).dividedBy(turn) + 1;
    for (int i = 0; i < turns && !waiter.isDone(); i++) {
      if (i == 10) {
        waiter = b.manager.acquireAsync("x", World.PATIENT);
      }
      CompletableFuture<Lease> mine = a.manager.acquireAsync("x", LINGERING);
      advance(turn);
      if (mine.isDone() && !mine.isCompletedExceptionally()) {
        granted.add(mine.join());
        release(mine.join());
      } else {
        mine.cancel(false);
      }
    }
    assertThat(waiter).as("within a tenure and a pause").isCompleted();
    assertThat(granted).hasSizeGreaterThan(50);
    release(waiter.join());
  }

  @Test
  void more_thanTheLimit_theOldestIsGivenBack() {
    World.Client c =
        world.client(
            "C",
            builder -> {
              builder.maxLingering = 3;
              return builder;
            });
    for (int i = 0; i <= 3; i++) {
      release(c.acquire("lock-" + i, LINGERING));
    }
    assertThat(c.manager.engine.lingering.size()).isEqualTo(3);
    assertThat(c.store.isFree("lock-0")).isTrue();
    assertThat(c.store.isFree("lock-1")).isFalse();
    world.now(c.manager.closeAsync());
    assertThat(c.manager.engine.lingering.size()).isZero();
  }

  /** A task that breaks off, wherever it does, leaves nothing that lingers for ever. */
  @Test
  void clockThatFailsOnce_atAnyRead_leavesNoCallOpen_andNothingLingering() {
    int failed = 0;
    for (int read = 1; read <= 60; read++) {
      AtomicInteger left = new AtomicInteger(read);
      World.Client c =
          world.client(
              "C" + read,
              builder ->
                  builder.wallClock(
                      () -> {
                        if (left.decrementAndGet() == 0) {
                          throw new IllegalStateException("no clock");
                        }
                        return a.machine.instant();
                      }));
      int granted = 0;
      for (int i = 0; i < 3; i++) {
        CompletableFuture<Lease> call = new CompletableFuture<>();
        try {
          call = c.manager.acquireAsync("x", LINGERING);
          advance(seconds(11));
        } catch (IllegalStateException e) {
          continue;
        }
        assertThat(call).as("call %s, read %s", i, read).isDone();
        if (!call.isCompletedExceptionally()) {
          granted++;
          CompletableFuture<ReleaseResult> release = call.join().releaseAsync();
          advance(seconds(6));
          assertThat(release).as("release %s, read %s", i, read).isDone();
        }
      }
      failed += left.get() <= 0 ? 1 : 0;
      advance(LINGER);
      assertThat(c.manager.engine.lingering.size()).as("read %s", read).isZero();
      assertThat(c.events.count("released x RELEASED"))
          .as("told of releases, read %s", read)
          .isLessThanOrEqualTo(granted);
      advance(World.TTL.plus(World.SKEW));
      assertThat(c.manager.stats().locks()).as("read %s", read).isZero();
      assertThat(b.canAcquire("x")).as("read %s", read).isTrue();
      Lease again = c.acquire("x", LINGERING);
      release(again);
      world.now(c.manager.closeAsync());
      assertThat(c.manager.engine.lingering.size()).isZero();
      assertThat(c.store.isFree("x")).isTrue();
    }
    assertThat(failed).as("clocks that failed").isGreaterThan(20);
  }

  @Test
  void linger_ofMoreThanHalfTheTtl_isRejected() {
    assertThatThrownBy(
            () -> a.manager.acquireAsync("x", World.ONE_ATTEMPT.withLinger(seconds(15.001))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("linger")
        .hasMessageContaining("PT30S");
    assertThatThrownBy(() -> LockOptions.defaults().withLinger(Duration.ofMillis(-1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(a.store.count(READ)).isZero();
  }
}
