package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HandoffPacingTest {
  private static final Duration BRISK = Duration.ofNanos(HandoffPacing.BRISK_NANOS / 5);
  private static final Duration SLOW = Duration.ofNanos(HandoffPacing.BRISK_NANOS * 3);

  private final HandoffPacing pace = new HandoffPacing();

  private void handoffs(int count, Duration held) {
    for (int i = 0; i < count; i++) {
      pace.handedOff(held);
    }
  }

  @Test
  void atFirst_nobodyGivesWay() {
    assertThat(pace.patienceNanos(0)).isZero();
    handoffs(3, Duration.ZERO);
    assertThat(pace.patienceNanos(0)).isZero();
  }

  @Test
  void briskHandOvers_yieldForTwiceTheTimeThatThoseAheadTake() {
    handoffs(200, BRISK);

    assertThat(pace.patienceNanos(0)).isEqualTo(HandoffPacing.BRISK_NANOS);
    long each = pace.patienceNanos(1) - pace.patienceNanos(0);
    assertThat(each).isBetween(2 * BRISK.toNanos(), 3 * BRISK.toNanos());
    assertThat(pace.patienceNanos(10)).isEqualTo(HandoffPacing.BRISK_NANOS + 10 * each);
  }

  @Test
  void manyWhoWait_sleep() {
    handoffs(200, BRISK);

    assertThat(pace.patienceNanos(HandoffPacing.MAX_YIELDING - 1)).isPositive();
    assertThat(pace.patienceNanos(HandoffPacing.MAX_YIELDING)).isZero();
  }

  @Test
  void handOversInARenewal_areHalfAsManyAgainAsInTheLast() {
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
    pace.renewed(100);
    assertThat(pace.handoffsInARenewal()).isEqualTo(150);
    pace.renewed(60);
    assertThat(pace.handoffsInARenewal()).isEqualTo(90);
    pace.renewed(12);
    assertThat(pace.handoffsInARenewal()).isEqualTo(18);
    pace.renewed(10);
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
    pace.renewed(0);
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
  }

  @Test
  void slowHandOvers_sleep_andOneLongPauseIsForgottenSoon() {
    handoffs(200, BRISK);
    pace.handedOff(Duration.ofHours(1));
    handoffs(5, BRISK);
    assertThat(pace.patienceNanos(1)).isPositive();

    handoffs(20, SLOW);
    assertThat(pace.patienceNanos(1)).isZero();
  }
}
