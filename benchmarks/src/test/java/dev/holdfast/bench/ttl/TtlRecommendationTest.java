package dev.holdfast.bench.ttl;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TtlRecommendationTest {
  private static final Units.Rate ONCE_A_YEAR = new Units.Rate(1, "1/year");

  private static TtlRecommendation.Inputs inputs(TailEstimator tail, double failoverSeconds) {
    return new TtlRecommendation.Inputs(
        tail, failoverSeconds, Duration.ZERO, 1, ONCE_A_YEAR, Duration.ofSeconds(2), 1_000);
  }

  private static TailEstimator constant(long millis) {
    long[] sample = new long[6_000];
    java.util.Arrays.fill(sample, millis * 1_000_000);
    return TailEstimator.of(sample);
  }

  /** Mean 10 ms; what is exceeded once in about ten million renewals is known. */
  private static TailEstimator exponential() {
    Random random = new Random(1);
    long[] sample = new long[30_000];
    for (int i = 0; i < sample.length; i++) {
      sample[i] = (long) (-1e7 * Math.log1p(-random.nextDouble()));
    }
    return TailEstimator.of(sample);
  }

  @Test
  void advice_constantLatency_isTheSmallestTtl() {
    assertThat(TtlRecommendation.of(inputs(constant(5), 0)).orElseThrow().ttl())
        .isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void advice_silentNodeOf35Seconds_outlivesItWithTheMargin() {
    TtlRecommendation recommendation = TtlRecommendation.of(inputs(constant(5), 35)).orElseThrow();
    assertThat(recommendation.outlivedSeconds()).isGreaterThanOrEqualTo(42);
    // The next smaller TTL that is tried does not.
    LeaseRules smaller =
        new LeaseRules(recommendation.ttl().minusSeconds(5), Duration.ofSeconds(2));
    assertThat(smaller.longestSilenceSeconds(0.005)).isLessThan(42);
    assertThat(recommendation.shareOfCapacity())
        .isEqualTo(recommendation.renewalsPerSecond() / 1_000);
    assertThat(recommendation.blockedNewcomerSeconds())
        .isGreaterThan(recommendation.ttl().toMillis() / 1e3 + 2);
  }

  @Test
  void advice_exponentialLatency_losesNoMoreThanWantedInTruth() {
    TtlRecommendation recommendation = TtlRecommendation.of(inputs(exponential(), 0)).orElseThrow();
    double trueLosses =
        recommendation.rules().renewalsPerYear()
            * Math.exp(-recommendation.outlivedSeconds() / 0.01);
    assertThat(trueLosses).isLessThanOrEqualTo(1);
  }

  @Test
  void advice_moreLeasesOrFewerLosses_isNeverASmallerTtl() {
    TailEstimator tail = exponential();
    TtlRecommendation.Inputs one = inputs(tail, 0);
    TtlRecommendation.Inputs many =
        new TtlRecommendation.Inputs(
            tail, 0, Duration.ZERO, 1_000_000, ONCE_A_YEAR, Duration.ofSeconds(2), 0);
    assertThat(TtlRecommendation.of(many).orElseThrow().ttl())
        .isGreaterThanOrEqualTo(TtlRecommendation.of(one).orElseThrow().ttl());
  }

  @Test
  void advice_tailWithoutAMean_isNone() {
    Random random = new Random(1);
    long[] sample = new long[6_000];
    for (int i = 0; i < sample.length; i++) {
      sample[i] = (long) (1e6 * Math.pow(1 - random.nextDouble(), -2));
    }
    assertThat(TtlRecommendation.of(inputs(TailEstimator.of(sample), 0))).isEmpty();
  }

  @Test
  void advice_failoverOfHours_isNone() {
    assertThat(TtlRecommendation.of(inputs(constant(5), 7_200))).isEmpty();
  }
}
