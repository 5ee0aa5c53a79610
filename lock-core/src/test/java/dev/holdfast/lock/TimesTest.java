package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

/** Arithmetic at its limits, which no test of a lock comes near. */
class TimesTest {
  private static final Duration ENDLESS = Duration.ofSeconds(Long.MAX_VALUE);

  @Test
  void nanosBetween_saturatesEitherWay() {
    Instant now = Instant.EPOCH;
    assertThat(Times.nanosBetween(now, now.plusNanos(7))).isEqualTo(7);
    assertThat(Times.nanosBetween(now.plusNanos(7), now)).isEqualTo(-7);
    assertThat(Times.nanosBetween(now, Instant.MAX)).isEqualTo(Long.MAX_VALUE);
    assertThat(Times.nanosBetween(now, Instant.MIN)).isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void nanos_saturateEitherWay() {
    assertThat(Times.nanos(Duration.ofMillis(7))).isEqualTo(7_000_000);
    assertThat(Times.nanos(ENDLESS)).isEqualTo(Long.MAX_VALUE);
    assertThat(Times.nanos(ENDLESS.negated())).isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void millisToNanos_saturate() {
    long most = Long.MAX_VALUE / Times.NANOS_PER_MILLI;
    assertThat(Times.millisToNanos(0)).isZero();
    assertThat(Times.millisToNanos(most)).isEqualTo(most * Times.NANOS_PER_MILLI);
    assertThat(Times.millisToNanos(most + 1)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void toMillisUp_isNoShorter_andNoLongerThanItMust() {
    assertThat(Times.toMillisUp(0)).isZero();
    assertThat(Times.toMillisUp(1)).isEqualTo(1);
    assertThat(Times.toMillisUp(Times.NANOS_PER_MILLI)).isEqualTo(1);
    assertThat(Times.toMillisUp(Times.NANOS_PER_MILLI + 1)).isEqualTo(2);
  }

  @Test
  void plus_saturates() {
    assertThat(Times.plus(3, 4)).isEqualTo(7);
    assertThat(Times.plus(3, 0)).isEqualTo(3);
    assertThat(Times.plus(Long.MAX_VALUE, 1)).isEqualTo(Long.MAX_VALUE);
    assertThat(Times.plus(Long.MIN_VALUE, 1)).isEqualTo(Long.MIN_VALUE + 1);
  }

  @Test
  void clocks_readWholeMilliseconds_andNoTimeBeforeTheReading() {
    long[] nanos = {5};
    Clocks clocks =
        new Clocks(() -> nanos[0], InstantSource.fixed(Instant.ofEpochSecond(9, 1_999_999)));

    ClockReading reading = clocks.read();
    assertThat(reading).isEqualTo(new ClockReading(5, Instant.ofEpochSecond(9, 1_000_000)));
    nanos[0] = 12;
    assertThat(clocks.since(reading)).isEqualTo(Duration.ofNanos(7));
    nanos[0] = 3;
    assertThat(clocks.since(reading)).isEqualTo(Duration.ZERO);
  }

  @Test
  void holdLimits_countFromTheirStart() {
    HoldLimits limits = new HoldLimits(100, 10, 20, false);
    assertThat(limits.hasMaximum()).isTrue();
    assertThat(limits.atMostNanosLeft(105)).isEqualTo(15);
    assertThat(limits.atMostNanosLeft(125)).isEqualTo(-5);
    assertThat(limits.atLeastNanosLeft(103)).isEqualTo(7);
    assertThat(limits.atLeastNanosLeft(110)).isZero();
    assertThat(limits.atLeastNanosLeft(111)).isZero();
    assertThat(limits.atLeastNanosLeft(90)).as("a clock that went back").isEqualTo(10);
    assertThat(limits.found(true)).isEqualTo(new HoldLimits(100, 10, 20, true));
    assertThat(HoldLimits.of(LockOptions.defaults(), 5))
        .isEqualTo(new HoldLimits(5, 0, Long.MAX_VALUE, false))
        .matches(none -> !none.hasMaximum());
  }
}
