package dev.holdfast.bench.ttl;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AdviceTest {
  private static final Units.Rate ONCE_A_YEAR = new Units.Rate(1, "1/year");

  private static Advice.Inputs inputs(Tail tail, double failoverSeconds) {
    return new Advice.Inputs(
        tail, failoverSeconds, Duration.ZERO, 1, ONCE_A_YEAR, Duration.ofSeconds(2), 1_000);
  }

  private static Tail constant(long millis) {
    long[] sample = new long[6_000];
    java.util.Arrays.fill(sample, millis * 1_000_000);
    return Tail.of(sample);
  }

  /** Mean 10 ms; what is exceeded once in about ten million renewals is known. */
  private static Tail exponential() {
    Random random = new Random(1);
    long[] sample = new long[30_000];
    for (int i = 0; i < sample.length; i++) {
      sample[i] = (long) (-1e7 * Math.log1p(-random.nextDouble()));
    }
    return Tail.of(sample);
  }

  @Test
  void advice_constantLatency_isTheSmallestTtl() {
    assertThat(Advice.of(inputs(constant(5), 0)).orElseThrow().ttl())
        .isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void advice_silentNodeOf35Seconds_outlivesItWithTheMargin() {
    Advice advice = Advice.of(inputs(constant(5), 35)).orElseThrow();
    assertThat(advice.outlivedSeconds()).isGreaterThanOrEqualTo(42);
    // The next smaller TTL that is tried does not.
    LeaseRules smaller = new LeaseRules(advice.ttl().minusSeconds(5), Duration.ofSeconds(2));
    assertThat(smaller.longestSilenceSeconds(0.005)).isLessThan(42);
    assertThat(advice.shareOfCapacity()).isEqualTo(advice.renewalsPerSecond() / 1_000);
    assertThat(advice.blockedNewcomerSeconds()).isGreaterThan(advice.ttl().toMillis() / 1e3 + 2);
  }

  @Test
  void advice_exponentialLatency_losesNoMoreThanWantedInTruth() {
    Advice advice = Advice.of(inputs(exponential(), 0)).orElseThrow();
    double trueLosses =
        advice.rules().renewalsPerYear() * Math.exp(-advice.outlivedSeconds() / 0.01);
    assertThat(trueLosses).isLessThanOrEqualTo(1);
  }

  @Test
  void advice_moreLeasesOrFewerLosses_isNeverASmallerTtl() {
    Tail tail = exponential();
    Advice.Inputs one = inputs(tail, 0);
    Advice.Inputs many =
        new Advice.Inputs(tail, 0, Duration.ZERO, 1_000_000, ONCE_A_YEAR, Duration.ofSeconds(2), 0);
    assertThat(Advice.of(many).orElseThrow().ttl())
        .isGreaterThanOrEqualTo(Advice.of(one).orElseThrow().ttl());
  }

  @Test
  void advice_tailWithoutAMean_isNone() {
    Random random = new Random(1);
    long[] sample = new long[6_000];
    for (int i = 0; i < sample.length; i++) {
      sample[i] = (long) (1e6 * Math.pow(1 - random.nextDouble(), -2));
    }
    assertThat(Advice.of(inputs(Tail.of(sample), 0))).isEmpty();
  }

  @Test
  void advice_failoverOfHours_isNone() {
    assertThat(Advice.of(inputs(constant(5), 7_200))).isEmpty();
  }
}
