package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The future of an acquisition, and those who complete it otherwise. */
class AcquireAsyncTest extends OnVirtualTime {

  @Test
  void token_thatCannotBeMade_endsTheCall_andKeepsNobodyWaiting() {
    AtomicBoolean broken = new AtomicBoolean(true);
    World.Client c =
        world.client(
            "c",
            builder ->
                builder.tokens(
                    () -> {
                      if (broken.get()) {
                        throw new IllegalStateException("no entropy");
                      }
                      return "c-token";
                    }));
    CompletableFuture<Lease> unlucky = c.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();

    assertThat(c.failure(unlucky))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContaining("no token could be made")
        .hasRootCauseMessage("no entropy");
    assertThat(c.store.requests()).isEmpty();
    assertThat(c.manager.engine.queues).isEmpty();
    broken.set(false);
    Lease lease = c.acquire("x");
    assertThat(lease.token()).isEqualTo("c-token");
    lease.close();
  }

  @Test
  void token_thatIsNone_endsTheCallToo() {
    AtomicReference<String> none = new AtomicReference<>();
    World.Client c = world.client("c", builder -> builder.tokens(none::get));
    CompletableFuture<Lease> unlucky = c.manager.acquireAsync("x", World.PATIENT);
    world.time.settle();

    assertThat(c.failure(unlucky)).hasMessageContaining("no token could be made");
  }

  /**
   * Where a caller's stack ends, its call may already be among the queue's tasks, and nothing else
   * can be submitted: that it was abandoned has to show when the queue comes to it.
   */
  @Test
  void call_thatIsAbandonedBeforeItsQueueHasIt_isGrantedNothing() {
    Engine engine = a.manager.engine;
    Acquisition call = a.acquisition("x", World.PATIENT);
    call.abandon();
    assertThat(call.isDone()).as("nothing was submitted").isFalse();

    engine.onQueue("x", queue -> queue.submit(call));
    world.time.settle();

    assertThat(call.outcome.join()).isInstanceOf(Outcome.Closed.class);
    assertThat(a.store.requests()).isEmpty();
    assertThat(engine.queues).isEmpty();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void future_thatIsCancelledWhileItWaits_endsTheWait() {
    Lease held = b.acquire("x");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));

    waiter.cancel(false);

    assertThat(a.manager.engine.queues).isEmpty();
    a.store.clear();
    advance(seconds(10));
    assertThat(a.store.requests()).isEmpty();
    held.close();
  }

  @Test
  void future_thatIsCompletedByAnotherOrTimesOut_givesTheLockBack() {
    a.store.always(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> completed = a.manager.acquireAsync("x", World.PATIENT);
    completed.completeExceptionally(new TimeoutException("as orTimeout does"));
    a.store.last(CREATE).landAndAnswer();
    assertThat(a.store.isFree("x")).isTrue();

    CompletableFuture<Lease> obtruded = a.manager.acquireAsync("y", World.PATIENT);
    Lease foreign = b.acquire("z");
    obtruded.complete(foreign);
    a.store.heal();
    a.store.last(CREATE).landAndAnswer();
    advance(seconds(1));
    assertThat(a.store.isFree("y")).isTrue();
    assertThat(a.events.all()).as("nobody was notified of a grant").isEmpty();
    foreign.close();
  }

  @Test
  void future_thatIsCancelledBetweenGrantAndDelivery_givesTheLockBack() {
    CompletableFuture<Lease> granted = a.manager.acquireAsync("x", World.PATIENT);
    assertThat(granted).as("the callback has not run").isNotDone();
    assertThat(a.store.isFree("x")).isFalse();

    granted.cancel(false);
    world.time.settle();

    assertThat(a.store.isFree("x")).isTrue();
    assertThat(a.events.all()).containsExactly("acquired x", "released x RELEASED");
  }

  @Test
  void future_thatIsCancelledBehindAnother_letsTheOthersGoOn() {
    Lease held = b.acquire("x");
    List<CompletableFuture<Lease>> waiters = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      waiters.add(a.manager.acquireAsync("x", World.PATIENT));
    }
    advance(seconds(1));
    waiters.get(0).cancel(false);
    waiters.get(2).cancel(false);
    waiters.get(4).cancel(false);
    held.close();

    advance(seconds(1));
    world.now(waiters.get(1)).close();
    advance(seconds(1));
    world.now(waiters.get(3)).close();
  }

  @Test
  void head_thatIsCancelledWhileItsRequestIsOut_letsTheNextOneTryWithoutWaitingForTheAnswer() {
    a.store.next(CREATE, ScriptedStore.holdBack()).next(READ, ScriptedStore.holdBack());
    CompletableFuture<Lease> head = a.manager.acquireAsync("x", World.PATIENT);
    CompletableFuture<Lease> next = a.manager.acquireAsync("x", World.PATIENT);
    head.cancel(false);
    advance(seconds(11));
    world.now(next).close();
  }

  @Test
  void oneAttempt_thatIsCancelled_isNoRefusal() {
    a.store.next(CREATE, ScriptedStore.holdBack());
    a.manager.acquireAsync("x", World.ONE_ATTEMPT).cancel(false);
    advance(seconds(15));

    assertThat(a.events.all()).isEmpty();
  }

  @Test
  @GuardsAgainst(Pitfall.OWNERSHIP_IS_BOUND_TO_A_THREAD)
  void dependentStages_runOnTheCallbackExecutor_andMayReleaseThere() {
    List<ReleaseResult> results = new ArrayList<>();
    CompletableFuture<Void> chain =
        a.manager
            .acquireAsync("x", World.PATIENT)
            .thenAccept(lease -> results.add(lease.release()));

    assertThat(results).isEmpty();
    world.time.settle();

    assertThat(chain).isCompleted();
    assertThat(results).containsExactly(ReleaseResult.RELEASED);
  }

  @Test
  @GuardsAgainst(Pitfall.CANCEL_LEAVES_AN_ORPHAN)
  void manyAcquisitions_thatAreCancelledAtRandom_leaveNothing() {
    var random = world.time.fork("test");
    List<CompletableFuture<Lease>> all = new ArrayList<>();
    a.store.always(CREATE, ScriptedStore.late(a.machine, seconds(0.2)));
    for (int i = 0; i < 300; i++) {
      all.add(a.manager.acquireAsync("lock " + random.nextInt(5), World.PATIENT));
      advance(MILLI.multipliedBy(random.nextInt(50)));
      all.get(random.nextInt(all.size())).cancel(false);
    }
    for (CompletableFuture<Lease> acquisition : all) {
      var unused = acquisition.thenCompose(Lease::releaseAsync);
    }
    advance(seconds(200));

    assertThat(all).allMatch(CompletableFuture::isDone);
    assertThat(a.store.requests(CREATE)).isNotEmpty();
    for (int i = 0; i < 5; i++) {
      assertThat(a.store.isFree("lock " + i)).isTrue();
    }
  }
}
