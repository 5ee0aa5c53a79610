package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What listeners and callbacks are told, and what theirs can do to the engine: nothing. */
class ListenersTest extends OnVirtualTime {

  /** Keeps the parts of events that {@link Events} leaves out. */
  private static final class Details implements LockListener {
    final List<String> told = new ArrayList<>();

    @Override
    public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
      told.add("acquired " + lockId + " " + fencingToken + " " + waited);
    }

    @Override
    public void takenOver(String lockId, LockInfo previous) {
      told.add("takenOver " + previous.token() + " " + previous.expired());
    }

    @Override
    public void contended(String lockId, Optional<LockInfo> holder, Duration waited) {
      told.add("contended " + holder.map(LockInfo::owner).orElse("?") + " " + waited);
    }

    @Override
    public void unavailable(String lockId, Throwable cause, Duration waited) {
      told.add("unavailable " + waited);
    }

    @Override
    public void waiting(String lockId, Optional<LockInfo> holder) {
      told.add("waiting " + holder.map(LockInfo::owner).orElse("?"));
    }

    @Override
    public void renewed(String lockId, Duration took) {
      told.add("renewed " + took);
    }

    @Override
    public void renewalFailed(String lockId, Throwable cause, Duration took, Duration remaining) {
      told.add("renewalFailed after " + took + " " + (remaining.compareTo(World.VALIDITY) < 0));
    }

    @Override
    public void lost(String lockId, LeaseLostException loss, Duration held) {
      told.add("lost " + loss.lockId() + " " + held);
    }

    @Override
    public void released(String lockId, ReleaseResult result, Duration held) {
      told.add("released " + result + " " + held);
    }
  }

  @Test
  void events_haveTheirDetails_andComeInOrder() {
    Details details = new Details();
    World.Client c = world.client("C", m -> m.listener(details));
    Lease other = b.acquire("x");
    CompletableFuture<Lease> waiter = c.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));
    assertThat(other.release()).isEqualTo(ReleaseResult.RELEASED);
    advance(seconds(1));
    Lease lease = world.now(waiter);
    Duration waited = world.time.now().minus(lease.remaining().negated()).minus(World.VALIDITY);
    c.store.next(REPLACE, ScriptedStore.late(c.machine, seconds(2)));
    advance(World.TTL.dividedBy(3).plus(seconds(2)));
    Duration held = Duration.between(lease.acquiredAt(), c.machine.instant());
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    world.time.settle();

    assertThat(waited).isPositive();
    assertThat(details.told)
        .hasSize(4)
        .satisfiesExactly(
            event -> assertThat(event).isEqualTo("waiting B"),
            event -> assertThat(event).startsWith("acquired x " + lease.fencingToken() + " PT1."),
            event -> assertThat(event).isEqualTo("renewed PT2S"),
            event -> assertThat(event).startsWith("released RELEASED PT" + held.toSeconds() + "."));
  }

  @Test
  void refusal_outageAndTakeOver_areToldWithTheirDetails() {
    Details details = new Details();
    World.Client c = world.client("C", m -> m.listener(details));
    Lease other = b.acquire("x");
    assertThat(c.canAcquire("x")).isFalse();
    c.store.goDown();
    assertThat(c.failure(c.manager.acquireAsync("y", World.ONE_ATTEMPT)))
        .isInstanceOf(LockStoreUnavailableException.class);
    c.store.heal();
    world.recordIs(orphan("z"));
    CompletableFuture<Lease> waiter = c.manager.acquireAsync("z", World.PATIENT);
    advance(World.TTL.plus(seconds(1)));
    world.now(waiter).close();
    other.close();
    world.time.settle();

    assertThat(details.told)
        .containsSubsequence("contended B PT0S", "waiting crashed", "takenOver orphan true")
        .filteredOn(event -> event.startsWith("unavailable"))
        .hasSize(1);
  }

  @Test
  void error_isToldAsAnOutage_sinceNobodyElseHasTheLock() {
    World.Client c =
        world.client(
            "C",
            m ->
                m.tokens(
                    () -> {
                      throw new NoSuchMethodError("in a source of tokens");
                    }));

    assertThat(c.failure(c.manager.acquireAsync("x", World.ONE_ATTEMPT)))
        .isInstanceOf(NoSuchMethodError.class);

    assertThat(c.events.all()).containsExactly("unavailable x");
  }

  @Test
  void loss_isToldOnce_afterItsFailedRenewals_andNoReleaseIsToldAfterIt() {
    Details details = new Details();
    World.Client c = world.client("C", m -> m.listener(details));
    Lease lease = c.acquire("x");
    c.store.goDown();
    advance(World.TTL);
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    world.time.settle();

    assertThat(details.told)
        .contains("renewalFailed after PT0S true")
        .endsWith("lost x " + World.VALIDITY)
        .filteredOn(event -> event.startsWith("lost"))
        .hasSize(1);
  }

  @Test
  void renewal_thatFailsLate_isToldWithTheTimeItTook() {
    Details details = new Details();
    World.Client c = world.client("C", m -> m.listener(details));
    Lease lease = c.acquire("x");
    c.store.next(
        REPLACE,
        request -> {
          Scheduler.Timer unused =
              c.machine.schedule(
                  () -> request.answer(new WriteResult.Rejected(new IllegalStateException("busy"))),
                  seconds(2).toNanos());
        });
    advance(World.TTL.dividedBy(3).plus(seconds(2)));
    lease.close();
    world.time.settle();

    assertThat(details.told).contains("renewalFailed after PT2S true");
  }

  @Test
  void loss_thatOnlyTheReleaseShows_isTold_andTheReleaseIsNot() {
    Details details = new Details();
    World.Client c = world.client("C", m -> m.listener(details));
    Lease lease = c.acquire("x");
    c.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertThat(world.memory.delete("x", c.store.found("x").version())).isCompleted();
    c.store.last(REPLACE).landAndAnswer();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(details.told)
        .satisfiesExactly(
            event -> assertThat(event).startsWith("acquired"),
            event -> assertThat(event).startsWith("lost"));
  }

  @Test
  void listener_thatThrows_isLogged_andHarmsNeitherTheLockNorTheOtherListeners() {
    Events after = new Events();
    LockListener broken =
        new LockListener() {
          @Override
          public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
            throw new IllegalStateException("a bug in a listener");
          }

          @Override
          public void released(String lockId, ReleaseResult result, Duration held) {
            throw new AssertionError("another");
          }
        };
    World.Client c = world.client("C", m -> m.listener(broken).listener(after));

    c.acquire("x").close();
    world.time.settle();

    assertThat(after.all()).containsExactly("acquired x", "released x RELEASED");
    assertThat(c.store.isFree("x")).isTrue();
  }

  @Test
  void listener_thatIsFarBehind_missesEvents_andHoldsUpNothing() {
    Events slow = new Events();
    List<Runnable> held = new ArrayList<>();
    World.Client c = world.client("C", m -> m.callbackExecutor(held::add).listener(slow));
    int rounds = EventDispatch.MAX_QUEUED;

    for (int i = 0; i < rounds; i++) {
      CompletableFuture<Lease> lease = c.manager.acquireAsync("x", World.ONE_ATTEMPT);
      held.remove(held.size() - 1).run();
      assertThat(lease.join().release()).isEqualTo(ReleaseResult.RELEASED);
    }
    held.forEach(Runnable::run);

    assertThat(slow.all()).as("of twice as many").hasSize(EventDispatch.MAX_QUEUED);
    assertThat(c.manager.stats().droppedEvents()).isEqualTo(EventDispatch.MAX_QUEUED);
  }

  @Test
  void listener_isAttachedBeforeItsFirstEvent_andMayThrow() {
    List<String> told = new ArrayList<>();
    LockListener broken =
        new LockListener() {
          @Override
          public void attached(Supplier<LockManagerStats> stats) {
            throw new IllegalStateException("a bug in a listener");
          }
        };
    LockListener after =
        new LockListener() {
          private @Nullable Supplier<LockManagerStats> stats;

          @Override
          public void attached(Supplier<LockManagerStats> attached) {
            stats = attached;
            told.add("attached, held " + attached.get().held());
          }

          @Override
          public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
            told.add("acquired, held " + (stats == null ? "?" : stats.get().held()));
          }
        };
    World.Client c = world.client("C", m -> m.listener(broken).listener(after));

    c.acquire("x").close();
    world.time.settle();

    assertThat(told).containsExactly("attached, held 0", "acquired, held 1");
  }

  @Test
  void callback_ofAnExecutorThatRejects_hasAThreadOfItsOwn() throws Exception {
    World.Client c =
        world.client(
            "C",
            m ->
                m.callbackExecutor(
                    task -> {
                      throw new RejectedExecutionException("closed");
                    }));
    Lease lease = Caller.of(() -> c.manager.acquire("x", World.ONE_ATTEMPT)).result();
    CountDownLatch told = new CountDownLatch(1);
    List<String> threads = new ArrayList<>();
    lease.onLost(
        loss -> {
          threads.add(Thread.currentThread().getName());
          told.countDown();
        });
    c.store.cutOff();
    advance(World.TTL);

    assertThat(told.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(threads).containsExactly("holdfast-callback");
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void callback_mayUseItsLease() {
    Lease lease = a.acquire("x");
    List<Object> seen = new ArrayList<>();
    lease.onLost(
        loss -> {
          seen.add(lease.isHeld());
          seen.add(lease.renew());
          seen.add(lease.release());
        });
    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));

    assertThat(seen).containsExactly(false, false, ReleaseResult.NOT_HELD);
  }
}
