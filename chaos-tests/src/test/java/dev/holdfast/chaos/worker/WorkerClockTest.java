package dev.holdfast.chaos.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** Clocks of a worker against those of the machine, which may stand still for any time. */
class WorkerClockTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  /** Three times a millisecond, to which wall clocks and offsets are rounded here. */
  private static final long ROUNDING = Duration.ofMillis(3).toNanos();

  private final WorkerClock clock = new WorkerClock(5_000);

  private static void awaitUntil(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }

  /** Returns the least and the most by which one clock can be before the other. */
  private static long[] difference(LongSupplier one, LongSupplier other) {
    long before = one.getAsLong();
    long between = other.getAsLong();
    long after = one.getAsLong();
    return new long[] {before - between, after - between};
  }

  private static void assertIsNear(long[] bounds, long value) {
    assertThat(value).isBetween(bounds[0] - ROUNDING, bounds[1] + ROUNDING);
  }

  @Test
  void unslewed_isTheMachinesClock_andWrongByItsOffset() {
    assertIsNear(difference(clock::nanos, System::nanoTime), 0);
    assertIsNear(
        difference(
            () -> TimeUnit.MILLISECONDS.toNanos(clock.instant().toEpochMilli()),
            () -> TimeUnit.MILLISECONDS.toNanos(Instant.now().toEpochMilli())),
        5 * SECOND);
    assertThat(clock.trueNanos(SECOND)).isEqualTo(SECOND);
  }

  @Test
  void slewed_bothGoOffByTheRate_andStayOffAfterwards() throws Exception {
    long before = System.nanoTime();
    clock.slew(-500_000);
    long begun = System.nanoTime();
    awaitUntil(() -> System.nanoTime() - begun > SECOND / 5);
    assertThat(clock.trueNanos(SECOND)).isEqualTo(2 * SECOND);
    long ending = System.nanoTime();
    clock.slew(0);
    long ended = System.nanoTime();

    long off = -clock.offMillis();

    assertThat(off)
        .isBetween(
            TimeUnit.NANOSECONDS.toMillis((ending - begun) / 2),
            TimeUnit.NANOSECONDS.toMillis((ended - before) / 2) + 1);
    assertIsNear(difference(clock::nanos, System::nanoTime), -TimeUnit.MILLISECONDS.toNanos(off));
    assertIsNear(
        difference(
            () -> TimeUnit.MILLISECONDS.toNanos(clock.instant().toEpochMilli()),
            () -> TimeUnit.MILLISECONDS.toNanos(Instant.now().toEpochMilli())),
        5 * SECOND - TimeUnit.MILLISECONDS.toNanos(off));
  }

  @Test
  void monotonicClock_neverGoesBack_whereTheRateChanges() {
    long last = clock.nanos();
    for (int i = 0; i < 10_000; i++) {
      clock.slew(i % 2 == 0 ? -400_000 : 400_000);
      long now = clock.nanos();
      assertThat(now).isGreaterThanOrEqualTo(last);
      last = now;
    }
  }
}
