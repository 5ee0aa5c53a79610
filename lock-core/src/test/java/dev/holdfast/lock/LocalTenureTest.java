package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LocalTenureTest {
  private static final long LONG = LocalTenure.MAX_LOCAL_TENURE.toNanos();
  private static final long SHORT = LocalTenure.CONTENDED_TENURE.toNanos();

  private final LocalTenure tenure = new LocalTenure();

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

  /** Another process polls at least once within a pause. */
  @Test
  void pause_isLongerThanTheLongestPoll() {
    assertThat(LocalTenure.FAIRNESS_PAUSE)
        .isGreaterThan(LockQueue.MAX_POLL.multipliedBy(11).dividedBy(10));
  }

  private void twoGrants() {
    tenure.granted(now);
    tenure.granted(now);
  }

  private boolean isOverAfter(long nanos) {
    return tenure.isOver(now + nanos);
  }
}
