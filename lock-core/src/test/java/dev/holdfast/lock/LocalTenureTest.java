package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalTenureTest {
  private static final long LONG = LocalTenure.MAX_LOCAL_TENURE.toNanos();
  private static final long SHORT = LocalTenure.MIN_PAUSE.toNanos();

  private final LocalTenure tenure = new LocalTenure(Duration.ofMillis(104));

  /** Starts where a ticker may: just before it overflows. */
  private long now = Long.MAX_VALUE - 1;

  @Test
  void tenure_withoutAGrant_isNotOver() {
    assertThat(isOverAfter(10 * LONG)).isFalse();
  }

  @Test
  void tenure_ofOneGrant_isNotOver_howeverLongItTakes() {
    tenure.granted(now);

    assertThat(isOverAfter(10 * LONG)).isFalse();
  }

  @Test
  void tenure_ofTwoGrants_isOverAtItsLimit() {
    twoGrants();

    assertThat(isOverAfter(LONG - 1)).isFalse();
    assertThat(isOverAfter(LONG)).isTrue();
  }

  @Test
  void tenure_afterContention_isShort_andEachUnusedPauseDoublesTheNext() {
    tenure.foundContended();

    for (long limit = SHORT; limit < LONG; limit *= 2) {
      twoGrants();
      assertThat(isOverAfter(limit - 1)).isFalse();
      assertThat(isOverAfter(limit)).isTrue();
      tenure.end();
      tenure.pausing();
    }
    twoGrants();
    assertThat(isOverAfter(LONG - 1)).isFalse();
    assertThat(isOverAfter(LONG)).isTrue();
  }

  @Test
  void tenure_thatEnded_countsFromItsNextGrant() {
    twoGrants();
    now += LONG;
    tenure.end();
    assertThat(isOverAfter(0)).isFalse();

    twoGrants();
    assertThat(isOverAfter(LONG - 1)).isFalse();
    assertThat(isOverAfter(LONG)).isTrue();
  }

  /** Another process with the same settings polls at least once within a pause. */
  @ParameterizedTest
  @ValueSource(longs = {5, 104, 105, 1_000, 10_000})
  void pause_isLongerThanTheLongestPoll_andThatTenureNoShorter(long maxPollMillis) {
    Duration maxPoll = Duration.ofMillis(maxPollMillis);
    LocalTenure polled = new LocalTenure(maxPoll);
    assertThat(polled.pause())
        .isGreaterThan(maxPoll.multipliedBy(11).dividedBy(10))
        .isGreaterThanOrEqualTo(LocalTenure.MIN_PAUSE);

    polled.foundContended();
    polled.granted(now);
    polled.granted(now);
    assertThat(polled.isOver(now + polled.pause().toNanos() - 1)).isFalse();
    assertThat(polled.isOver(now + polled.pause().toNanos())).isTrue();
  }

  private void twoGrants() {
    tenure.granted(now);
    tenure.granted(now);
  }

  private boolean isOverAfter(long nanos) {
    return tenure.isOver(now + nanos);
  }
}
