package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One leader at a time, and what it and the others are told. */
class LeaderElectionTest extends OnVirtualTime {
  private static final long LIVENESS_SECONDS = 30;

  /** By then another process has taken over from one that crashed. */
  private static final Duration EXPIRED = World.TTL.plus(World.SKEW).plus(seconds(1));

  /** The pause after a term, with its jitter, and the longest pause between two polls. */
  private static final Duration PAUSE = seconds(1.1).plus(seconds(0.12));

  private final List<LeaderElection> elections = new ArrayList<>();

  /** What happened, in order. */
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());

  private final List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());

  /** Of the bodies. */
  private final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void electionsEnd() {
    closeAll(elections);
    world.time.settle();
    // What a body's thread does last is to release the lock, which others may see before it ends.
    settleUntil(() -> threads.stream().noneMatch(Thread::isAlive));
  }

  private void onThread(Runnable task) {
    Thread thread = new Thread(task, "leader");
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private static void closeAll(List<LeaderElection> all) {
    for (LeaderElection election : all) {
      var unused = election.closeAsync();
    }
  }

  /** An election that writes the log; it leads without a body. */
  private LeaderElection election(
      World.Client client, UnaryOperator<LeaderElection.Builder> settings) {
    LeaderElection.Builder builder =
        LeaderElection.builder(client.manager, "leader")
            .options(World.ONE_ATTEMPT)
            .executor(this::onThread)
            .onRevoked(() -> log.add("revoked " + client))
            .onError(errors::add);
    LeaderElection election = settings.apply(builder).build();
    elections.add(election);
    return election;
  }

  private LeaderElection election(World.Client client) {
    return election(client, UnaryOperator.identity());
  }

  private LeaderElection started(
      World.Client client, UnaryOperator<LeaderElection.Builder> settings) {
    LeaderElection election = election(client, settings);
    election.start();
    world.time.settle();
    return election;
  }

  private LeaderElection started(World.Client client) {
    return started(client, UnaryOperator.identity());
  }

  // --- Terms

  @Test
  void election_ofOneProcess_makesItLead_untilItIsClosed() {
    LeaderElection election = election(a);
    assertThat(election.isLeader()).as("before the start").isFalse();

    election.start();
    world.time.settle();
    assertThat(election.isLeader()).isTrue();
    assertThat(election.leader().map(LockInfo::owner)).contains("A");
    advance(World.TTL.multipliedBy(3));
    assertThat(election.isLeader()).as("renewed").isTrue();

    assertThat(world.now(election.closeAsync())).isNull();
    assertThat(election.isLeader()).isFalse();
    assertThat(election.leader()).isEmpty();
    assertThat(log).containsExactly("revoked A");
    assertThat(errors).isEmpty();
  }

  @Test
  void stepDown_withOptionsThatKeepTheLock_lingersNot_andNobodyLeadsWhileItIsUnavailable() {
    LeaderElection lingering =
        started(a, builder -> builder.options(World.ONE_ATTEMPT.withLinger(seconds(15))));
    lingering.stepDown();
    world.time.settle();
    assertThat(b.canAcquire("leader")).isTrue();
    world.now(lingering.closeAsync());

    LeaderElection keeping =
        started(a, builder -> builder.options(World.ONE_ATTEMPT.withHoldAtLeast(seconds(60))));
    assertThat(keeping.leader().map(LockInfo::owner)).contains("A");
    keeping.stepDown();
    world.time.settle();
    assertThat(keeping.leader()).isEmpty();
    assertThat(b.canAcquire("leader")).isFalse();
    world.now(keeping.closeAsync());
    advance(seconds(60));
  }

  @Test
  void election_ofTwoProcesses_hasOneLeader_andTheOtherFollowsWhenItStepsDown() {
    LeaderElection one = started(a);
    LeaderElection two = started(b);
    advance(seconds(60));
    assertThat(one.isLeader()).isTrue();
    assertThat(two.isLeader()).isFalse();
    assertThat(two.leader().map(LockInfo::owner)).contains("A");
    two.stepDown();
    advance(seconds(1));
    assertThat(one.isLeader()).as("who does not lead cannot step down").isTrue();

    one.stepDown();
    assertThat(one.isLeader()).as("at once").isFalse();
    advance(seconds(0.5));
    assertThat(two.isLeader()).isTrue();

    two.stepDown();
    advance(PAUSE);
    assertThat(one.isLeader()).as("it has campaigned again").isTrue();
    assertThat(log).containsExactly("revoked A", "revoked B");
  }

  @Test
  void process_thatStepsDownAlone_leadsAgainAfterThePause() {
    LeaderElection election = started(a, e -> e.pauseAfterYield(seconds(10)));
    election.stepDown();

    advance(seconds(8.9));
    assertThat(election.isLeader()).isFalse();
    assertThat(a.store.isFree("leader")).isTrue();
    advance(seconds(2.2));

    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void process_thatStepsDownAgainAndAgain_waitsNoLonger() {
    LeaderElection election = started(a);
    for (int i = 0; i < 6; i++) {
      assertThat(election.isLeader()).as("after %s terms", i).isTrue();
      assertThat(election).asString().contains("leader");
      election.stepDown();
      advance(PAUSE);
    }
    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void body_thatFailsWhenItIsToEnd_isReported_unlessThatIsHowItEnds() throws Exception {
    for (Exception thrown :
        List.of(new InterruptedException("expected"), new IllegalStateException("a bug"))) {
      errors.clear();
      CountDownLatch began = new CountDownLatch(1);
      LeaderElection election =
          started(
              a,
              e ->
                  e.onElected(
                      lease -> {
                        began.countDown();
                        try {
                          new CountDownLatch(1).await();
                        } catch (InterruptedException interrupted) {
                          throw thrown;
                        }
                      }));
      await(began);
      settleUntil(election.closeAsync()::isDone);

      if (thrown instanceof InterruptedException) {
        assertThat(errors).isEmpty();
      } else {
        assertThat(errors).containsExactly(thrown);
      }
    }
  }

  @Test
  void close_waitsForTheBody() throws Exception {
    Body body = new Body();
    LeaderElection election = started(a, e -> e.onElected(body));
    await(body.began);

    Caller<String> closing =
        Caller.of(
                () -> {
                  election.close();
                  return "closed";
                })
            .awaitBlocked();
    await(body.interrupted);
    assertThat(closing.isDone()).isFalse();
    body.mayEnd.countDown();
    settleUntil(closing::isDone);

    assertThat(closing.result()).isEqualTo("closed");
    assertThat(a.store.isFree("leader")).isTrue();
  }

  @Test
  void onRevoked_hasEndedBeforeTheLockIsFree_whenTheProcessStepsDownOrCloses() {
    LeaderElection election =
        started(a, e -> e.onRevoked(() -> log.add("still ours: " + !a.store.isFree("leader"))));

    election.stepDown();
    advance(PAUSE);
    assertThat(election.isLeader()).isTrue();
    assertThat(world.now(election.closeAsync())).isNull();

    assertThat(log).containsExactly("still ours: true", "still ours: true");
    assertThat(a.store.isFree("leader")).isTrue();
  }

  @Test
  void onRevoked_thatFails_isReported_andTheLockIsReleased() {
    RuntimeException bug = new IllegalStateException("a bug in a callback");
    LeaderElection election =
        started(
            a,
            e ->
                e.onRevoked(
                    () -> {
                      throw bug;
                    }));

    election.stepDown();
    world.time.settle();

    assertThat(a.store.isFree("leader")).isTrue();
    assertThat(errors).containsExactly(bug);
  }

  // --- Loss

  @Test
  void loss_endsTheTerm_beforeAnotherProcessCanLead() {
    LeaderElection one = started(a);
    LeaderElection two = started(b);
    world.time.afterEachStep(
        () -> assertThat(two.isLeader() && !log.contains("revoked A")).as("too early").isFalse());

    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));
    assertThat(one.isLeader()).isFalse();
    assertThat(log).containsExactly("revoked A");
    assertThat(errors)
        .singleElement()
        .isInstanceOfSatisfying(
            LeaseLostException.class, e -> assertThat(e.reason()).isEqualTo(Reason.EXPIRED));
    advance(EXPIRED);
    assertThat(two.isLeader()).isTrue();

    a.store.heal();
    assertThat(world.now(two.closeAsync())).isNull();
    advance(PAUSE.plus(seconds(10)));
    assertThat(one.isLeader()).as("it has campaigned again").isTrue();
  }

  @Test
  void loss_thatNobodyHasNoticed_isSeenByIsLeader() {
    LeaderElection election = started(a);

    a.machine.pause();
    advance(World.TTL);

    assertThat(election.isLeader()).isFalse();
  }

  @Test
  void loss_thatOnlyTheReleaseShows_isReported() {
    LeaderElection election = started(a);
    assertThat(b.manager.forceRelease("leader")).isTrue();
    Lease other = b.acquire("leader");
    advance(seconds(1));

    election.stepDown();
    world.time.settle();

    assertThat(errors)
        .singleElement()
        .isInstanceOfSatisfying(
            LeaseLostException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TAKEN_OVER));
    other.close();
  }

  @Test
  void loss_byForce_endsTheTerm_andThePauseFollows() {
    LeaderElection election = started(a);

    assertThat(a.manager.forceRelease("leader")).isTrue();
    world.time.settle();

    assertThat(election.isLeader()).isFalse();
    assertThat(log).containsExactly("revoked A");
    advance(PAUSE);
    assertThat(election.isLeader()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void leaders_areNeverTwo_whateverHappens(long seed) {
    World chaos = new World(seed);
    List<World.Client> clients = List.of(chaos.client("1"), chaos.client("2"), chaos.client("3"));
    List<LeaderElection> all = new ArrayList<>();
    AtomicInteger revoked = new AtomicInteger();
    for (World.Client client : clients) {
      all.add(
          LeaderElection.builder(client.manager, "leader")
              .options(World.ONE_ATTEMPT.withTtl(seconds(6)))
              .onRevoked(revoked::incrementAndGet)
              .build());
    }
    AtomicInteger steps = new AtomicInteger();
    chaos.time.afterEachStep(
        () -> {
          long leaders = all.stream().filter(LeaderElection::isLeader).count();
          assertThat(leaders).isLessThanOrEqualTo(1);
          steps.addAndGet((int) leaders);
        });
    all.forEach(LeaderElection::start);
    var random = chaos.time.fork("faults");
    for (int i = 0; i < 200; i++) {
      World.Client client = clients.get(random.nextInt(clients.size()));
      switch (random.nextInt(6)) {
        case 0 -> client.store.cutOff();
        case 1 -> client.store.goDown();
        case 2 -> client.machine.pause();
        case 3 -> all.get(random.nextInt(all.size())).stepDown();
        default -> {
          client.store.heal();
          client.machine.resume();
        }
      }
      chaos.advance(Duration.ofMillis(random.nextInt(3_000)));
    }
    clients.forEach(client -> client.store.heal());
    clients.forEach(client -> client.machine.resume());
    chaos.advance(seconds(60));

    assertThat(all.stream().filter(LeaderElection::isLeader)).as("in the end").hasSize(1);
    assertThat(revoked).hasValueGreaterThan(5);
    assertThat(steps).hasValueGreaterThan(100);
    closeAll(all);
    chaos.assertNothingIsLeft();
  }

  // --- Outages

  @Test
  void outage_doesNotEndTheElection() {
    a.store.goDown();
    LeaderElection election = started(a);
    advance(Duration.ofHours(3));
    assertThat(election.isLeader()).isFalse();

    a.store.heal();
    advance(seconds(2));

    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void rejection_isReported_andTriedAgainAfterDelaysThatGrow() {
    a.store.always(
        CREATE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));
    LeaderElection election = started(a);
    assertThat(errors).hasSize(1);
    assertThat(errors.get(0)).isInstanceOf(LockStoreUnavailableException.class);

    advance(seconds(70));
    // After 0, 1, 3, 7, 15, 31 and 61 s, give or take a tenth.
    assertThat(errors).hasSizeBetween(6, 8);
    assertThat(a.store.count(CREATE)).isEqualTo(errors.size());
    a.store.heal();
    advance(seconds(33));

    assertThat(election.isLeader()).isTrue();
  }

  // --- The body

  /** A body that runs on a thread of its own, which the test follows. */
  private final class Body implements LeaseConsumer<Exception> {
    final CountDownLatch began = new CountDownLatch(1);
    final CountDownLatch interrupted = new CountDownLatch(1);
    final CountDownLatch mayEnd = new CountDownLatch(1);
    volatile @Nullable Lease lease;

    @Override
    public void accept(Lease given) throws Exception {
      lease = given;
      log.add("began");
      began.countDown();
      try {
        mayEnd.await();
      } catch (InterruptedException e) {
        interrupted.countDown();
        mayEnd.await();
        throw e;
      } finally {
        log.add("ended");
      }
    }
  }

  private static void await(CountDownLatch latch) throws InterruptedException {
    assertThat(latch.await(LIVENESS_SECONDS, TimeUnit.SECONDS)).as("another thread").isTrue();
  }

  /** Waits on real time for what another thread does, and runs what that brings. */
  private void settleUntil(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIVENESS_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("another thread is stuck").isLessThan(deadline);
      world.time.settle();
      Thread.onSpinWait();
    }
  }

  @Test
  void body_runsWhileItLeads_andItsReturnGivesLeadershipUp() throws Exception {
    Body body = new Body();
    LeaderElection election = started(a, e -> e.onElected(body));
    await(body.began);
    assertThat(election.isLeader()).isTrue();
    assertThat(body.lease).isNotNull();
    advance(World.TTL.multipliedBy(2));
    assertThat(election.isLeader()).isTrue();

    body.mayEnd.countDown();
    settleUntil(() -> a.store.isFree("leader"));

    assertThat(election.isLeader()).isFalse();
    assertThat(log).containsExactly("began", "ended", "revoked A");
    assertThat(errors).isEmpty();
  }

  @Test
  void body_isInterruptedWhenTheProcessStepsDown_andKeepsTheLockUntilItHasEnded() throws Exception {
    Body body = new Body();
    LeaderElection one = started(a, e -> e.onElected(body));
    LeaderElection two = started(b);
    await(body.began);

    one.stepDown();
    await(body.interrupted);
    advance(World.TTL.multipliedBy(2));
    assertThat(two.isLeader()).as("while the body runs").isFalse();
    assertThat(one.isLeader()).isFalse();
    assertThat(log).containsExactly("began", "revoked A");
    body.mayEnd.countDown();
    settleUntil(() -> a.store.isFree("leader") || two.isLeader());
    advance(seconds(1));

    assertThat(two.isLeader()).isTrue();
    assertThat(errors).as("an interrupt that was asked for is no failure").isEmpty();
  }

  @Test
  void body_isInterruptedAtALoss_andTheNextBodyWaitsForItsEnd() throws Exception {
    Body body = new Body();
    AtomicInteger bodies = new AtomicInteger();
    LeaderElection election =
        started(
            a,
            e ->
                e.onElected(
                    lease -> {
                      bodies.incrementAndGet();
                      body.accept(lease);
                    }));
    await(body.began);

    assertThat(b.manager.forceRelease("leader")).isTrue();
    advance(World.TTL);
    await(body.interrupted);
    assertThat(log).containsExactly("began", "revoked A");
    advance(World.TTL);
    assertThat(bodies).as("beside one that runs").hasValue(1);
    assertThat(election.isLeader()).isFalse();
    body.mayEnd.countDown();
    settleUntil(() -> log.contains("ended"));
    settleUntil(() -> a.machine.pendingTimers() > 0);
    advance(PAUSE);
    settleUntil(() -> bodies.get() == 2);

    assertThat(errors).hasSize(1).first().isInstanceOf(LeaseLostException.class);
  }

  @Test
  void body_withNotify_isNotInterrupted_butOnRevokedRuns() throws Exception {
    Body body = new Body();
    LeaderElection election =
        started(
            a,
            e -> e.options(World.ONE_ATTEMPT.withOnLeaseLost(OnLeaseLost.NOTIFY)).onElected(body));
    await(body.began);

    election.stepDown();
    world.time.settle();
    assertThat(log).containsExactly("began", "revoked A");
    assertThat(body.interrupted.getCount()).as("not interrupted").isEqualTo(1);
    assertThat(a.store.isFree("leader")).isFalse();
    body.mayEnd.countDown();
    settleUntil(() -> a.store.isFree("leader"));

    assertThat(body.interrupted.getCount()).as("not interrupted").isEqualTo(1);
  }

  @Test
  void body_thatThrows_isReported_andRunsAgainAfterDelaysThatGrow() throws Exception {
    RuntimeException bug = new IllegalStateException("a bug in a body");
    AtomicInteger runs = new AtomicInteger();
    LeaderElection election =
        started(
            a,
            e ->
                // On this thread, so that all of it is on virtual time.
                e.executor(a.machine)
                    .onElected(
                        lease -> {
                          if (runs.incrementAndGet() <= 3) {
                            throw bug;
                          }
                        }));
    assertThat(errors).containsExactly(bug);
    assertThat(a.store.isFree("leader")).as("released").isTrue();

    advance(seconds(0.8));
    assertThat(runs).hasValue(1);
    advance(seconds(0.4));
    assertThat(runs).hasValue(2);
    advance(seconds(1.7));
    assertThat(runs).hasValue(2);
    advance(seconds(0.6));
    assertThat(runs).hasValue(3);
    advance(seconds(3.5));
    assertThat(runs).hasValue(3);
    advance(seconds(1));

    assertThat(runs).hasValueGreaterThanOrEqualTo(4);
    assertThat(errors).hasSize(3);
    assertThat(election.isLeader()).isFalse();
  }

  @Test
  void body_mayStepDownAndClose() throws Exception {
    // A close() that waited for its own body would do so for twice as long.
    World.Client c = world.client("C", m -> m.releaseTimeout(Duration.ofHours(1)));
    CompletableFuture<LeaderElection> self = new CompletableFuture<>();
    CountDownLatch closed = new CountDownLatch(1);
    LeaderElection election =
        election(
            c,
            e ->
                e.onElected(
                    lease -> {
                      self.join().stepDown();
                      assertThat(self.join().isLeader()).isFalse();
                      self.join().close();
                      closed.countDown();
                    }));
    self.complete(election);

    election.start();
    world.time.settle();
    await(closed);
    settleUntil(() -> c.store.isFree("leader"));

    assertThat(errors).isEmpty();
    advance(seconds(60));
    assertThat(election.isLeader()).isFalse();
  }

  @Test
  void executor_thatRejectsTheBody_endsTheTerm_andItIsTriedAgain() {
    RejectedExecutionException full = new RejectedExecutionException("full");
    AtomicInteger tries = new AtomicInteger();
    LeaderElection election =
        started(
            a,
            e ->
                e.executor(
                        task -> {
                          if (tries.incrementAndGet() == 1) {
                            throw full;
                          }
                        })
                    .onElected(lease -> {}));
    assertThat(errors).containsExactly(full);
    assertThat(a.store.isFree("leader")).isTrue();

    advance(PAUSE);

    assertThat(tries).hasValue(2);
    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void body_thatHasNotBegunWhenTheTermEnds_neverRuns() {
    List<Runnable> tasks = new ArrayList<>();
    LeaderElection election =
        started(a, e -> e.executor(tasks::add).onElected(lease -> log.add("ran")));
    assertThat(election.isLeader()).isTrue();

    election.stepDown();
    world.time.settle();
    assertThat(a.store.isFree("leader")).isTrue();
    tasks.forEach(Runnable::run);

    assertThat(log).containsExactly("revoked A");
  }

  @Test
  void term_thatIsRevokedBeforeItsBodyIsSubmitted_endsWithoutIt() {
    var call = a.manager.submit("leader", World.ONE_ATTEMPT, Acquisition.Purpose.BODY, null);
    LeaseHandle lease = ((Outcome.Granted) call.outcome.join()).lease();
    LeaderTerm term =
        new LeaderTerm(
            a.manager.engine,
            lease,
            given -> log.add("ran"),
            a.machine,
            () -> log.add("revoked"),
            (what, failure) -> errors.add(failure),
            ended -> log.add("over"));

    term.revoke();
    world.time.settle();
    term.begin();
    world.time.settle();

    assertThat(log).containsExactly("revoked", "over");
    assertThat(a.store.isFree("leader")).isTrue();
  }

  // --- The end

  @Test
  void close_interruptsTheBody_andIsBounded_andTheLockIsKeptUntilTheBodyHasEnded()
      throws Exception {
    Body body = new Body();
    World.Client c = world.client("C", m -> m.releaseTimeout(Duration.ofMillis(50)));
    LeaderElection election = started(c, e -> e.onElected(body));
    await(body.began);

    election.close();
    await(body.interrupted);
    election.close();
    advance(World.TTL.multipliedBy(2));
    assertThat(c.store.isFree("leader")).isFalse();
    body.mayEnd.countDown();
    settleUntil(() -> c.store.isFree("leader"));
    settleUntil(election.closeAsync()::isDone);

    assertThat(errors).isEmpty();
  }

  @Test
  void close_duringTheCampaign_leavesNothing() {
    LeaderElection one = started(a);
    LeaderElection two = started(b);
    advance(seconds(1));

    assertThat(world.now(two.closeAsync())).isNull();
    assertThat(world.now(two.closeAsync())).isNull();
    b.store.clear();
    one.stepDown();
    advance(seconds(60));

    assertThat(b.store.requests()).isEmpty();
    assertThat(two.isLeader()).isFalse();
    assertThat(log).containsExactly("revoked A");
  }

  @Test
  void close_whenTheLockWasJustGranted_givesItBack() {
    LeaderElection election = election(a);
    election.start();
    assertThat(a.store.isFree("leader")).as("nobody has been told").isFalse();

    assertThat(world.now(election.closeAsync())).isNull();

    assertThat(a.store.isFree("leader")).isTrue();
    assertThat(log).as("there was no term").isEmpty();
  }

  @Test
  void close_whenTheLockWasJustGranted_isNoHold_alsoWithALeastTime() {
    LeaderElection election =
        election(a, e -> e.options(World.ONE_ATTEMPT.withHoldAtLeast(seconds(60))));
    election.start();

    assertThat(world.now(election.closeAsync())).isNull();

    assertThat(b.canAcquire("leader")).isTrue();
  }

  @Test
  void close_whileTheCampaignBegins_givesItsAttemptUp_atOnce() {
    AtomicReference<Runnable> whenTokenIsMade = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.tokens(() -> World.after(whenTokenIsMade, "token")));
    c.store.cutOff();
    LeaderElection election = election(c);
    List<CompletableFuture<@Nullable Void>> closed = new ArrayList<>();
    whenTokenIsMade.set(() -> closed.add(election.closeAsync()));

    election.start();
    world.time.settle();

    assertThat(c.manager.stats().waiting()).isZero();
    assertThat(closed).hasSize(1).allMatch(CompletableFuture::isDone);
  }

  @Test
  void close_whileThePauseBegins_leavesNoTimer() {
    AtomicReference<Runnable> whenThePauseIsDrawn = new AtomicReference<>(() -> {});
    World.Client c = world.client("C", m -> m.random(() -> World.after(whenThePauseIsDrawn, 0L)));
    LeaderElection election = started(c, e -> e.pauseAfterYield(Duration.ofHours(1)));
    whenThePauseIsDrawn.set(
        () -> {
          var unused = election.closeAsync();
        });

    election.stepDown();
    advance(seconds(2));

    assertThat(world.now(election.closeAsync())).isNull();
    assertThat(c.machine.pendingTimers()).isZero();
  }

  @Test
  void campaign_thatThrows_isReported_andTriedAgain() {
    IllegalStateException broken = new IllegalStateException("no clock");
    AtomicReference<Runnable> atNextLook = new AtomicReference<>(() -> {});
    World.Client c =
        world.client("C", m -> m.ticker(() -> World.after(atNextLook, a.machine.nanos())));
    LeaderElection election = election(c);
    atNextLook.set(
        () -> {
          throw broken;
        });

    election.start();
    advance(seconds(2));

    assertThat(errors).containsExactly(broken);
    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void rejection_afterATerm_isTriedAgainSoon() {
    a.store.always(
        CREATE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));
    LeaderElection election = started(a);
    advance(seconds(40));
    a.store.heal();
    advance(seconds(40));
    assertThat(election.isLeader()).isTrue();
    errors.clear();

    a.store.always(
        CREATE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));
    election.stepDown();
    advance(PAUSE.plus(seconds(5)));

    assertThat(errors).as("after 0, 1 and 3 s").hasSizeBetween(2, 4);
    a.store.heal();
  }

  @Test
  void close_duringThePause_isDoneAtOnce() {
    LeaderElection election = started(a, e -> e.pauseAfterYield(Duration.ofHours(1)));
    election.stepDown();
    advance(seconds(2));
    assertThat(world.time.pending()).as("the pause").isEqualTo(1);

    assertThat(world.now(election.closeAsync())).isNull();

    assertThat(world.time.pending()).isZero();
  }

  @Test
  void close_beforeTheStart_isDoneAtOnce_andItCannotBeStarted() {
    LeaderElection election = election(a);

    election.close();

    assertThatIllegalStateException().isThrownBy(election::start).withMessageContaining("closed");
  }

  @Test
  void start_again_isAnError() {
    LeaderElection election = started(a);

    assertThatIllegalStateException()
        .isThrownBy(election::start)
        .withMessageContaining("started before");
    assertThat(election.isLeader()).isTrue();
  }

  @Test
  void close_ofTheManager_endsTheElection_andOnRevokedHasEndedBeforeTheLockIsFree() {
    LeaderElection election =
        started(a, e -> e.onRevoked(() -> log.add("still ours: " + !a.store.isFree("leader"))));

    assertThat(world.now(a.manager.closeAsync())).isNull();

    assertThat(election.isLeader()).isFalse();
    assertThat(log).containsExactly("still ours: true");
    assertThat(a.store.isFree("leader")).isTrue();
    assertThat(world.now(election.closeAsync())).isNull();
    assertThat(errors).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> election(a).start());
  }

  @Test
  void close_ofTheManager_duringTheCampaignOrThePause_endsTheElection() {
    LeaderElection one = started(a, e -> e.pauseAfterYield(Duration.ofHours(1)));
    LeaderElection two = started(b);
    advance(seconds(1));

    assertThat(world.now(b.manager.closeAsync())).isNull();
    assertThat(world.now(two.closeAsync())).isNull();
    one.stepDown();
    advance(seconds(2));
    assertThat(world.now(a.manager.closeAsync())).isNull();
    assertThat(world.now(one.closeAsync())).isNull();

    assertThat(world.time.pending()).isZero();
    assertThat(errors).isEmpty();
  }

  @Test
  void close_ofTheManager_waitsForTheBody() throws Exception {
    Body body = new Body();
    LeaderElection election = started(a, e -> e.onElected(body));
    await(body.began);

    CompletableFuture<@Nullable Void> closed = a.manager.closeAsync();
    await(body.interrupted);
    world.time.settle();
    assertThat(closed).isNotDone();
    assertThat(a.store.isFree("leader")).isFalse();
    body.mayEnd.countDown();
    settleUntil(closed::isDone);

    assertThat(a.store.isFree("leader")).isTrue();
    assertThat(election.isLeader()).isFalse();
  }

  // --- Who leads

  @Test
  void onNewLeader_isToldOnceForEachTerm_ofOthersAndOfThisProcess() {
    List<String> told = new ArrayList<>();
    LeaderElection two =
        started(
            b, e -> e.onNewLeader(leader -> told.add(leader.owner())).pauseAfterYield(seconds(9)));
    advance(seconds(5));
    assertThat(told).containsExactly("B");
    b.store.clear();
    advance(seconds(8));
    assertThat(b.store.count(READ)).as("looks of the leader").isZero();

    LeaderElection one = started(a);
    two.stepDown();
    advance(seconds(5));
    assertThat(told).containsExactly("B", "A");
    advance(seconds(60));
    assertThat(told).as("once").containsExactly("B", "A");

    one.stepDown();
    advance(seconds(5));
    assertThat(told).containsExactly("B", "A", "B");
  }

  @Test
  void onNewLeader_asksOnceASecond_alsoInAnOutage_andNotAfterClose() {
    Lease other = b.acquire("leader");
    List<String> told = new ArrayList<>();
    LeaderElection election =
        LeaderElection.builder(a.manager, "leader")
            .onNewLeader(leader -> told.add(leader.owner()))
            .build();
    LeaderWatch watch =
        new LeaderWatch(
            a.manager.engine,
            "leader",
            () -> null,
            leader -> told.add(leader.owner()),
            (what, failure) -> errors.add(failure));
    watch.start();
    advance(seconds(60));
    assertThat(a.store.count(READ)).isBetween(54, 67);
    assertThat(told).containsExactly("B");

    a.store.goDown();
    advance(seconds(60));
    assertThat(a.store.count(READ)).isBetween(108, 134);
    a.store.heal();
    advance(seconds(5));
    assertThat(told).containsExactly("B");

    watch.stop();
    int reads = a.store.count(READ);
    advance(seconds(60));
    assertThat(a.store.count(READ)).isEqualTo(reads);
    election.close();
    other.close();
  }

  @Test
  void onNewLeader_isNotToldAgainWhenACopyLags() {
    List<String> told = new ArrayList<>();
    Lease first = b.acquire("leader");
    LeaderWatch watch =
        new LeaderWatch(
            a.manager.engine,
            "leader",
            () -> null,
            leader -> told.add(leader.token()),
            (what, failure) -> errors.add(failure));
    watch.start();
    world.time.settle();
    var old = a.store.snapshot("leader");
    first.close();
    Lease second = b.acquire("leader");
    advance(seconds(2));
    assertThat(told).containsExactly(first.token(), second.token());

    a.store.next(READ, ScriptedStore.answering(old));
    advance(seconds(5));

    assertThat(told).containsExactly(first.token(), second.token());
    watch.stop();
    second.close();
  }

  @Test
  void leader_thatHasCrashed_isNoLeader_onceItsRecordHasExpired() {
    List<String> told = new ArrayList<>();
    world.recordIs(orphan("leader"));
    LeaderElection election = election(a);
    assertThat(election.leader().map(LockInfo::owner)).contains("crashed");

    advance(World.TTL);
    assertThat(election.leader()).isEmpty();
    LeaderWatch watch =
        new LeaderWatch(
            a.manager.engine,
            "leader",
            () -> null,
            leader -> told.add(leader.token()),
            (what, failure) -> errors.add(failure));
    watch.start();
    advance(seconds(5));

    assertThat(told).isEmpty();
    watch.stop();
  }

  @Test
  void onNewLeader_thatFails_isReported_andGoesOn() {
    AtomicInteger told = new AtomicInteger();
    RuntimeException bug = new IllegalStateException("a bug in a callback");
    LeaderElection election =
        started(
            a,
            e ->
                e.onNewLeader(
                    leader -> {
                      told.incrementAndGet();
                      throw bug;
                    }));
    advance(seconds(2));
    assertThat(errors).containsExactly(bug);

    election.stepDown();
    advance(seconds(5));

    assertThat(told).hasValue(2);
  }

  // --- Arguments

  @Test
  void arguments_thatAreWrong_areFoundBeforeTheStart() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LeaderElection.builder(a.manager, " "))
        .withMessageContaining("blank");
    LeaderElection.Builder builder = LeaderElection.builder(a.manager, "leader");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.pauseAfterYield(Duration.ofMillis(-1)))
        .withMessageContainingAll("pauseAfterYield", "0 to 24 h", "PT-0.001S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.pauseAfterYield(Duration.ofHours(24).plus(MILLI)));
    World.Client c = world.client("C", m -> m.requestTimeout(Duration.ofSeconds(20)));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> LeaderElection.builder(c.manager, "leader").options(World.ONE_ATTEMPT).build())
        .withMessageContaining("ttl");
  }
}
