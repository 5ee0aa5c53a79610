package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class SharedFutureTest {
  private final CompletableFuture<String> step = new CompletableFuture<>();
  private final SharedFuture<String> shared = new SharedFuture<>(step);
  private final CompletableFuture<String> first = shared.await();

  @Test
  void step_ends_forAllWhoWait() {
    CompletableFuture<String> second = Objects.requireNonNull(shared.join());
    boolean unused = step.complete("done");
    assertThat(first).isCompletedWithValue("done");
    assertThat(second).isCompletedWithValue("done");
    assertThat(shared.join()).isNull();
  }

  @Test
  void oneGivesUp_theOthersWaitOn_andNobodyJoinsAnyMore() {
    CompletableFuture<String> second = Objects.requireNonNull(shared.join());
    assertThat(first.cancel(false)).isTrue();
    assertThat(step).isNotDone();
    assertThat(shared.join()).isNull();

    boolean unused = step.complete("done");
    assertThat(second).isCompletedWithValue("done");
  }

  @Test
  void allGiveUp_theStepIsGivenUp() {
    CompletableFuture<String> second = Objects.requireNonNull(shared.join());
    assertThat(first.cancel(false)).isTrue();
    assertThat(second.cancel(false)).isTrue();
    assertThat(step).isCancelled();
  }

  @Test
  void step_fails_forAllWhoWait() {
    boolean unused = step.completeExceptionally(new IllegalStateException("broken"));
    assertThat(first).isCompletedExceptionally();
  }
}
