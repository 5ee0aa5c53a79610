package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.util.concurrent.CompletableFuture;

/** One request may be out, and is. It returns while an operation is submitted. */
public final class BatcherRace implements Race {
  private final Requests requests = new Requests();
  private final CompletableFuture<Integer> before = requests.submit(1);
  private volatile CompletableFuture<Integer> submitted = before;

  @Override
  public void first() {
    requests.answer(0);
  }

  @Override
  public void second() {
    submitted = requests.submit(2);
  }

  @Override
  public String verdict() {
    boolean together = requests.count() == 2;
    requests.answerAll();
    if (requests.tooMany()) {
      return BROKEN + "too many requests were out";
    }
    if (requests.timesSent(1) != 1 || requests.timesSent(2) > 1) {
      return BROKEN + "an operation left twice";
    }
    if (!before.isDone() || !submitted.isDone() || before.join() != 10 || submitted.join() != 20) {
      return BROKEN + "an operation has no result of its own";
    }
    return together ? "it has left" : "it waited";
  }
}
