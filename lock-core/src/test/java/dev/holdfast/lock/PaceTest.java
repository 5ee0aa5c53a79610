package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final Duration BRISK = Duration.ofNanos(Pace.BRISK_NANOS / 5);
  private static final Duration SLOW = Duration.ofNanos(Pace.BRISK_NANOS * 3);

  private final Pace pace = new Pace();

  private void handOvers(int count, Duration held) {
    for (int i = 0; i < count; i++) {
      pace.handedOver(held);
    }
  }

  @Test
  void atFirst_nobodyGivesWay() {
    assertThat(pace.patienceNanos(0)).isZero();
    handOvers(3, Duration.ZERO);
    assertThat(pace.patienceNanos(0)).isZero();
  }

  @Test
  void briskHandOvers_giveWayForTwiceTheTimeThatThoseAheadTake() {
    handOvers(200, BRISK);

    assertThat(pace.patienceNanos(0)).isEqualTo(Pace.BRISK_NANOS);
    long each = pace.patienceNanos(1) - pace.patienceNanos(0);
    assertThat(each).isBetween(2 * BRISK.toNanos(), 3 * BRISK.toNanos());
    assertThat(pace.patienceNanos(10)).isEqualTo(Pace.BRISK_NANOS + 10 * each);
  }

  @Test
  void manyWhoWait_sleep() {
    handOvers(200, BRISK);

    assertThat(pace.patienceNanos(Pace.MAX_GIVING_WAY - 1)).isPositive();
    assertThat(pace.patienceNanos(Pace.MAX_GIVING_WAY)).isZero();
  }

  @Test
  void handOversInARenewal_areHalfAsManyAgainAsInTheLast() {
    assertThat(pace.handOversInARenewal()).isEqualTo(Pace.MIN_IN_A_RENEWAL);
    pace.renewed(100);
    assertThat(pace.handOversInARenewal()).isEqualTo(150);
    pace.renewed(60);
    assertThat(pace.handOversInARenewal()).isEqualTo(90);
    pace.renewed(12);
    assertThat(pace.handOversInARenewal()).isEqualTo(18);
    pace.renewed(10);
    assertThat(pace.handOversInARenewal()).isEqualTo(Pace.MIN_IN_A_RENEWAL);
    pace.renewed(0);
    assertThat(pace.handOversInARenewal()).isEqualTo(Pace.MIN_IN_A_RENEWAL);
  }

  @Test
  void slowHandOvers_sleep_andOneLongPauseIsForgottenSoon() {
    handOvers(200, BRISK);
    pace.handedOver(Duration.ofHours(1));
    handOvers(5, BRISK);
    assertThat(pace.patienceNanos(1)).isPositive();

    handOvers(20, SLOW);
    assertThat(pace.patienceNanos(1)).isZero();
  }
}
