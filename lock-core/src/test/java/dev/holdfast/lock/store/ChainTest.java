package dev.holdfast.lock.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChainTest {
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
    assertBroken(Chain.of(CompletableFuture.completedFuture(1), one -> breaks()));
  }

  @Test
  void fallback_thatThrows_endsTheChain() {
    assertBroken(
        Chain.of(failed, CompletableFuture::completedFuture).orElse(failure -> breaks().join()));
    assertBroken(Chain.of(failed, CompletableFuture::completedFuture, failure -> breaks()));
  }

  @Test
  void fallback_ofAFailure_standsInItsPlace() {
    assertThat(Chain.of(failed, CompletableFuture::completedFuture).orElse(failure -> "instead"))
        .isCompletedWithValue("instead");
  }
}
