package dev.holdfast.bench.ttl;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The smallest TTL at which leases are lost falsely no more often than wanted, and how it comes
 * about.
 *
 * <p>A lease is <em>lost falsely</em> if its holder is alive, but no renewal is acknowledged before
 * the validity that the last one gave has ended. For that, the store (or the holder's own machine)
 * must keep silent for longer than {@link LeaseRules#longestSilenceSeconds}. The bet against it: of
 * L leases, each renewed R times a year, at most F a year may be lost, so a renewal may meet such a
 * silence with a probability of F / (L R). The expected number of losses is the sum of all these
 * probabilities, whether they are independent or not (all leases that one stall ends count, so that
 * this is careful for many leases). The latency of measured renewals that is exceeded with this
 * probability, at the upper end of what the sample leaves open, is the silence that must be
 * outlived ({@link TailEstimator}); retries are not counted on to be luckier than what they repeat.
 *
 * <p>Failovers are too rare to be in such a sample. The longest that was measured must be outlived
 * too, with a margin.
 */
final class TtlRecommendation {
  /** A failover seen once or a few times may be longer the next time: by this factor. */
  static final double FAILOVER_MARGIN = 1.2;

  /** The time that requests are assumed to take after a silence is over: the p99.99. */
  private static final double REQUEST_EXCEEDANCE = 1e-4;

  private static final double HIGHEST_PROBABILITY = 0.5;

  /**
   * The inputs of the recommendation.
   *
   * @param tail of the latency of renewals
   * @param failoverSeconds the longest wait in any failover; 0 if there are none to outlive
   * @param applicationPause the longest pause of the user's own process
   * @param leases how many are held together
   * @param capacityPerSecond renewals that the cluster acknowledges a second; 0 if not measured
   */
  record Inputs(
      TailEstimator tail,
      double failoverSeconds,
      Duration applicationPause,
      int leases,
      Units.Rate falseLosses,
      Duration maxClockSkew,
      double capacityPerSecond) {
    Inputs withFailover(double seconds) {
      return new Inputs(
          tail, seconds, applicationPause, leases, falseLosses, maxClockSkew, capacityPerSecond);
    }

    /** Returns what one request takes when the store is well, at the worst. */
    double requestSeconds() {
      return tail.empirical(REQUEST_EXCEEDANCE);
    }
  }

  private final Inputs inputs;
  private final LeaseRules rules;
  private final double probability;
  private final TailEstimator.Quantile quantile;

  private TtlRecommendation(
      Inputs inputs, LeaseRules rules, double probability, TailEstimator.Quantile quantile) {
    this.inputs = inputs;
    this.rules = rules;
    this.probability = probability;
    this.quantile = quantile;
  }

  /** The smallest TTL that will do, up to an hour; empty if none will. */
  static Optional<TtlRecommendation> of(Inputs inputs) {
    for (Duration ttl : candidates()) {
      TtlRecommendation recommendation = of(inputs, ttl);
      if (recommendation.isSafe()) {
        return Optional.of(recommendation);
      }
    }
    return Optional.empty();
  }

  private static TtlRecommendation of(Inputs inputs, Duration ttl) {
    LeaseRules rules = new LeaseRules(ttl, inputs.maxClockSkew);
    double probability =
        Math.min(
            HIGHEST_PROBABILITY,
            inputs.falseLosses.perYear() / (inputs.leases * rules.renewalsPerYear()));
    double outlived = rules.longestSilenceSeconds(inputs.requestSeconds());
    // The bound takes long to find, and is never below the estimate.
    double least = Math.max(inputs.tail.estimate(probability), failover(inputs)) + pause(inputs);
    TailEstimator.Quantile quantile =
        outlived < least
            ? new TailEstimator.Quantile(
                least, Double.POSITIVE_INFINITY, TailEstimator.Basis.EXTRAPOLATED)
            : inputs.tail.quantile(probability);
    return new TtlRecommendation(inputs, rules, probability, quantile);
  }

  /** From 1 s to 1 h, in steps of what people would choose. */
  private static List<Duration> candidates() {
    List<Duration> all = new ArrayList<>();
    long millis = 1_000;
    while (millis <= 3_600_000) {
      all.add(Duration.ofMillis(millis));
      millis += millis < 10_000 ? 500 : millis < 60_000 ? 1_000 : millis < 600_000 ? 5_000 : 60_000;
    }
    return all;
  }

  private static double failover(Inputs inputs) {
    return inputs.failoverSeconds * FAILOVER_MARGIN;
  }

  private static double pause(Inputs inputs) {
    return inputs.applicationPause.toNanos() / 1e9;
  }

  private boolean isSafe() {
    return requiredSeconds() <= outlivedSeconds();
  }

  LeaseRules rules() {
    return rules;
  }

  Duration ttl() {
    return rules.ttl();
  }

  TailEstimator.Quantile quantile() {
    return quantile;
  }

  /** Returns how likely a renewal may take longer than is outlived. */
  double probability() {
    return probability;
  }

  /** The silence that must be outlived. */
  double requiredSeconds() {
    return Math.max(quantile.upperSeconds(), failover(inputs)) + pause(inputs);
  }

  /** The silence that is outlived. */
  double outlivedSeconds() {
    return rules.longestSilenceSeconds(inputs.requestSeconds());
  }

  /** False losses a year by the best estimate of the tail, without its uncertainty. */
  double estimatedLossesPerYear() {
    return inputs.leases
        * rules.renewalsPerYear()
        * inputs.tail.exceedance(outlivedSeconds() - pause(inputs));
  }

  /** False losses a year that the sample does not rule out by itself, without an extrapolation. */
  double provenLossesPerYear() {
    return inputs.leases
        * rules.renewalsPerYear()
        * inputs.tail.provenExceedance(outlivedSeconds() - pause(inputs));
  }

  /** The most renewals a second that all leases need. */
  double renewalsPerSecond() {
    return inputs.leases / rules.earliestRenewalSeconds();
  }

  /** Of what the cluster can acknowledge; 0 if that was not measured. */
  double shareOfCapacity() {
    return inputs.capacityPerSecond == 0 ? 0 : renewalsPerSecond() / inputs.capacityPerSecond;
  }

  double blockedWaiterSeconds() {
    return rules.blockedWaiterSeconds(inputs.requestSeconds());
  }

  double blockedNewcomerSeconds() {
    return rules.blockedNewcomerSeconds(inputs.requestSeconds());
  }

  /** The arithmetic, a step a line. */
  List<String> steps() {
    TailEstimator tail = inputs.tail;
    double ttl = ttl().toNanos() / 1e9;
    double request = inputs.requestSeconds();
    List<String> steps = new ArrayList<>();
    steps.add(
        line(
            "valid after each acknowledged renewal: TTL - 10 %% - min(%s, TTL/10) = %s - %s - %s ="
                + " %s",
            Units.seconds(inputs.maxClockSkew.toNanos() / 1e9),
            Units.seconds(ttl),
            Units.seconds(rules.driftMarginSeconds()),
            Units.seconds(rules.paddingSeconds()),
            Units.seconds(rules.validitySeconds())));
    steps.add(
        line(
            "renewed every %s to %s (TTL/3, up to a tenth early): %,.0f times a year, %d leases"
                + " %,.0f times",
            Units.seconds(rules.earliestRenewalSeconds()),
            Units.seconds(rules.latestRenewalSeconds()),
            rules.renewalsPerYear(),
            inputs.leases,
            inputs.leases * rules.renewalsPerYear()));
    steps.add(
        line(
            "for %s, one renewal may fail with a probability of %.2g",
            inputs.falseLosses, probability));
    if (quantile.basis() == TailEstimator.Basis.SAMPLE) {
      steps.add(
          line(
              "latency that is exceeded so rarely: %s (bound from the sample alone, at %.0f %%)",
              Units.seconds(quantile.upperSeconds()), TailEstimator.CONFIDENCE * 100));
    } else {
      steps.add(
          line(
              "latency that is exceeded so rarely: %s by the best estimate, at most %s at %.0f %%,"
                  + " extrapolated: generalized Pareto tail above %s, scale %s, shape %.2f, fitted"
                  + " to %,d of %,d renewals, which count as %,.0f independent ones",
              Units.seconds(quantile.seconds()),
              Units.seconds(quantile.upperSeconds()),
              TailEstimator.CONFIDENCE * 100,
              Units.seconds(tail.threshold()),
              Units.seconds(tail.scale()),
              tail.shape(),
              tail.exceedances(),
              tail.samples(),
              tail.exceedances() * tail.extremalIndex()));
    }
    if (inputs.failoverSeconds > 0) {
      steps.add(
          line(
              "longest wait in a failover: %s, and %.0f %% more for those not seen = %s",
              Units.seconds(inputs.failoverSeconds),
              (FAILOVER_MARGIN - 1) * 100,
              Units.seconds(failover(inputs))));
    }
    steps.add(
        line(
            "silence to outlive: the longest of these%s = %s",
            pause(inputs) > 0
                ? ", and the application's pause of " + Units.seconds(pause(inputs))
                : "",
            Units.seconds(requiredSeconds())));
    steps.add(
        line(
            "silence that is outlived: %s, if it begins when a renewal is due at the latest, no"
                + " request caught in it is ever answered (each is given up after %s), and four"
                + " requests of %s (p99.99) must fit in afterwards",
            Units.seconds(outlivedSeconds()),
            Units.seconds(rules.requestTimeoutSeconds()),
            Units.seconds(request)));
    steps.add(
        line(
            "false losses a year then: %.2g by the best estimate; the sample alone, without"
                + " extrapolation, rules out more than %,.0f",
            estimatedLossesPerYear(), Math.ceil(provenLossesPerYear())));
    return List.copyOf(steps);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
