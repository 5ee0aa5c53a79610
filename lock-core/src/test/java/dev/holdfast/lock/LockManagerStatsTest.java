package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** What a manager counts, beside what its callers can see. */
class LockManagerStatsTest {
  private static final List<String> IDS = List.of("x", "y", "z");
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final World world = new World();

  // --- One transition after the other

  @Example
  void stats_duringAHandoff_countTheHolderAndTheWaiter() {
    World.Client a = world.client("A");
    Lease first = a.acquire("x", World.PATIENT);
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    assertCounts(a, 1, 1);

    CompletableFuture<ReleaseResult> release = first.releaseAsync();
    assertCounts(a, 1, 0);

    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    world.now(waiter).close();
    assertCounts(a, 0, 0);
    world.assertNothingIsLeft();
  }

  @Example
  void stats_whileAReleaseIsOut_countTheLockAsHeld() {
    World.Client a = world.client("A");
    Lease lease = a.acquire("x");
    a.store.next(DELETE, ScriptedStore.holdBack());
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertCounts(a, 1, 0);

    a.store.last(DELETE).landAndAnswer();

    assertCounts(a, 0, 0);
    assertThat(world.now(release)).isEqualTo(ReleaseResult.RELEASED);
    world.assertNothingIsLeft();
  }

  @Example
  void stats_afterALoss_countNothing() {
    World.Client a = world.client("A");
    Lease lease = a.acquire("x");
    a.store.cutOff();
    world.advance(World.VALIDITY);
    assertCounts(a, 0, 0);

    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    world.assertNothingIsLeft();
  }

  @Example
  void stats_whenACallHasItsOutcome_areUpToDateAlready() {
    World.Client a = world.client("A");
    List<String> seen = new ArrayList<>();
    a.store.next(CREATE, ScriptedStore.holdBack());
    Acquisition call = submitted(a, World.PATIENT);
    var unused = call.outcome.thenAccept(outcome -> seen.add(counts(a)));
    assertCounts(a, 0, 1);

    a.store.last(CREATE).landAndAnswer();

    assertThat(seen).containsExactly("held 1, waiting 0");
    closeGranted(call);
  }

  @Example
  void stats_whenAWaiterGetsALockThatWasReleased_areUpToDateAlready() {
    World.Client a = world.client("A");
    Lease first = a.acquire("x", World.PATIENT);
    List<String> seen = new ArrayList<>();
    Acquisition waiter = submitted(a, World.PATIENT);
    var unused = waiter.outcome.thenAccept(outcome -> seen.add(counts(a)));
    assertCounts(a, 1, 1);

    first.close();

    assertThat(seen).containsExactly("held 1, waiting 0");
    closeGranted(waiter);
  }

  @Example
  void stats_whenACallerGetsALockThatLingered_areUpToDateAlready() {
    World.Client a = world.client("A");
    LockOptions lingering = World.PATIENT.withLinger(SECOND);
    a.acquire("x", lingering).close();
    assertCounts(a, 0, 0);
    List<String> seen = new ArrayList<>();
    Acquisition call = a.acquisition("x", lingering);
    var unused = call.outcome.thenAccept(outcome -> seen.add(counts(a)));

    submit(a, call);

    assertThat(seen).containsExactly("held 1, waiting 0");
    closeGranted(call);
  }

  @Example
  void stats_whenAWaitEndsWithoutALease_areUpToDateAlready() {
    World.Client a = world.client("A");
    Lease lease = a.acquire("x");
    List<String> seen = new ArrayList<>();
    Acquisition waiter = submitted(a, World.PATIENT.withWaitTimeout(SECOND));
    var unused = waiter.outcome.thenAccept(outcome -> seen.add(counts(a)));

    world.advance(SECOND);

    assertThat(seen).containsExactly("held 1, waiting 0");
    assertThat(waiter.outcome.join()).isInstanceOf(Outcome.HeldByOther.class);
    lease.close();
    world.assertNothingIsLeft();
  }

  private void closeGranted(Acquisition call) {
    assertThat(call.outcome.join())
        .isInstanceOfSatisfying(Outcome.Granted.class, granted -> granted.lease().close());
    world.assertNothingIsLeft();
  }

  private static Acquisition submitted(World.Client client, LockOptions options) {
    Acquisition call = client.acquisition("x", options);
    submit(client, call);
    return call;
  }

  private static void submit(World.Client client, Acquisition call) {
    client.manager.engine.onQueue("x", queue -> queue.submit(call));
  }

  @Example
  void stats_afterClose_countNothing() {
    World.Client a = world.client("A");
    Lease lease = a.acquire("x");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.APART);
    assertCounts(a, 1, 1);

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    world.advance(SECOND);

    assertCounts(a, 0, 0);
    assertThat(closed).isDone();
    assertThat(lease.isHeld()).isFalse();
    assertThat(waiter).isCompletedExceptionally();
    world.assertNothingIsLeft();
  }

  private void assertCounts(World.Client client, int held, int waiting) {
    world.time.settle();
    assertThat(counts(client)).isEqualTo("held " + held + ", waiting " + waiting);
  }

  private static String counts(World.Client client) {
    LockManagerStats stats = client.manager.stats();
    return "held " + stats.held() + ", waiting " + stats.waiting();
  }

  // --- Anything, in any order

  /** A call, and the lease that it gives, as its caller sees them. */
  private static final class Seen {
    private final CompletableFuture<Lease> call;
    private @Nullable Lease lease;
    private @Nullable CompletableFuture<ReleaseResult> release;
    private boolean lost;

    Seen(CompletableFuture<Lease> call) {
      this.call = call;
      var unused =
          call.thenAccept(
              granted -> {
                lease = granted;
                granted.onLost(loss -> lost = true);
              });
    }

    boolean waits() {
      return !call.isDone();
    }

    /** A lease is held from its grant to its loss, or to the answer to its release. */
    boolean holds() {
      return lease != null && !lost && (release == null || !release.isDone());
    }

    void cancel() {
      boolean unused = call.cancel(false);
    }

    void release() {
      if (holds() && lease != null && release == null) {
        release = lease.releaseAsync();
      }
    }
  }

  @Property(tries = 400)
  void stats_whateverHappens_areWhatCallersSee_andZeroInTheEnd(@ForAll long seed) {
    Random random = new Random(seed);
    World any = new World(seed);
    AtomicBoolean breaksOff = new AtomicBoolean();
    World.Client client =
        any.client("A", m -> m.random(breakable(any.time.fork("jitter"), breaksOff)));
    World.Client other = any.client("B");
    List<Seen> calls = new ArrayList<>();
    List<Lease> others = new ArrayList<>();

    for (int step = 0; step < 60; step++) {
      String id = IDS.get(random.nextInt(IDS.size()));
      switch (random.nextInt(14)) {
        case 0, 1, 2, 3 ->
            calls.add(new Seen(client.manager.acquireAsync(id, randomOptions(random))));
        case 4, 5, 6 -> any(calls, random).forEach(Seen::release);
        case 7 -> any(calls, random).forEach(Seen::cancel);
        case 8 -> any.advance(Duration.ofMillis(random.nextInt(3_000)));
        case 9 -> any.advance(Duration.ofSeconds(random.nextInt(40)));
        case 10 -> randomFault(client.store, random);
        case 11 -> client.store.heal();
        case 12 -> {
          CompletableFuture<Lease> taken = other.manager.acquireAsync(id, World.ONE_ATTEMPT);
          any.time.settle();
          if (!taken.isCompletedExceptionally()) {
            others.add(taken.join());
          }
          if (random.nextBoolean()) {
            others.forEach(LockManagerStatsTest::release);
          }
        }
        default -> breaksOff.set(true);
      }
      any.time.settle();
      assertThat(client.manager.stats().held() + " held, " + client.manager.stats().waiting())
          .as("step %d of seed %d", step, seed)
          .isEqualTo(
              calls.stream().filter(Seen::holds).count()
                  + " held, "
                  + calls.stream().filter(Seen::waits).count());
    }

    calls.forEach(Seen::cancel);
    client.store.heal();
    any.time.settle();
    calls.forEach(Seen::release);
    others.forEach(LockManagerStatsTest::release);
    any.assertNothingIsLeft();
  }

  private static void release(Lease lease) {
    var unused = lease.releaseAsync();
  }

  private static Set<Seen> any(List<Seen> calls, Random random) {
    return calls.isEmpty() ? Set.of() : Set.of(calls.get(random.nextInt(calls.size())));
  }

  private static LockOptions randomOptions(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> World.ONE_ATTEMPT;
      case 1 -> World.ONE_ATTEMPT.withWaitTimeout(Duration.ofSeconds(1 + random.nextInt(20)));
      case 2 -> World.APART;
      default -> World.PATIENT;
    };
  }

  private static void randomFault(ScriptedStore store, Random random) {
    switch (random.nextInt(6)) {
      case 0 -> store.cutOff();
      case 1 -> store.goDown();
      case 2 -> store.next(CREATE, ScriptedStore.landsButUnclear());
      case 3 -> store.next(REPLACE, ScriptedStore.unclear());
      case 4 -> store.next(DELETE, ScriptedStore.loseAnswer());
      default -> store.next(READ, ScriptedStore.throwing(new IllegalStateException("broken")));
    }
  }

  /** Throws once when it is told to, which breaks a task of the engine off. */
  private static RandomGenerator breakable(RandomGenerator source, AtomicBoolean breaks) {
    return () -> {
      if (breaks.getAndSet(false)) {
        throw new IllegalStateException("a task that breaks off");
      }
      return source.nextLong();
    };
  }
}
