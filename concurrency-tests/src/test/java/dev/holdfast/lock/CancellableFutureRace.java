package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import dev.holdfast.lock.internal.CancellableFuture;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The first step ends, so that the next begins, while the whole is cancelled. */
public final class CancellableFutureRace implements Race {
  private final CompletableFuture<Integer> first = new CompletableFuture<>();
  private final CancellableFuture<Integer> whole = CancellableFuture.of(first, this::next);
  private volatile @Nullable CompletableFuture<Integer> next;

  private CompletableFuture<Integer> next(int value) {
    CompletableFuture<Integer> step = new CompletableFuture<>();
    next = step;
    return step;
  }

  @Override
  public void first() {
    first.complete(1);
  }

  @Override
  public void second() {
    whole.cancel(false);
  }

  @Override
  public String verdict() {
    CompletableFuture<Integer> step = next;
    if (!whole.isCancelled()) {
      return BROKEN + "not cancelled";
    }
    if (step == null) {
      return "the next step did not begin";
    }
    return step.isCancelled()
        ? "the next step was given up"
        : BROKEN + "the step under way goes on";
  }
}
