package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CancellableFutureTest {
  private final Error broken = new NoSuchMethodError("m");
  private final CompletableFuture<String> failed =
      CompletableFuture.failedFuture(new IllegalStateException());

  private CompletableFuture<String> breaks() {
    throw broken;
  }

  private void assertBroken(CompletableFuture<?> chain) {
    assertThatThrownBy(() -> chain.get(10, TimeUnit.SECONDS)).hasCause(broken);
  }

  @Test
  void step_thatThrows_endsTheChain() {
    assertBroken(CancellableFuture.of(CompletableFuture.completedFuture(1), one -> breaks()));
  }

  @Test
  void fallback_thatThrows_endsTheChain() {
    assertBroken(
        CancellableFuture.of(failed, CompletableFuture::completedFuture)
            .orElse(failure -> breaks().join()));
    assertBroken(
        CancellableFuture.of(failed, CompletableFuture::completedFuture, failure -> breaks()));
  }

  @Test
  void fallback_ofAFailure_standsInItsPlace() {
    assertThat(
            CancellableFuture.of(failed, CompletableFuture::completedFuture)
                .orElse(failure -> "instead"))
        .isCompletedWithValue("instead");
  }

  @Test
  void cancel_cancelsTheStepUnderWay_andBehavesLikeAnyFuture() {
    CompletableFuture<String> first = new CompletableFuture<>();
    CompletableFuture<String> second = new CompletableFuture<>();
    CancellableFuture<String> chain =
        CancellableFuture.of(CancellableFuture.of(first, one -> second), two -> second)
            .orElse(failure -> "instead");
    first.complete("done");
    assertThat(chain).isNotDone();

    assertThat(chain.cancel(false)).isTrue();

    assertThat(first).isCompletedWithValue("done");
    assertThat(second).isCancelled();
    assertThat(chain).isCancelled();
    assertThatThrownBy(chain::join).isInstanceOf(CancellationException.class);
    assertThat(chain.cancel(false)).as("again").isTrue();
  }

  @Test
  void cancel_afterTheEnd_changesNothing() {
    CancellableFuture<Integer> chain =
        CancellableFuture.of(
            CompletableFuture.completedFuture(1), CompletableFuture::completedFuture);

    assertThat(chain.cancel(false)).isFalse();

    assertThat(chain).isCompletedWithValue(1);
  }
}
