package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Within a process, who is ready to run may have the lock before who came first; for a while. */
class OvertakingTest extends OnVirtualTime {
  private static final Duration NO_MORE_THAN = Duration.ofNanos(HandoffPacing.MAX_OVERTAKEN_NANOS);
  private static final Duration RUNS_SOON = Duration.ofNanos(HandoffPacing.RUNS_SOON_NANOS);

  /** More than it takes to submit the call. */
  private static final int LOOKS_BEFORE = 100;

  private static final Duration NANO = Duration.ofNanos(1);

  private Lease held = a.acquire("x");
  private final LockQueue queue = Objects.requireNonNull(a.manager.engine.queues.get("x"));
  private final List<Acquisition> waiting = new ArrayList<>();

  private Acquisition waits() {
    return waits(World.PATIENT);
  }

  private Acquisition waits(LockOptions options) {
    ClockReading now = a.manager.engine.clocks.read();
    Acquisition acquisition =
        new Acquisition(queue, options, now, queue.nextArrival(), null, Acquisition.Purpose.LEASE);
    queue.execute(() -> queue.submit(acquisition));
    assertThat(acquisition.isDone()).isFalse();
    waiting.add(acquisition);
    return acquisition;
  }

  private void looks(Acquisition acquisition) {
    acquisition.callerLooked(a.machine.nanos());
  }

  /** Gives the lock back, and returns who has it now. */
  private Acquisition next() {
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    List<Acquisition> granted = waiting.stream().filter(Acquisition::isDone).toList();
    assertThat(granted).as("who has the lock").hasSize(1);
    Acquisition next = granted.get(0);
    waiting.remove(next);
    assertThat(next.outcome.join()).isInstanceOf(Outcome.Granted.class);
    Lease lease = ((Outcome.Granted) next.outcome.join()).lease();
    assertThat(lease.fencingToken()).isGreaterThan(held.fencingToken());
    held = lease;
    return next;
  }

  private void assertTheOthersFollow(Acquisition... others) {
    for (Acquisition other : others) {
      assertThat(next()).isSameAs(other);
    }
    assertThat(waiting).isEmpty();
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void whoseThreadRuns_goesBeforeThoseWhoSleep() {
    Acquisition first = waits();
    Acquisition second = waits();
    Acquisition third = waits();
    looks(third);

    assertThat(next()).isSameAs(third);
    assertTheOthersFollow(first, second);
  }

  /** The processor goes round: that one comes next. */
  @Test
  void ofThoseWhoRun_itIsTheOneThatGaveWayLongestAgo() {
    Acquisition first = waits();
    Acquisition second = waits();
    Acquisition third = waits();
    looks(second);
    advance(NANO);
    looks(third);
    advance(NANO);
    looks(first);

    assertThat(next()).isSameAs(second);
    assertTheOthersFollow(third, first);
  }

  @Test
  void whoHasNotLookedForAWhile_isNotReadyToRun() {
    Acquisition first = waits();
    Acquisition second = waits();
    Acquisition third = waits();
    looks(third);
    advance(NANO);
    looks(second);
    advance(RUNS_SOON);

    assertThat(next()).as("looked just so long ago").isSameAs(second);
    assertTheOthersFollow(first, third);
  }

  @Test
  void whoSleepsAgain_isNotReadyToRun() {
    Acquisition first = waits();
    Acquisition second = waits();
    looks(second);
    second.callerSleeps();

    assertTheOthersFollow(first, second);
  }

  @Test
  void nobodyIsOvertakenForLong() {
    Acquisition first = waits();
    advance(NO_MORE_THAN.minus(NANO));
    Acquisition second = waits();
    Acquisition third = waits();
    looks(second);
    looks(third);

    assertThat(next()).isSameAs(second);
    advance(NANO);
    looks(third);
    assertTheOthersFollow(first, third);
  }

  @Test
  void whoWaitsBrieflyOnly_isOvertakenForHalfOfThatTime() {
    Duration half = NO_MORE_THAN.dividedBy(4);
    Acquisition first = waits(World.PATIENT.withWaitTimeout(half.multipliedBy(2)));
    advance(half.minus(NANO));
    Acquisition second = waits();
    Acquisition third = waits();
    looks(second);
    looks(third);

    assertThat(next()).isSameAs(second);
    advance(NANO);
    looks(third);
    assertTheOthersFollow(first, third);
  }

  /** The first may wait for longer, but one behind it may not. */
  @Test
  void whoWaitsBriefly_isNotOvertakenForLong_bySomeoneWhoOvertakesTheFirstToo() {
    Duration half = NO_MORE_THAN.dividedBy(4);
    Acquisition first = waits();
    Acquisition brief = waits(World.PATIENT.withWaitTimeout(half.multipliedBy(2)));
    advance(half.minus(NANO));
    Acquisition third = waits();
    Acquisition fourth = waits();
    looks(third);
    looks(fourth);

    assertThat(next()).isSameAs(third);
    advance(NANO);
    looks(fourth);
    assertTheOthersFollow(first, brief, fourth);
  }

  @Test
  void whoMustNotBeOvertaken_mayOvertake() {
    Acquisition first = waits();
    Acquisition brief = waits(World.PATIENT.withWaitTimeout(NANO.multipliedBy(4)));
    Acquisition third = waits();
    advance(NANO);
    looks(third);
    advance(NANO);
    looks(brief);

    assertThat(next()).isSameAs(brief);
    assertTheOthersFollow(third, first);
  }

  @Test
  void ofThoseWhoLookedAtTheSameTime_itIsTheFirst() {
    Acquisition first = waits();
    Acquisition second = waits();
    Acquisition third = waits();
    looks(third);
    looks(second);

    assertThat(next()).isSameAs(second);
    assertTheOthersFollow(third, first);
  }

  @Test
  void whoWantsSomethingElse_overtakesNobody() {
    Acquisition first = waits();
    Acquisition other = waits(World.APART);
    Acquisition third = waits();
    looks(other);
    advance(NANO);
    looks(third);

    assertThat(next()).isSameAs(third);
    assertTheOthersFollow(first, other);
  }

  /** The first is to have the lock by a write of its own. */
  @Test
  void whoWantsSomethingElse_andIsTheFirst_isNotOvertaken() {
    Acquisition other = waits(World.APART);
    Acquisition second = waits();
    looks(second);

    assertTheOthersFollow(other, second);
  }

  /** The clock stands still while the thread gives way, so it always looked just now. */
  @Test
  @Timeout(120)
  void acquire_whichGivesWay_overtakesWhoSleeps() throws Exception {
    AtomicReference<@Nullable Thread> caller = new AtomicReference<>();
    AtomicReference<@Nullable Lease> givenBackAtALook = new AtomicReference<>();
    AtomicInteger looks = new AtomicInteger();
    World.Client c =
        world.client(
            "C",
            builder ->
                builder.ticker(
                    () -> {
                      if (Thread.currentThread() == caller.get()
                          && looks.incrementAndGet() == LOOKS_BEFORE) {
                        var unused = Objects.requireNonNull(givenBackAtALook.get()).releaseAsync();
                      }
                      return a.machine.nanos();
                    }));
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    held = c.acquire("x");
    for (int i = 0; i < 100; i++) {
      CompletableFuture<Lease> following = c.manager.acquireAsync("x", World.PATIENT);
      world.time.settle();
      assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
      held = world.now(following);
    }
    givenBackAtALook.set(held);
    CompletableFuture<Lease> asleep = c.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();
    FutureTask<Lease> awake = new FutureTask<>(() -> c.manager.acquire("x", World.PATIENT));
    Thread thread = new Thread(awake);
    caller.set(thread);

    thread.start();

    held = awake.get(1, TimeUnit.MINUTES);
    assertThat(looks).hasValueGreaterThanOrEqualTo(LOOKS_BEFORE);
    assertThat(world.now(held.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(world.now(world.now(asleep).releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    thread.join();
  }
}
