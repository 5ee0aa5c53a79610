package dev.holdfast.bench.ttl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TailEstimatorTest {
  private static final int SAMPLES = 6_000;

  /** Once a year or so, at ten renewals a minute. */
  private static final double RARE = 2e-7;

  /**
   * A distribution whose quantile is known.
   *
   * @param draw seconds
   * @param quantile the value that {@link #RARE} exceed, in seconds
   */
  record Known(String name, ToDoubleFunction<Random> draw, double quantile) {
    long[] sample(Random random, int size) {
      long[] sample = new long[size];
      for (int i = 0; i < size; i++) {
        sample[i] = Math.round(draw.applyAsDouble(random) * 1e9);
      }
      return sample;
    }
  }

  static Stream<Known> known() {
    return Stream.of(
        new Known("constant", random -> 0.004, 0.004),
        new Known("uniform", Random::nextDouble, 1 - RARE),
        new Known("exponential", random -> 0.01 * exponential(random), -0.01 * Math.log(RARE)),
        pareto(0.25),
        pareto(0.5));
  }

  private static Known pareto(double shape) {
    return new Known(
        "Pareto " + shape,
        random -> 0.001 * Math.exp(shape * exponential(random)),
        0.001 * Math.pow(RARE, -shape));
  }

  private static double exponential(Random random) {
    return -Math.log1p(-random.nextDouble());
  }

  @ParameterizedTest
  @MethodSource("known")
  void quantile_beyondTheSample_boundHoldsAsOftenAsPromised(Known known) {
    int runs = 150;
    int held = 0;
    double[] estimates = new double[runs];
    for (int run = 0; run < runs; run++) {
      TailEstimator.Quantile quantile =
          TailEstimator.of(known.sample(new Random(run), SAMPLES)).quantile(RARE);
      assertThat(quantile.basis()).isEqualTo(TailEstimator.Basis.EXTRAPOLATED);
      assertThat(quantile.upperSeconds()).isGreaterThanOrEqualTo(quantile.seconds());
      if (quantile.upperSeconds() >= known.quantile) {
        held++;
      }
      estimates[run] = quantile.seconds() / known.quantile;
    }
    Arrays.sort(estimates);
    assertThat(held).isGreaterThanOrEqualTo((int) Math.ceil(TailEstimator.CONFIDENCE * runs));
    assertThat(estimates[runs / 2]).isBetween(0.7, 1.4);
  }

  /**
   * Outages of exponential length, at random times: P(more than x) = rate * mean * exp(-x/mean).
   */
  @Test
  void quantile_outagesInAQuietSample_boundHoldsAsOftenAsPromised() {
    double mean = 0.2;
    double perSample = 0.02;
    double spacing = 0.01;
    double quantile = -mean * Math.log(RARE / (perSample / spacing * mean));
    int runs = 60;
    int held = 0;
    for (int run = 0; run < runs; run++) {
      Random random = new Random(run);
      long[] sample = new long[SAMPLES];
      double end = 0;
      for (int i = 0; i < SAMPLES; i++) {
        double now = i * spacing;
        if (random.nextDouble() < perSample) {
          end = Math.max(end, now + mean * exponential(random));
        }
        sample[i] = (long) (1e9 * Math.max(0.002, end - now));
      }
      TailEstimator tail = TailEstimator.of(sample);
      assertThat(tail.extremalIndex()).isLessThan(0.6);
      if (tail.quantile(RARE).upperSeconds() >= quantile) {
        held++;
      }
    }
    assertThat(held).isGreaterThanOrEqualTo((int) Math.ceil(TailEstimator.CONFIDENCE * runs));
  }

  @Test
  void quantile_sampleLongEnough_needsNoExtrapolation() {
    TailEstimator tail = TailEstimator.of(known().toList().get(2).sample(new Random(1), 60_000));
    TailEstimator.Quantile quantile = tail.quantile(0.01);
    assertThat(quantile.basis()).isEqualTo(TailEstimator.Basis.SAMPLE);
    assertThat(quantile.upperSeconds()).isBetween(0.01 * Math.log(100), 0.06);
  }

  @Test
  void upperLimit_noEventSeen_isTheRuleOfThree() {
    assertThat(TailEstimator.upperLimit(0, 1_000, 0.95)).isCloseTo(0.003, within(0.0001));
    assertThat(TailEstimator.upperLimit(0, 1_000, 0.95))
        .isCloseTo(1 - Math.pow(0.05, 1e-3), within(1e-9));
  }

  @Test
  void of_tooFewSamples_throws() {
    assertThatThrownBy(() -> TailEstimator.of(new long[10]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Property(tries = 20)
  void quantile_rarer_isNeverSmaller(@ForAll long seed) {
    TailEstimator tail = TailEstimator.of(pareto(0.3).sample(new Random(seed), 1_000));
    double last = 0;
    for (double probability : new double[] {0.1, 1e-3, 1e-5, 1e-7}) {
      double bound = tail.quantile(probability).upperSeconds();
      assertThat(bound).isGreaterThanOrEqualTo(last * 0.999);
      last = bound;
    }
  }
}
