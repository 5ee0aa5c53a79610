package dev.holdfast.lock;

import dev.holdfast.lock.internal.Batcher;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** A batcher that may have one request out, and its requests, which are answered when told to. */
final class Requests {
  private final List<Request> sent = new CopyOnWriteArrayList<>();
  private final Batcher<Integer, Integer> batcher = new Batcher<>(1, 10, 1_000, this::send);
  private volatile boolean tooMany;

  private record Request(List<Integer> operations, CompletableFuture<List<Integer>> answer) {}

  private CompletableFuture<List<Integer>> send(List<Integer> operations) {
    for (Request earlier : sent) {
      if (!earlier.answer.isDone()) {
        tooMany = true;
      }
    }
    Request request = new Request(operations, new CompletableFuture<>());
    sent.add(request);
    return request.answer;
  }

  CompletableFuture<Integer> submit(int operation) {
    return batcher.submit(operation, 1);
  }

  /** Answers that request, each of its operations with ten times its number. */
  void answer(int index) {
    Request request = sent.get(index);
    request.answer.complete(request.operations.stream().map(operation -> operation * 10).toList());
  }

  /** Answers all that are out, and all that follow. */
  void answerAll() {
    for (int i = 0; i < sent.size(); i++) {
      answer(i);
    }
  }

  int count() {
    return sent.size();
  }

  long timesSent(int operation) {
    return sent.stream().filter(request -> request.operations.contains(operation)).count();
  }

  /** Whether one was sent while another was out. */
  boolean tooMany() {
    return tooMany;
  }
}
