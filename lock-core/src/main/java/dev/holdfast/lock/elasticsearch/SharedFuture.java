package dev.holdfast.lock.elasticsearch;

import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One step that several callers wait for; given up when the last of them gives up. Nobody joins any
 * more once one has: the step takes longer than it should, and a new one may fare better, while
 * callers that keep coming would wait for this one for ever. Thread-safe.
 */
final class SharedFuture<T> {
  private final CompletableFuture<T> step;

  // Guarded by this.
  private int waiting;
  private boolean givenUp;

  SharedFuture(CompletableFuture<T> step) {
    this.step = step;
  }

  /** The step's end, for one caller more; null if it is not worth waiting for. */
  synchronized @Nullable CompletableFuture<T> join() {
    return givenUp || step.isDone() ? null : await();
  }

  /** The step's end, for one caller. */
  synchronized CompletableFuture<T> await() {
    waiting++;
    Waiter waiter = new Waiter();
    BiFunction<@Nullable T, @Nullable Throwable, Boolean> ended =
        (value, failure) ->
            failure != null ? waiter.completeExceptionally(failure) : waiter.complete(value);
    var unused = step.handle(ended);
    return waiter;
  }

  private void leave() {
    boolean last;
    synchronized (this) {
      givenUp = true;
      last = --waiting == 0;
    }
    if (last) {
      step.cancel(false);
    }
  }

  private final class Waiter extends CompletableFuture<T> {
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      if (cancelled) {
        leave();
      }
      return cancelled;
    }
  }
}
