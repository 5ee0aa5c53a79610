package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** However long the TTL is, a loss is noticed soon after the machine has woken up. */
class LossWatchTest extends OnVirtualTime {
  /** Of the machine's own time, after it has woken up; a tenth of the TTL if that is less. */
  private static final Duration BOUND = seconds(1);

  private static LockOptions options(Duration ttl, boolean autoRenew) {
    return LockOptions.defaults().withTtl(ttl).withAutoRenew(autoRenew);
  }

  private void sleep(Duration duration) {
    a.machine.suspend();
    advance(duration);
    a.machine.resume();
  }

  @ParameterizedTest
  @CsvSource({
    "PT0.1S, true", "PT0.1S, false",
    "PT9.9S, true", "PT9.9S, false",
    "PT10S, true", "PT10S, false",
    "PT30S, true", "PT30S, false",
    "PT1H, true", "PT1H, false",
    "PT24H, true", "PT24H, false"
  })
  void body_whoseMachineSleptPastItsLease_isInterruptedWithinTheBound(
      Duration ttl, boolean autoRenew) {
    assertThatThrownBy(
            () ->
                a.manager.withLock(
                    "x",
                    options(ttl, autoRenew),
                    () -> {
                      advance(ttl.dividedBy(40));
                      sleep(ttl);
                      Duration tenth = ttl.dividedBy(10);
                      advance(tenth.compareTo(BOUND) < 0 ? tenth : BOUND);

                      assertThat(Thread.interrupted()).isTrue();
                    }))
        .isInstanceOf(LeaseLostException.class);
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"PT1H", "PT24H"})
  void holder_whoseWallClockWasSetForward_isToldWithinTheBound(Duration ttl) {
    List<LeaseLostException> told = new ArrayList<>();
    Lease lease = a.acquire("x", options(ttl, false));
    lease.onLost(told::add);
    advance(seconds(5.5));

    a.machine.stepWallClock(ttl);
    advance(BOUND);

    assertThat(told).hasSize(1);
    lease.release();
  }

  @Test
  void watch_ofManyLeases_isOneTimer_whichEndsWithTheLast() {
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      leases.add(a.acquire("x" + i, options(Duration.ofHours(1), false)));
    }
    advance(seconds(10));

    assertThat(a.machine.pendingTimers())
        .as("one each for its end, and one for all")
        .isEqualTo(501);

    leases.forEach(Lease::release);
    advance(BOUND);
    assertThat(a.machine.pendingTimers()).isZero();
    a.acquire("again", options(Duration.ofHours(1), false));
    sleep(Duration.ofHours(1));
    advance(BOUND);
    assertThat(a.events.count("lost again")).isEqualTo(1);
  }

  @Test
  void watch_ofAManagerWhoseLeasesEndInASleep_findsAllOfThem() {
    for (int i = 0; i < 500; i++) {
      a.acquire("x" + i, options(Duration.ofHours(1), true));
    }

    sleep(Duration.ofHours(1));
    advance(BOUND);

    for (int i = 0; i < 500; i++) {
      assertThat(a.events.count("lost x" + i)).isEqualTo(1);
    }
  }
}
