package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.util.concurrent.CompletableFuture;

/** One request may be out, and is. It returns while an operation that waits for it is cancelled. */
public final class BatcherCancelRace implements Race {
  private final Requests requests = new Requests();
  private final CompletableFuture<Integer> before = requests.submit(1);
  private final CompletableFuture<Integer> cancelled = requests.submit(2);

  @Override
  public void first() {
    requests.answer(0);
  }

  @Override
  public void second() {
    cancelled.cancel(false);
  }

  @Override
  public String verdict() {
    boolean left = requests.timesSent(2) == 1;
    // One leaves at once, and the next waits for it.
    CompletableFuture<Integer> after = requests.submit(3);
    CompletableFuture<Integer> last = requests.submit(4);
    boolean leftAtOnce = requests.timesSent(3) == 1;
    requests.answerAll();
    if (requests.tooMany()) {
      return BROKEN + "too many requests were out";
    }
    if (!leftAtOnce) {
      return BROKEN + "a request that was given up is still waited for";
    }
    if (!before.isDone() || !after.isDone() || !last.isDone()) {
      return BROKEN + "an operation has no result";
    }
    return left ? "it was given up on its way" : "it did not leave";
  }
}
