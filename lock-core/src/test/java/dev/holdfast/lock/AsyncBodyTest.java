package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Bodies that return a stage: the lock is held until that has completed. */
class AsyncBodyTest extends OnVirtualTime {
  private final CompletableFuture<String> stage = new CompletableFuture<>();

  private CompletableFuture<String> call() {
    return call(World.ONE_ATTEMPT);
  }

  private CompletableFuture<String> call(LockOptions options) {
    CompletableFuture<String> result = a.manager.withLockAsync("x", options, () -> stage);
    world.time.settle();
    return result;
  }

  @Test
  void lock_isHeldUntilTheStageCompletes_andItsValueGivenAfterTheRelease() {
    CompletableFuture<String> result = call();
    advance(World.TTL.multipliedBy(3));
    assertThat(result).isNotDone();
    assertThat(b.canAcquire("x")).isFalse();

    a.store.next(DELETE, ScriptedStore.late(a.machine, seconds(1)));
    stage.complete("done");
    world.time.settle();
    assertThat(result).as("not before the release").isNotDone();
    advance(seconds(1));

    assertThat(world.now(result)).isEqualTo("done");
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void failedStage_releases_andItsFailureIsPassedOn() {
    CompletableFuture<String> result = call();
    IllegalStateException failure = new IllegalStateException("broken");
    stage.completeExceptionally(failure);
    assertThat(a.failure(result)).isSameAs(failure);
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void failedDependentStage_itsCauseIsPassedOn() {
    IllegalStateException failure = new IllegalStateException("broken");
    CompletableFuture<Object> result =
        a.manager.withLockAsync(
            "x",
            World.ONE_ATTEMPT,
            () ->
                stage.thenApply(
                    value -> {
                      throw failure;
                    }));
    world.time.settle();
    stage.complete("done");
    assertThat(a.failure(result)).isSameAs(failure);
  }

  @Test
  void bodyThatThrows_orReturnsNull_releases() {
    IllegalStateException failure = new IllegalStateException("broken");
    CompletableFuture<String> thrown =
        a.manager.withLockAsync(
            "x",
            World.ONE_ATTEMPT,
            () -> {
              throw failure;
            });
    assertThat(a.failure(thrown)).isSameAs(failure);
    assertThat(b.canAcquire("x")).isTrue();

    CompletableFuture<String> returnedNull =
        a.manager.withLockAsync("x", World.ONE_ATTEMPT, AsyncBodyTest::nothing);
    assertThat(a.failure(returnedNull))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("CompletionStage");
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** The lock may be granted before the call returns: its caller must not be kept. */
  @Test
  void body_isNeverCalledOnTheCallersThread() {
    World.Client c =
        world.client("C", builder -> builder.callbackExecutor(AsyncBodyTest::onAnotherThread));
    AtomicReference<Thread> bodyThread = new AtomicReference<>();
    CompletableFuture<String> result =
        c.manager.withLockAsync(
            "x",
            World.ONE_ATTEMPT,
            () -> {
              bodyThread.set(Thread.currentThread());
              return stage;
            });
    assertThat(bodyThread.get()).isNotNull().isNotSameAs(Thread.currentThread());
    stage.complete("done");
    assertThat(world.now(result)).isEqualTo("done");
  }

  @SuppressWarnings("NullAway") // What a body must not do.
  private static CompletionStage<String> nothing() {
    return null;
  }

  /** Has run it when it returns. */
  private static void onAnotherThread(Runnable task) {
    Thread thread = new Thread(task);
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void loss_failsTheResultAtOnce_andCancelsTheStage() {
    CompletableFuture<String> result = call();
    a.store.cutOff();
    advance(World.TTL);

    assertThat(a.failure(result))
        .isInstanceOf(LeaseLostException.class)
        .extracting("reason")
        .isEqualTo(LeaseLostException.Reason.EXPIRED);
    assertThat(stage).isCancelled();
  }

  @Test
  void loss_ofOneThatIsNotifiedOnly_leavesTheStageAlone() {
    CompletableFuture<String> result = call(World.ONE_ATTEMPT.withOnLeaseLost(OnLeaseLost.NOTIFY));
    a.store.cutOff();
    advance(World.TTL);

    assertThat(a.failure(result)).isInstanceOf(LeaseLostException.class);
    assertThat(stage).isNotDone();
    stage.complete("too late");
    assertThat(result).isCompletedExceptionally();
  }

  @Test
  void cancelledResult_cancelsTheStage_andReleases() {
    CompletableFuture<String> result = call();
    result.cancel(true);
    world.time.settle();
    assertThat(stage).isCancelled();
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** As {@code orTimeout} does: the work goes on, and needs the lock. */
  @Test
  void resultThatTimesOut_leavesTheStageAlone_andTheLockHeld() {
    CompletableFuture<String> result = call();
    result.completeExceptionally(new TimeoutException());
    advance(World.TTL.multipliedBy(3));
    assertThat(stage).isNotDone();
    assertThat(b.canAcquire("x")).isFalse();

    stage.complete("done");
    world.time.settle();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void resultThatTimedOut_lossCancelsTheStage() {
    CompletableFuture<String> result = call();
    result.completeExceptionally(new TimeoutException());
    a.store.cutOff();
    advance(World.TTL);
    assertThat(stage).isCancelled();
  }

  @Test
  void resultThatTimesOutWithinTheBody_leavesTheStageAlone() {
    AtomicReference<CompletableFuture<String>> result = new AtomicReference<>();
    Lease held = b.acquire("x");
    result.set(
        a.manager.withLockAsync(
            "x",
            World.PATIENT,
            () -> {
              Objects.requireNonNull(result.get()).completeExceptionally(new TimeoutException());
              return stage;
            }));
    held.close();
    advance(seconds(1));
    assertThat(result.get()).isCompletedExceptionally();
    assertThat(stage).isNotDone();
    assertThat(b.canAcquire("x")).isFalse();
    stage.complete("done");
    world.time.settle();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void resultThatIsCancelledWithinTheBody_cancelsTheStage() {
    AtomicReference<CompletableFuture<String>> result = new AtomicReference<>();
    Lease held = b.acquire("x");
    result.set(
        a.manager.withLockAsync(
            "x",
            World.PATIENT,
            () -> {
              Objects.requireNonNull(result.get()).cancel(false);
              return stage;
            }));
    held.close();
    advance(seconds(1));
    assertThat(stage).isCancelled();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void resultThatTimesOutWhileItWaits_bodyIsNotCalled() {
    Lease held = b.acquire("x");
    AtomicReference<String> called = new AtomicReference<>("no");
    CompletableFuture<String> result =
        a.manager.withLeaseAsync(
            "x",
            World.PATIENT,
            lease -> {
              called.set("yes");
              return stage;
            });
    advance(seconds(1));
    result.completeExceptionally(new TimeoutException());
    assertThat(a.manager.stats().locks()).as("waits no more").isZero();
    held.close();
    advance(seconds(1));
    assertThat(called).hasValue("no");
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void cancelledWhileItWaits_bodyIsNotCalled() {
    Lease held = b.acquire("x");
    AtomicReference<String> called = new AtomicReference<>("no");
    CompletableFuture<String> result =
        a.manager.withLeaseAsync(
            "x",
            World.PATIENT,
            lease -> {
              called.set("yes");
              return stage;
            });
    advance(seconds(1));
    result.cancel(false);
    assertThat(a.manager.stats().locks()).as("waits no more").isZero();
    held.close();
    advance(seconds(1));
    assertThat(called).hasValue("no");
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void stageThatIsCancelled_releases() {
    CompletableFuture<String> result = call();
    stage.cancel(true);
    world.time.settle();
    assertThatThrownBy(result::join).isInstanceOf(CancellationException.class);
    assertThat(b.canAcquire("x")).isTrue();
  }

  /** Such as one of another library: whether it has completed is all that it tells. */
  @Test
  void stageThatCannotBeCancelled_isWaitedFor() {
    CompletableFuture<String> foreign =
        new CompletableFuture<>() {
          @Override
          public CompletableFuture<String> toCompletableFuture() {
            throw new UnsupportedOperationException();
          }
        };
    CompletableFuture<String> result =
        a.manager.withLockAsync("x", World.ONE_ATTEMPT, () -> foreign);
    world.time.settle();

    result.cancel(true);
    advance(World.TTL);
    assertThat(foreign).isNotDone();
    assertThat(b.canAcquire("x")).isFalse();

    foreign.complete("done");
    world.time.settle();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void stageThatCannotBeObserved_isCancelled_andReleases() {
    IllegalStateException failure = new IllegalStateException("not observable");
    CompletableFuture<String> broken =
        new CompletableFuture<>() {
          @Override
          public CompletableFuture<String> whenComplete(
              BiConsumer<? super String, ? super Throwable> action) {
            throw failure;
          }
        };
    CompletableFuture<String> result =
        a.manager.withLockAsync("x", World.ONE_ATTEMPT, () -> broken);

    assertThat(a.failure(result)).isSameAs(failure);
    assertThat(broken).isCancelled();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void contention_isAFailure_andTheBodyIsNotCalled() {
    Lease held = b.acquire("x");
    assertThat(a.failure(call())).isInstanceOf(LockAcquisitionException.class);
    held.close();
  }

  @Test
  void body_thatReleasesEarly_isNoLoss() {
    CompletableFuture<String> result =
        a.manager.withLeaseAsync(
            "x",
            World.ONE_ATTEMPT,
            lease -> {
              var unused = lease.releaseAsync();
              return stage;
            });
    advance(World.TTL);
    assertThat(b.canAcquire("x")).isTrue();
    stage.complete("done");
    assertThat(world.now(result)).isEqualTo("done");
  }

  @Test
  void close_losesTheLease_cancelsTheStage_andReleases() {
    CompletableFuture<String> result = call();
    world.now(a.manager.closeAsync());
    assertThat(a.failure(result))
        .isInstanceOf(LeaseLostException.class)
        .extracting("reason")
        .isEqualTo(LeaseLostException.Reason.MANAGER_CLOSED);
    assertThat(stage).isCancelled();
    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void blockingCall_whoseBodyReturnsAStage_isRejectedAfterTheRelease() {
    assertThatThrownBy(
            () -> {
              CompletionStage<String> unused =
                  a.manager.withLock("x", World.ONE_ATTEMPT, () -> stage);
            })
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("withLockAsync");
    assertThat(b.canAcquire("x")).isTrue();
  }
}
