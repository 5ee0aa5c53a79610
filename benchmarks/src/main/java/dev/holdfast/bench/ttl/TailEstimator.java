package dev.holdfast.bench.ttl;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.hipparchus.distribution.continuous.BetaDistribution;
import org.hipparchus.optim.MaxEval;
import org.hipparchus.optim.nonlinear.scalar.GoalType;
import org.hipparchus.optim.univariate.BrentOptimizer;
import org.hipparchus.optim.univariate.SearchInterval;
import org.hipparchus.optim.univariate.UnivariateObjectiveFunction;
import org.hipparchus.optim.univariate.UnivariatePointValuePair;

/**
 * Estimates values that are too rare to be in a sample: an estimate, and a bound that is meant to
 * be too large rather than too small. Immutable.
 *
 * <p>Where the sample itself is long enough, its own order statistics give the bound, without an
 * assumption about the distribution ({@link Basis#SAMPLE}): the smallest value for which the exact
 * confidence limit of Clopper and Pearson ("The use of confidence or fiducial limits", Biometrika
 * 26, 1934; with no event seen it is nearly the rule of three) on the probability of more is low
 * enough.
 *
 * <p>Beyond that, <em>peaks over threshold</em> ({@link Basis#EXTRAPOLATED}): what exceeds a high
 * threshold is nearly generalized Pareto, whatever the distribution in its domain of attraction
 * (Pickands, Annals of Statistics 3, 1975; Coles, "An Introduction to Statistical Modeling of
 * Extreme Values", 2001, chapter 4). Fitted by maximum likelihood, in the one variable that is left
 * after Grimshaw (Technometrics 35, 1993). The bound is the upper end of the profile likelihood
 * interval of the quantile (Coles, 2.6.6), which is as lopsided as it should be.
 *
 * <p>On the careful side:
 *
 * <ul>
 *   <li>A negative shape, which would mean that there is a largest latency, is never believed: a
 *       sample cannot show that.
 *   <li>Slow answers come in clusters: one stall makes many. All exceedances are used, but they
 *       weigh no more than there are clusters, by the extremal index, estimated after Ferro and
 *       Segers (Journal of the Royal Statistical Society B 65, 2003). The log-likelihood is
 *       multiplied by it (Ribatet, Cooley and Davison, Statistica Sinica 22, 2012).
 *   <li>The probability of the threshold itself is uncertain too. Both limits are at 97.5 %, so
 *       that together they hold at 95 % (Bonferroni).
 *   <li>The threshold is the highest that leaves {@value #CLUSTERS} clusters above it, and at most
 *       a tenth of the sample.
 * </ul>
 *
 * <p>What no sample can tell: what is of another kind than all that was seen, such as a failed
 * disk, a failover, a colleague with a firewall. That must be added by other means.
 */
final class TailEstimator {
  /** The confidence of the bounds, if the future is like the sample. */
  static final double CONFIDENCE = 0.95;

  /** The least number of values in a sample. */
  static final int MIN_SAMPLES = 500;

  /** The number of independent events that the tail should be fitted to. */
  static final int CLUSTERS = 200;

  /** At most a tenth of the sample may be its tail. */
  private static final int MIN_SAMPLES_PER_EXCEEDANCE = 10;

  /** No extrapolation from fewer events. */
  private static final int MIN_CLUSTERS = 10;

  private static final double ONE_SIDE = 1 - (1 - CONFIDENCE) / 2;

  /** Half of the square of the normal quantile at {@link #ONE_SIDE}: the drop of the likelihood. */
  private static final double LIKELIHOOD_DROP = 1.959963984540054 * 1.959963984540054 / 2;

  private static final double NANOS_PER_SECOND = 1e9;
  private static final long RESOLUTION_NANOS = 1_000;
  private static final double RESOLUTION = RESOLUTION_NANOS / NANOS_PER_SECOND;

  /** Beyond it there is not even a mean worth the name, and nothing to extrapolate. */
  private static final double MAX_SHAPE = 3;

  private static final double TOO_LONG = 100 * 365.25 * 86_400;
  private static final int SHAPE_STEPS = 30;
  private static final int THETA_STEPS = 100;
  private static final double TOLERANCE = 1e-4;

  private final double[] sorted;
  private final double threshold;
  private final int exceedances;
  private final double extremalIndex;

  /** The excesses over the threshold, each value once, and how often it occurs. */
  private final double[] excess;

  private final double[] weight;
  private final double scale;
  private final double shape;

  private TailEstimator(double[] sorted, double threshold, double extremalIndex) {
    this.sorted = sorted;
    this.threshold = threshold;
    this.extremalIndex = extremalIndex;
    int first = lowerBound(sorted, threshold);
    this.exceedances = sorted.length - first;
    double[] values = Arrays.stream(sorted, first, sorted.length).distinct().toArray();
    this.excess = new double[values.length];
    this.weight = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      // Above 0 for what is equal to the threshold: it was rounded to the resolution.
      excess[i] = values[i] - threshold + RESOLUTION;
      int next = i + 1 < values.length ? lowerBound(sorted, values[i + 1]) : sorted.length;
      weight[i] = next - lowerBound(sorted, values[i]);
    }
    double mean = 0;
    for (int i = 0; i < excess.length; i++) {
      mean += excess[i] * weight[i] / exceedances;
    }
    double average = mean;
    double logTheta =
        argMax(
            log -> likelihood(meanLog(Math.exp(log)) / Math.exp(log), meanLog(Math.exp(log))),
            Math.log(1e-6 / average),
            Math.log(1e6 / average),
            THETA_STEPS);
    double fitted = meanLog(Math.exp(logTheta));
    if (likelihood(average, 0) >= likelihood(fitted / Math.exp(logTheta), fitted)) {
      this.shape = 0;
      this.scale = average;
    } else {
      this.shape = fitted;
      this.scale = fitted / Math.exp(logTheta);
    }
  }

  /**
   * Of a sample.
   *
   * @param nanos values in nanoseconds, in the order of time and evenly spaced in it, at least
   *     {@value #MIN_SAMPLES}; taken as whole microseconds, rounded up
   * @throws IllegalArgumentException if there are fewer, or one is negative
   */
  static TailEstimator of(long[] nanos) {
    if (nanos.length < MIN_SAMPLES) {
      throw new IllegalArgumentException(
          "at least " + MIN_SAMPLES + " samples are needed, but there are " + nanos.length);
    }
    double[] values = new double[nanos.length];
    for (int i = 0; i < nanos.length; i++) {
      if (nanos[i] < 0) {
        throw new IllegalArgumentException("a latency cannot be negative: " + nanos[i]);
      }
      long micros = nanos[i] / RESOLUTION_NANOS + (nanos[i] % RESOLUTION_NANOS == 0 ? 0 : 1);
      values[i] = micros * RESOLUTION;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int most = sorted.length / MIN_SAMPLES_PER_EXCEEDANCE;
    int count = Math.min(CLUSTERS, most);
    while (true) {
      double threshold = sorted[sorted.length - count];
      double index = extremalIndex(values, threshold);
      if (index * count >= CLUSTERS || count == most) {
        return new TailEstimator(sorted, threshold, index);
      }
      count = Math.min(most, count + count / 4);
    }
  }

  /** The intervals estimator, from the distances between exceedances, counted in samples. */
  private static double extremalIndex(double[] values, double threshold) {
    int last = -1;
    long longest = 0;
    long count = 0;
    double sum = 0;
    double squares = 0;
    double products = 0;
    for (int i = 0; i < values.length; i++) {
      if (values[i] >= threshold) {
        if (last >= 0) {
          double distance = i - last;
          longest = Math.max(longest, i - last);
          count++;
          sum += distance;
          squares += distance * distance;
          products += (distance - 1) * (distance - 2);
        }
        last = i;
      }
    }
    if (count == 0) {
      return 1;
    }
    double index =
        longest <= 2
            ? 2 * sum * sum / (count * squares)
            : 2 * (sum - count) * (sum - count) / (count * products);
    return Math.min(1, index);
  }

  /** The basis of an answer of {@link #quantile}. */
  enum Basis {
    /** The sample alone, nothing assumed of the distribution. */
    SAMPLE,
    /** The generalized Pareto distribution fitted to the sample's tail. */
    EXTRAPOLATED
  }

  /**
   * A value that is exceeded with a given probability.
   *
   * @param seconds the best estimate
   * @param upperSeconds not exceeded with more than that probability, at {@link #CONFIDENCE};
   *     infinite where nothing can be said
   */
  record Quantile(double seconds, double upperSeconds, Basis basis) {}

  /**
   * The value that is exceeded with the probability.
   *
   * @param probability above 0 and below 1
   */
  Quantile quantile(double probability) {
    requireProbability(probability);
    double bySample = upperBySample(probability);
    if (Double.isFinite(bySample)) {
      return new Quantile(empirical(probability), bySample, Basis.SAMPLE);
    }
    return new Quantile(
        estimate(probability), upperByFit(probability, estimate(probability)), Basis.EXTRAPOLATED);
  }

  /** The best estimate of the value that is exceeded with the probability, in seconds. */
  double estimate(double probability) {
    requireProbability(probability);
    double tail = tailProbability();
    if (probability >= tail) {
      return empirical(probability);
    }
    return threshold + scale * growth(tail / probability, shape);
  }

  private static void requireProbability(double probability) {
    if (!(probability > 0 && probability < 1)) {
      throw new IllegalArgumentException("no probability between 0 and 1: " + probability);
    }
  }

  /** The smallest value in the sample that at most that share of it exceeds. */
  double empirical(double probability) {
    int above = (int) Math.floor(probability * sorted.length);
    return sorted[Math.max(0, sorted.length - 1 - above)];
  }

  /** The best estimate of the probability of more. */
  double exceedance(double seconds) {
    if (seconds < threshold) {
      return (double) (sorted.length - upperBound(sorted, seconds)) / sorted.length;
    }
    double z = (seconds - threshold) / scale;
    return tailProbability() * (shape < 1e-9 ? Math.exp(-z) : Math.pow(1 + shape * z, -1 / shape));
  }

  /** The largest value that was seen, in seconds. */
  double max() {
    return sorted[sorted.length - 1];
  }

  /**
   * The highest probability of exceeding a value that the sample, taken as {@link
   * #independentSamples()} values, leaves possible at {@link #CONFIDENCE}. Nothing else is assumed.
   */
  double provenExceedance(double seconds) {
    int above = sorted.length - upperBound(sorted, seconds);
    return upperLimit(above * extremalIndex, independentSamples(), CONFIDENCE);
  }

  private double upperBySample(double probability) {
    if (provenExceedance(max()) > probability) {
      return Double.POSITIVE_INFINITY;
    }
    int low = 0;
    int high = sorted.length - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (provenExceedance(sorted[middle]) <= probability) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return sorted[low];
  }

  private double upperByFit(double probability, double estimate) {
    if (extremalIndex * exceedances < MIN_CLUSTERS) {
      return Double.POSITIVE_INFINITY;
    }
    double tail =
        Math.min(1, upperLimit(exceedances * extremalIndex, independentSamples(), ONE_SIDE));
    double ratio = tail / probability;
    if (ratio <= 1) {
      return max();
    }
    double least = likelihood(scale, shape) - LIKELIHOOD_DROP / extremalIndex;
    double low = Math.max(estimate - threshold, RESOLUTION);
    double high = low;
    while (profile(high, ratio) >= least) {
      low = high;
      high *= 2;
      if (high > TOO_LONG) {
        return Double.POSITIVE_INFINITY;
      }
    }
    while (high - low > TOLERANCE * high) {
      double middle = (low + high) / 2;
      if (profile(middle, ratio) >= least) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.max(threshold + high, max());
  }

  /** The most likely that the exceedances can be if this excess has the probability 1/ratio. */
  private double profile(double quantileExcess, double ratio) {
    DoubleUnaryOperator byShape = xi -> likelihood(quantileExcess / growth(ratio, xi), xi);
    return byShape.applyAsDouble(argMax(byShape, 0, MAX_SHAPE, SHAPE_STEPS));
  }

  /** The quantile of the generalized Pareto distribution of scale 1 that 1/ratio exceed. */
  private static double growth(double ratio, double shape) {
    double log = Math.log(ratio);
    return shape < 1e-9 ? log : Math.expm1(shape * log) / shape;
  }

  private double likelihood(double sigma, double xi) {
    double sum = 0;
    for (int i = 0; i < excess.length; i++) {
      double z = excess[i] / sigma;
      sum += weight[i] * (xi < 1e-9 ? z : (1 + 1 / xi) * Math.log1p(xi * z));
    }
    return -exceedances * Math.log(sigma) - sum;
  }

  private double meanLog(double theta) {
    double sum = 0;
    for (int i = 0; i < excess.length; i++) {
      sum += weight[i] * Math.log1p(theta * excess[i]);
    }
    return sum / exceedances;
  }

  /** On a grid first: a likelihood may have more than one peak. */
  private static double argMax(DoubleUnaryOperator f, double from, double to, int steps) {
    double step = (to - from) / steps;
    double best = from;
    double most = f.applyAsDouble(from);
    for (int i = 1; i <= steps; i++) {
      double value = f.applyAsDouble(from + i * step);
      if (value > most) {
        most = value;
        best = from + i * step;
      }
    }
    UnivariatePointValuePair refined =
        new BrentOptimizer(TOLERANCE, RESOLUTION)
            .optimize(
                new MaxEval(1_000),
                new UnivariateObjectiveFunction(f::applyAsDouble),
                GoalType.MAXIMIZE,
                new SearchInterval(Math.max(from, best - step), Math.min(to, best + step)));
    return refined.getValue() > most ? refined.getPoint() : best;
  }

  /** Clopper and Pearson's upper limit; the numbers need not be whole. */
  static double upperLimit(double events, double trials, double confidence) {
    return events >= trials
        ? 1
        : new BetaDistribution(events + 1, trials - events)
            .inverseCumulativeProbability(confidence);
  }

  private static int lowerBound(double[] sorted, double value) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static int upperBound(double[] sorted, double value) {
    return lowerBound(sorted, Math.nextUp(value));
  }

  /** Returns how many values there are. */
  int samples() {
    return sorted.length;
  }

  /** Returns how many values are as good as independent. */
  double independentSamples() {
    return sorted.length * extremalIndex;
  }

  /** Returns where the tail begins, in seconds. */
  double threshold() {
    return threshold;
  }

  /** Returns how many values are at the threshold or above. */
  int exceedances() {
    return exceedances;
  }

  private double tailProbability() {
    return (double) exceedances / sorted.length;
  }

  /** Clusters per exceedance: 1 for independent values. */
  double extremalIndex() {
    return extremalIndex;
  }

  /** The fitted scale, in seconds. */
  double scale() {
    return scale;
  }

  /** The fitted shape: 0 for a tail that falls exponentially, more for heavier ones. */
  double shape() {
    return shape;
  }
}
