package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call with an asynchronous body: the lock is held from the grant until the stage that the body
 * returned has completed, and its result is given to the caller after the release. Bound to no
 * thread.
 */
final class AsyncBody<T extends @Nullable Object> {
  private final CompletableFuture<T> result = new CompletableFuture<>();
  private final OnLeaseLost onLeaseLost;
  private final Function<? super Lease, ? extends CompletionStage<T>> body;
  private volatile @Nullable CompletionStage<T> stage;
  private volatile boolean stageCancelled;

  private AsyncBody(
      OnLeaseLost onLeaseLost, Function<? super Lease, ? extends CompletionStage<T>> body) {
    this.onLeaseLost = onLeaseLost;
    this.body = body;
  }

  /**
   * Runs a body when its lock is granted.
   *
   * @param acquired completes on the callback executor
   * @return the body's result; cancelling it ends the wait for the lock, or cancels the stage
   */
  static <T extends @Nullable Object> CompletableFuture<T> run(
      CompletableFuture<Lease> acquired,
      OnLeaseLost onLeaseLost,
      Function<? super Lease, ? extends CompletionStage<T>> body) {
    AsyncBody<T> call = new AsyncBody<>(onLeaseLost, body);
    var unused =
        call.result.whenComplete(
            (value, failure) -> {
              boolean unusedToo = acquired.cancel(false);
              call.resultGiven(failure);
            });
    var unusedAcquired =
        acquired.whenComplete(
            (lease, failure) -> {
              if (failure != null) {
                call.result.completeExceptionally(failure);
              } else {
                call.begin((LeaseHandle) lease);
              }
            });
    return call.result;
  }

  private void begin(LeaseHandle lease) {
    if (result.isDone()) {
      lease.giveBackUnused();
      return;
    }
    if (!lease.isHeld()) {
      lease.giveBackUnused();
      result.completeExceptionally(lease.notHeld(Reason.EXPIRED, "it ended before the body began"));
      return;
    }
    lease.onLost(this::lost);
    try {
      CompletionStage<T> begun =
          Objects.requireNonNull(
              body.apply(lease), "the body returned null instead of a CompletionStage");
      stage = begun;
      var unused = begun.whenComplete((value, failure) -> end(lease, value, failure));
    } catch (Throwable failure) {
      // A stage that cannot be observed.
      cancelStage();
      end(lease, null, failure);
    }
    if (stageCancelled) {
      // Before the stage was known.
      cancelStage();
    }
  }

  /** Also if the result was given before, such as by a timeout, and the work goes on. */
  private void lost(LeaseLostException loss) {
    boolean unused = result.completeExceptionally(loss.around(null));
    if (onLeaseLost == OnLeaseLost.INTERRUPT) {
      cancelStage();
    }
  }

  @SuppressWarnings("NullAway") // A stage that has not failed has a value of its type.
  private void end(LeaseHandle lease, @Nullable T value, @Nullable Throwable failure) {
    LeaseLostException known = lease.lossUntilNow();
    var unused =
        lease
            .releaseAsync()
            .thenAccept(
                released -> {
                  LeaseLostException loss = lease.lossAfter(released, known);
                  if (loss != null) {
                    result.completeExceptionally(loss.around(unwrapped(failure)));
                  } else if (failure != null) {
                    result.completeExceptionally(Objects.requireNonNull(unwrapped(failure)));
                  } else {
                    result.complete(value);
                  }
                });
  }

  /**
   * A result that its caller has completed otherwise than by cancelling it, such as by a timeout,
   * says nothing about the work, which goes on and needs the lock.
   */
  private void resultGiven(@Nullable Throwable failure) {
    if (failure instanceof CancellationException) {
      cancelStage();
    }
  }

  /** A stage that has completed, or that cannot be cancelled, stays as it is. */
  private void cancelStage() {
    stageCancelled = true;
    CompletionStage<T> begun = stage;
    if (begun != null) {
      try {
        boolean unused = begun.toCompletableFuture().cancel(true);
      } catch (UnsupportedOperationException e) {
        // Stages need not offer that. The lock is released when this one has completed.
      }
    }
  }

  private static @Nullable Throwable unwrapped(@Nullable Throwable failure) {
    Throwable cause = failure == null ? null : failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }
}
