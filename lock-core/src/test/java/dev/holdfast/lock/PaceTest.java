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
  void handOversWithinATime_followThePace() {
    assertThat(pace.handOversWithin(BRISK.toNanos())).isZero();

    handOvers(200, BRISK);
    assertThat(pace.handOversWithin(BRISK.toNanos() * 1_000)).isBetween(900L, 1_000L);

    handOvers(200, SLOW);
    assertThat(pace.handOversWithin(SLOW.toNanos() * 1_000)).isBetween(1_000L, 1_100L);

    handOvers(200, Duration.ZERO);
    assertThat(pace.handOversWithin(BRISK.toNanos())).isGreaterThan(1_000L);
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
