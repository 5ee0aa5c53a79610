package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class YieldingTest {
  private final AtomicInteger asked = new AtomicInteger();

  private boolean answer(boolean othersAreToRun) {
    asked.incrementAndGet();
    return othersAreToRun;
  }

  @Test
  void toNobody_endsAtOnce() {
    Yielding.toWoken(() -> answer(false));

    assertThat(asked).hasValue(1);
  }

  /** How soon is up to the scheduler; that it ends is not. */
  @Test
  void toThoseWhoNeverCome_ends() {
    Yielding.toWoken(() -> answer(true));

    assertThat(asked.get()).isBetween(1, 64);
  }
}
