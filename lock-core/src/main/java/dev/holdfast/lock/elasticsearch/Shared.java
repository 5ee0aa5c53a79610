package dev.holdfast.lock.elasticsearch;

import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** One step that several callers wait for; given up when the last of them gives up. Thread-safe. */
final class Shared<T> {
  private final CompletableFuture<T> step;
  private int waiting; // guarded by this

  Shared(CompletableFuture<T> step) {
    this.step = step;
  }

  /** Whether it is still under way, so that waiting for it makes sense. */
  boolean isUnderWay() {
    return !step.isDone();
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
