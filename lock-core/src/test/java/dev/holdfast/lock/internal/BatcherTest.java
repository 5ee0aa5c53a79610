package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class BatcherTest {
  private static final int MAX_REQUESTS = 2;
  private static final int MAX_OPERATIONS = 4;
  private static final int MAX_BYTES = 100;

  /** The requests that left, in order. */
  private final List<Request> sent = new ArrayList<>();

  private final Batcher<String, String> batcher =
      new Batcher<>(
          MAX_REQUESTS,
          MAX_OPERATIONS,
          MAX_BYTES,
          operations -> {
            Request request = new Request(operations);
            sent.add(request);
            return request.future;
          });

  private static final class Request {
    final List<String> operations;
    final CompletableFuture<List<String>> future = new CompletableFuture<>();
    Runnable whenAnswered = this::answer;

    Request(List<String> operations) {
      this.operations = operations;
    }

    void answer() {
      future.complete(operations.stream().map(operation -> operation + "!").toList());
    }
  }

  private CompletableFuture<String> submit(String operation) {
    return batcher.submit(operation, 1);
  }

  /** One whose answer does not matter. */
  private void add(String operation) {
    var unused = submit(operation);
  }

  private List<List<String>> batches() {
    return sent.stream().map(request -> request.operations).toList();
  }

  @Test
  void operations_whileFewRequestsAreOut_leaveAtOnceAndAlone() {
    CompletableFuture<String> a = submit("a");
    CompletableFuture<String> b = submit("b");

    assertThat(batches()).containsExactly(List.of("a"), List.of("b"));
    sent.get(1).answer();
    assertThat(a).isNotDone();
    assertThat(b).isCompletedWithValue("b!");
  }

  @Test
  void operations_thatGatherMeanwhile_leaveTogetherWhenARequestReturns() {
    add("a");
    add("b");
    CompletableFuture<String> c = submit("c");
    CompletableFuture<String> d = submit("d");
    assertThat(sent).hasSize(2);

    sent.get(0).answer();

    assertThat(batches()).hasSize(3).last().isEqualTo(List.of("c", "d"));
    sent.get(2).answer();
    assertThat(c).isCompletedWithValue("c!");
    assertThat(d).isCompletedWithValue("d!");
  }

  @Test
  void operations_thatAnAnswerLeadsTo_gather_andLeaveTogether() {
    for (String operation : List.of("a", "b")) {
      var unused =
          submit(operation)
              .thenRun(
                  () -> {
                    add(operation + 1);
                    add(operation + 2);
                  });
    }

    sent.get(0).answer();

    assertThat(batches()).containsExactly(List.of("a"), List.of("b"), List.of("a1", "a2"));
  }

  @Test
  void batch_isBoundedInCount() {
    add("a");
    add("b");
    for (int i = 0; i < 6; i++) {
      add("x" + i);
    }

    sent.get(0).answer();
    sent.get(1).answer();

    assertThat(batches().subList(2, 4))
        .containsExactly(List.of("x0", "x1", "x2", "x3"), List.of("x4", "x5"));
  }

  @Test
  void batch_isBoundedInBytes_butOneOperationAloneAlwaysLeaves() {
    add("a");
    add("b");
    var unused = batcher.submit("huge", 1000);
    var unusedToo = batcher.submit("large", 60);
    var unusedAsWell = batcher.submit("large too", 60);

    sent.get(0).answer();
    sent.get(1).answer();
    sent.get(2).answer();

    assertThat(batches().subList(2, 5))
        .containsExactly(List.of("huge"), List.of("large"), List.of("large too"));
  }

  @Test
  void answer_ofADifferentNumber_failsAllOfThatRequest() {
    CompletableFuture<String> a = submit("a");

    sent.get(0).future.complete(List.of("one", "two"));

    assertThatThrownBy(a::join).hasMessageContaining("answered 2 items for 1");
  }

  @Test
  void request_thatFails_failsItsOperations_andTheNextLeaves() {
    CompletableFuture<String> a = submit("a");
    add("b");
    CompletableFuture<String> c = submit("c");

    sent.get(0).future.completeExceptionally(new IOException("reset"));

    assertThatThrownBy(a::join).hasRootCauseMessage("reset");
    assertThat(batches()).last().isEqualTo(List.of("c"));
    sent.get(2).answer();
    assertThat(c).isCompletedWithValue("c!");
  }

  @Test
  void sender_thatThrows_failsTheOperations_andIsAskedAgainForTheNext() {
    AtomicInteger calls = new AtomicInteger();
    Batcher<String, String> throwing =
        new Batcher<>(
            1,
            MAX_OPERATIONS,
            MAX_BYTES,
            operations -> {
              calls.incrementAndGet();
              throw new IllegalStateException("closed");
            });

    for (int i = 1; i <= 3; i++) {
      assertThatThrownBy(throwing.submit("a", 1)::join).hasRootCauseMessage("closed");
      assertThat(calls).hasValue(i);
    }
  }

  @Test
  void sender_thatRunsOutOfMemory_failsTheOperations_andIsAskedAgainForTheNext() {
    Batcher<String, String> throwing =
        new Batcher<>(
            1,
            MAX_OPERATIONS,
            MAX_BYTES,
            operations -> {
              throw new OutOfMemoryError("planted");
            });

    for (int i = 1; i <= 3; i++) {
      CompletableFuture<String> result =
          CancellableFuture.of(
              CompletableFuture.completedFuture("a"), operation -> throwing.submit(operation, 1));
      assertThat(result).isCompletedExceptionally(); // or joining it would have no end
      assertThatThrownBy(result::join).hasRootCauseMessage("planted");
    }
  }

  // --- Requests that are refused for their size

  /** Behind a proxy that refuses requests above that size. */
  private Batcher<String, String> behindAProxy(int proxyBytes) {
    return new Batcher<>(
        MAX_REQUESTS,
        500,
        new SizeLimit(1_000_000, (failure, bytes) -> failure instanceof TooLarge),
        failure -> failure instanceof Stale,
        operations -> {
          Request request = new Request(operations);
          sent.add(request);
          request.whenAnswered =
              () -> {
                if (operations.stream().mapToInt(String::length).sum() > proxyBytes) {
                  request.future.completeExceptionally(new TooLarge());
                } else {
                  request.answer();
                }
              };
          return request.future;
        });
  }

  private static final class TooLarge extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private static final class Stale extends IOException {
    private static final long serialVersionUID = 1L;
  }

  /** Until none is out. */
  private void answerAll() {
    for (int i = 0; i < sent.size(); i++) {
      sent.get(i).whenAnswered.run();
    }
  }

  private static CompletableFuture<String> submit(Batcher<String, String> to, int size) {
    return to.submit("x".repeat(size), size);
  }

  @Test
  void request_thatIsRefusedForItsSize_leavesInParts_andAllAreAnswered() {
    Batcher<String, String> behind = behindAProxy(64_000);
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(submit(behind, i % 4 == 0 ? 300 : 40_000));
    }

    answerAll();

    assertThat(all).allMatch(each -> each.isDone() && !each.isCompletedExceptionally());
  }

  @Test
  void operations_thatAreRefusedForTheirSizeHoweverSmall_fail_afterAFewRequests() {
    Batcher<String, String> behind = behindAProxy(0);
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(submit(behind, 1));
    }

    for (int i = 0; i < sent.size() && i < 200; i++) {
      sent.get(i).whenAnswered.run();
    }

    assertThat(all).allMatch(CompletableFuture::isCompletedExceptionally);
    assertThat(sent).hasSizeLessThan(100);
  }

  @Test
  void operation_thatIsTooLargeByItself_failsAlone() {
    Batcher<String, String> behind = behindAProxy(64_000);
    List<CompletableFuture<String>> small = new ArrayList<>();
    small.add(submit(behind, 300));
    small.add(submit(behind, 300));
    CompletableFuture<String> large = submit(behind, 65_000);
    for (int i = 0; i < 30; i++) {
      small.add(submit(behind, 1_000));
    }

    answerAll();

    assertThat(small).allMatch(each -> each.isDone() && !each.isCompletedExceptionally());
    assertThatThrownBy(large::join).hasCauseInstanceOf(TooLarge.class);
  }

  @Test
  void limit_thatWasLearned_isKept_andGrowsWhenMorePasses() {
    Batcher<String, String> behind = behindAProxy(64_000);
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 40; i++) {
        var unused = submit(behind, 4_000);
      }
      answerAll();
    }
    long refused = sent.stream().filter(each -> each.future.isCompletedExceptionally()).count();
    assertThat(refused).isBetween(1L, 3L);

    for (int i = 0; i < 40_000; i++) {
      var unused = submit(behind, 4_000);
    }
    answerAll();

    assertThat(sent.stream().filter(each -> each.future.isCompletedExceptionally()).count())
        .as("it tries again, seldom")
        .isGreaterThan(refused)
        .isLessThan(sent.size() / 50);
  }

  @Test
  void operations_ofARefusedRequest_thatAreCancelledMeanwhile_doNotLeaveAgain() {
    Batcher<String, String> behind = behindAProxy(1_000);
    CompletableFuture<String> first = submit(behind, 10);
    CompletableFuture<String> second = submit(behind, 10);
    List<CompletableFuture<String>> more = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      more.add(submit(behind, 600 + i));
    }
    sent.get(0).whenAnswered.run();
    more.get(1).cancel(false);
    more.get(2).cancel(false);

    answerAll();

    assertThat(List.of(first, second, more.get(0), more.get(3)))
        .allMatch(each -> each.isDone() && !each.isCompletedExceptionally());
    assertThat(sent.stream().flatMap(each -> each.operations.stream()).map(String::length))
        .containsOnlyOnce(601, 602);
  }

  @Test
  void operation_thatDoesNotFitBesideOthers_isPassedByThoseThatDo_andLeavesNext() {
    add("a");
    add("b");
    add("c");
    var unused = batcher.submit("large", 100);
    var unusedToo = batcher.submit("large too", 100);
    add("d");

    sent.get(0).answer();
    sent.get(1).answer();
    sent.get(2).answer();

    assertThat(batches().subList(2, 5))
        .containsExactly(List.of("c", "d"), List.of("large"), List.of("large too"));
  }

  @Test
  void request_onConnectionsThatWereDead_leavesAgain_withoutWhatIsCancelled() {
    Batcher<String, String> behind = behindAProxy(1_000);
    CompletableFuture<String> first = submit(behind, 1);
    CompletableFuture<String> second = submit(behind, 2);
    CompletableFuture<String> third = submit(behind, 3);
    CompletableFuture<String> fourth = submit(behind, 4);
    sent.get(0).future.completeExceptionally(new Stale());
    assertThat(batches().get(2)).as("first in the queue").containsExactly("x", "xxx", "xxxx");
    third.cancel(false);
    sent.get(1).future.completeExceptionally(new Stale());
    sent.get(2).future.completeExceptionally(new Stale());
    assertThat(first).as("another connection may do").isNotDone();
    for (int i = 3; !first.isDone(); i++) {
      sent.get(i).future.completeExceptionally(new Stale());
    }

    assertThatThrownBy(first::join).hasCauseInstanceOf(Stale.class);
    assertThat(sent.stream().filter(each -> each.operations.contains("x")))
        .hasSize(1 + Batcher.MAX_DEAD_CONNECTIONS);
    answerAll();
    assertThat(second).isCompletedWithValue("xx!");
    assertThat(fourth).isCompletedWithValue("xxxx!");
    assertThat(sent.stream().flatMap(each -> each.operations.stream())).containsOnlyOnce("xxx");
  }

  @Test
  void judgeOfFailures_thatThrows_leavesNoOperationOpen_andTheNextLeaves() {
    Batcher<String, String> throwing =
        new Batcher<>(
            1,
            MAX_OPERATIONS,
            new SizeLimit(
                MAX_BYTES,
                (failure, bytes) -> {
                  throw new OutOfMemoryError("planted");
                }),
            failure -> false,
            operations -> CompletableFuture.failedFuture(new IOException("reset")));

    for (int i = 0; i < 3; i++) {
      CompletableFuture<String> result = throwing.submit("a", 1);
      assertThat(result).isCompletedExceptionally();
      assertThatThrownBy(result::join).hasRootCauseMessage("planted");
    }
  }

  @Test
  void operation_thatIsCancelledBeforeItLeaves_doesNotLeave() {
    add("a");
    add("b");
    CompletableFuture<String> c = submit("c");
    add("d");

    c.cancel(false);
    sent.get(0).answer();

    assertThat(batches()).last().isEqualTo(List.of("d"));
  }

  @Test
  void request_isGivenUp_whenTheLastOfItsOperationsIsCancelled() {
    add("a");
    add("b");
    CompletableFuture<String> c = submit("c");
    CompletableFuture<String> d = submit("d");
    sent.get(0).answer();

    c.cancel(false);
    assertThat(sent.get(2).future).isNotDone();
    d.cancel(false);
    assertThat(sent.get(2).future).isCancelled();
  }

  @Test
  void request_thatIsLateForOne_holdsUpNobody_andStillServesTheOthers() {
    add("a");
    add("b");
    CompletableFuture<String> c = submit("c");
    CompletableFuture<String> d = submit("d");
    sent.get(0).answer();
    add("e");
    assertThat(sent).hasSize(3);

    c.cancel(false);

    assertThat(batches()).last().isEqualTo(List.of("e"));
    sent.get(2).answer();
    assertThat(d).isCompletedWithValue("d!");
  }

  @Test
  void requests_thatWereGivenUpAndReturn_areCountedOnce() {
    CompletableFuture<String> a = submit("a");
    add("b");
    a.cancel(false);
    add("c");
    assertThat(sent).hasSize(3);

    sent.get(0).answer();
    add("d");

    assertThat(sent).as("two are out").hasSize(3);
  }

  @Test
  @Timeout(120)
  void operations_ofManyThreads_areEachAnsweredOnce_andNeverInTooManyRequests() throws Exception {
    AtomicInteger out = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch answered = new CountDownLatch(8 * 2_000);
    Batcher<Integer, Integer> busy =
        new Batcher<>(
            MAX_REQUESTS,
            50,
            1_000,
            operations -> {
              most.accumulateAndGet(out.incrementAndGet(), Math::max);
              return CompletableFuture.supplyAsync(
                  () -> {
                    out.decrementAndGet();
                    return operations.stream().map(i -> -i).toList();
                  });
            });
    List<Thread> threads = new ArrayList<>();
    AtomicInteger wrong = new AtomicInteger();
    for (int t = 0; t < 8; t++) {
      int first = t * 2_000;
      Thread thread =
          new Thread(
              () -> {
                for (int i = first; i < first + 2_000; i++) {
                  int expected = -i;
                  var unused =
                      busy.submit(i, 1)
                          .thenAccept(
                              answer -> {
                                if (answer != expected) {
                                  wrong.incrementAndGet();
                                }
                                answered.countDown();
                              });
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }

    assertThat(answered.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(wrong).hasValue(0);
    assertThat(most.get()).isBetween(1, MAX_REQUESTS);
  }
}
