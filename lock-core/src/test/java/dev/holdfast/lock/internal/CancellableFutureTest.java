package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
}
