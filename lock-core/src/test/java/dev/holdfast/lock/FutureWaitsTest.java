package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class FutureWaitsTest {
  /** Wraps around within the first microseconds. */
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5_500);

  /** Reads of the clock, each a microsecond after the last, until it has yielded. */
  private int readsWhileYielding(Future<?> future, long patienceNanos) {
    AtomicLong reads = new AtomicLong();
    FutureWaits.yieldFor(
        future,
        () -> {
          reads.incrementAndGet();
          return clock.addAndGet(1_000);
        },
        patienceNanos);
    return reads.intValue();
  }

  @Test
  void yields_untilItsPatienceEnds_alsoWhereTheClockWrapsAround() {
    assertThat(readsWhileYielding(new CompletableFuture<>(), 10_000)).isEqualTo(11);
  }

  @Test
  void yields_untilTheFutureIsDone() {
    CompletableFuture<String> future = new CompletableFuture<>();
    AtomicLong reads = new AtomicLong();
    FutureWaits.yieldFor(
        future,
        () -> {
          if (reads.incrementAndGet() == 3) {
            future.complete("done");
          }
          return 0;
        },
        1);
    // It is looked at again after the turn in which it was completed.
    assertThat(reads.get()).isBetween(3L, 4L);
    assertThat(readsWhileYielding(future, 10_000)).isZero();
  }

  @Test
  void yields_untilItIsInterrupted_andLeavesTheInterrupt() {
    Thread.currentThread().interrupt();
    assertThat(readsWhileYielding(new CompletableFuture<>(), 10_000)).isEqualTo(1);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void onAClockThatStandsStill_endsAllTheSame() {
    FutureWaits.yieldFor(new CompletableFuture<>(), () -> 7, 1);
  }

  @Test
  void withoutPatience_readsNoClock() {
    assertThat(readsWhileYielding(new CompletableFuture<>(), 0)).isZero();
  }
}
