package dev.holdfast.bench.ttl;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** A report of what was measured and what follows from it, as text and as JSON. */
final class TtlReport {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

  /** The load under which renewals are measured. */
  record LoadSettings(int perSecond, Duration warmUp, Duration duration, Duration burst) {}

  /** The requirements of the user. */
  record Wish(int leases, Units.Rate falseLosses, Duration maxClockSkew, Duration pause) {}

  /**
   * The clocks of one node.
   *
   * @param unknown why its offset is not known; null if it is
   */
  record NodeClock(URI node, ClockOffset offset, @Nullable String unknown) {}

  /**
   * The measurements on the user's cluster.
   *
   * @param pauses of this JVM and machine, in nanoseconds
   * @param collections of garbage in this JVM, in all
   * @param collectionMillis what they took, in all
   * @param capacityPerSecond 0 if not measured
   */
  record Measured(
      String cluster,
      LoadSettings load,
      Renewals.RenewalRun renewals,
      Histogram pauses,
      long collections,
      long collectionMillis,
      List<NodeClock> clocks,
      double capacityPerSecond) {

    static Measured on(Target target, String cluster, LoadSettings load, ProgressPrinter progress)
        throws InterruptedException {
      progress.begin("Acquiring leases on " + target);
      try (Renewals renewals = Renewals.open(target, load.perSecond)) {
        if (!load.warmUp.isZero()) {
          progress.begin("Warming up", load.warmUp);
          var unused = renewals.run(load.perSecond, load.warmUp, progress);
        }
        progress.begin("Measuring clocks");
        List<NodeClock> clocks = clocks(target);
        progress.begin("Measuring renewals, " + load.perSecond + " a second", load.duration);
        long collections = collections(GarbageCollectorMXBean::getCollectionCount);
        long millis = collections(GarbageCollectorMXBean::getCollectionTime);
        Renewals.RenewalRun run;
        Histogram pauses;
        try (HiccupMeter meter = HiccupMeter.start()) {
          run = renewals.run(load.perSecond, load.duration, progress);
          pauses = meter.stop();
        }
        collections = collections(GarbageCollectorMXBean::getCollectionCount) - collections;
        millis = collections(GarbageCollectorMXBean::getCollectionTime) - millis;
        double capacity = 0;
        if (!load.burst.isZero()) {
          progress.begin("Renewing as fast as is answered", load.burst);
          capacity = renewals.burst(load.burst);
        }
        return new Measured(cluster, load, run, pauses, collections, millis, clocks, capacity);
      }
    }

    private static long collections(
        java.util.function.ToLongFunction<GarbageCollectorMXBean> measurement) {
      return ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(measurement).sum();
    }

    private static List<NodeClock> clocks(Target target) throws InterruptedException {
      List<NodeClock> clocks = new ArrayList<>();
      for (URI node : target.urls()) {
        try {
          clocks.add(new NodeClock(node, ClockOffset.measure(target, node), null));
        } catch (IOException e) {
          clocks.add(new NodeClock(node, ClockOffset.ANY, e.getMessage() + ""));
        }
      }
      return clocks;
    }
  }

  private final Measured measured;
  private final List<Failover.FailoverOutcome> failovers;
  private final Wish wish;
  private final TailEstimator tail;
  private final Histogram latencies;
  private final Optional<TtlRecommendation> recommendation;
  private final Optional<TtlRecommendation> withoutFailover;

  TtlReport(Measured measured, List<Failover.FailoverOutcome> failovers, Wish wish) {
    this.measured = measured;
    this.failovers = List.copyOf(failovers);
    this.wish = wish;
    this.tail = TailEstimator.of(measured.renewals.latencyNanos());
    this.latencies = new Histogram(TimeUnit.HOURS.toNanos(1), 3);
    for (long latency : measured.renewals.latencyNanos()) {
      latencies.recordValue(latency);
    }
    TtlRecommendation.Inputs inputs =
        new TtlRecommendation.Inputs(
            tail,
            longestFailover(),
            wish.pause,
            wish.leases,
            wish.falseLosses,
            wish.maxClockSkew,
            measured.capacityPerSecond);
    this.recommendation = TtlRecommendation.of(inputs);
    this.withoutFailover =
        TtlRecommendation.of(inputs.withFailover(failovers.isEmpty() ? silentNodeSeconds() : 0));
  }

  private static double silentNodeSeconds() {
    return Failover.SILENT_NODE.toSeconds();
  }

  /** Returns where a node could not be cut off, what Elasticsearch takes by default is assumed. */
  private double longestFailover() {
    return failovers.stream()
        .mapToDouble(outcome -> outcome.isMeasured() ? outcome.waitSeconds() : silentNodeSeconds())
        .max()
        .orElse(0);
  }

  boolean isAdvice() {
    return recommendation.isPresent();
  }

  /** Returns the report as text. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    Renewals.RenewalRun run = measured.renewals;
    lines.add("");
    lines.add("Measured: " + measured.cluster);
    lines.add(
        line(
            "  renewals       %s  (%,d at %d/s from when each was due, %d tried again)",
            percentiles(latencies),
            run.latencyNanos().length,
            measured.load.perSecond,
            run.retries()));
    lines.add(
        line(
            "  pauses here    %s  (%d garbage collections, %d ms in all)",
            percentiles(measured.pauses), measured.collections, measured.collectionMillis));
    for (NodeClock clock : measured.clocks) {
      lines.add(
          line(
              "  clock          %s is ahead of this machine by %s",
              clock.node,
              clock.unknown == null ? clock.offset : "an unknown time: " + clock.unknown));
    }
    lines.add(
        measured.capacityPerSecond == 0
            ? "  capacity       not measured"
            : line(
                "  capacity       %,.0f renewals a second, two requests at a time",
                measured.capacityPerSecond));
    for (Failover.FailoverOutcome outcome : failovers) {
      lines.add(
          outcome.isMeasured()
              ? line(
                  "  failover       primary's node %s: no write acknowledged for %s; a renewal"
                      + " waited for up to %s%s",
                  outcome.kind(),
                  Units.seconds(outcome.gapSeconds()),
                  Units.seconds(outcome.waitSeconds()),
                  outcome.recovered() ? "" : ", and NOT steadily renewed until the node was back")
              : line(
                  "  failover       primary's node %s: SKIPPED, %s; %s are assumed, Elasticsearch's"
                      + " default",
                  outcome.kind(), outcome.skipped(), Units.seconds(silentNodeSeconds())));
    }
    lines.add("");
    lines.add(
        line(
            "For at most %s false losses of %,d leases, at %.0f %% confidence:",
            wish.falseLosses, wish.leases, TailEstimator.CONFIDENCE * 100));
    if (recommendation.isPresent()) {
      advise(lines, recommendation.get());
    } else {
      lines.add("  NO TTL up to an hour can be called safe by these measurements.");
      if (!Double.isFinite(longestFailover())) {
        lines.add(
            "  Renewals had not recovered from a failover when the node was brought back: no TTL"
                + " is known to outlive it.");
      }
      lines.add(
          line(
              "  The slowest renewal took %s. The tail has shape %.2f, and %,d renewals count as"
                  + " %.0f independent ones there, since slow ones come together: too heavy, or too"
                  + " few, to bound what comes so rarely. Measure for longer, on a quieter cluster,"
                  + " or allow more false losses.",
              Units.seconds(tail.max()),
              tail.shape(),
              tail.exceedances(),
              tail.exceedances() * tail.extremalIndex()));
    }
    lines.add("");
    caveats(lines);
    return lines;
  }

  private void advise(List<String> lines, TtlRecommendation safe) {
    LeaseRules rules = safe.rules();
    lines.add("  smallest safe TTL         " + Units.seconds(safe.ttl().toMillis() / 1e3));
    lines.add(
        line(
            "  renewal interval          %s to %s",
            Units.seconds(rules.earliestRenewalSeconds()),
            Units.seconds(rules.latestRenewalSeconds())));
    lines.add(
        line(
            "  a crashed holder blocks   those that wait for up to %s, those that come later for up"
                + " to %s",
            Units.seconds(safe.blockedWaiterSeconds()),
            Units.seconds(safe.blockedNewcomerSeconds())));
    lines.add(
        line(
            "  cost                      %.1f renewals a second%s",
            safe.renewalsPerSecond(),
            measured.capacityPerSecond == 0
                ? ""
                : line(", %.2g %% of the capacity measured", safe.shareOfCapacity() * 100)));
    lines.add("");
    lines.add("Because:");
    int number = 1;
    for (String step : safe.steps()) {
      lines.add("  " + number++ + ". " + step);
    }
  }

  private void caveats(List<String> lines) {
    lines.add("Not in these numbers:");
    if (failovers.isEmpty()) {
      lines.add(
          line(
              "  - failovers: --failover measures them. A node that falls silent stops writes for"
                  + " about %s at Elasticsearch's defaults; a TTL that outlives that is %s.",
              Units.seconds(silentNodeSeconds()), ttl(withoutFailover)));
    } else {
      lines.add(
          line(
              "  - failovers of other kinds and settings. Those measured are %d of each kind; the"
                  + " next may be longer. Without any, the TTL would be %s.",
              failovers.size()
                  / Math.max(1, failovers.stream().map(o -> o.kind()).distinct().count()),
              ttl(withoutFailover)));
    }
    lines.add(
        "  - what is of another kind than all that happened while it was measured: no sample can"
            + " tell how often that is.");
    if (wish.pause.isZero()) {
      lines.add(
          "  - pauses of your own processes, whose heaps are larger than this one's: --pause.");
    }
    double skew =
        measured.clocks.stream()
            .filter(clock -> clock.unknown == null)
            .mapToDouble(clock -> clock.offset.worstMillis())
            .max()
            .orElse(Double.NaN);
    if (skew > wish.maxClockSkew.toMillis() / 2.0) {
      lines.add(
          line(
              "WARNING: clocks are up to %.0f ms apart from this machine's; two others' may be"
                  + " twice that. Synchronise them, raise maxClockSkew, or switch calendarTakeover"
                  + " off.",
              skew));
    }
  }

  private static String ttl(Optional<TtlRecommendation> recommendation) {
    return recommendation
        .map(safe -> Units.seconds(safe.ttl().toMillis() / 1e3))
        .orElse("more than an hour");
  }

  private static String percentiles(Histogram histogram) {
    StringBuilder text = new StringBuilder();
    for (double percentile : PERCENTILES) {
      text.append(
          line(
              "p%s %s  ",
              percentile == Math.rint(percentile) ? "%.0f".formatted(percentile) : percentile + "",
              Units.seconds(histogram.getValueAtPercentile(percentile) / NANOS_PER_SECOND)));
    }
    return text + "max " + Units.seconds(histogram.getMaxValue() / NANOS_PER_SECOND);
  }

  /** All figures; times in seconds. */
  String json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("cluster", measured.cluster);
    all.put("ratePerSecond", measured.load.perSecond);
    all.put("durationSeconds", measured.load.duration.toMillis() / 1e3);
    all.put("renewals", figures(latencies));
    all.put("retries", measured.renewals.retries());
    all.put("pauses", figures(measured.pauses));
    all.put("garbageCollections", measured.collections);
    all.put("garbageCollectionSeconds", measured.collectionMillis / 1e3);
    List<Map<String, Object>> clocks = new ArrayList<>();
    for (NodeClock clock : measured.clocks) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("node", clock.node.toString());
      if (clock.unknown == null) {
        entry.put("aheadAtLeastSeconds", clock.offset.lowMillis() / 1e3);
        entry.put("aheadAtMostSeconds", clock.offset.highMillis() / 1e3);
      } else {
        entry.put("unknown", clock.unknown);
      }
      clocks.add(entry);
    }
    all.put("clocks", clocks);
    all.put("capacityPerSecond", measured.capacityPerSecond);
    List<Map<String, Object>> entries = new ArrayList<>();
    for (Failover.FailoverOutcome outcome : failovers) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("kind", outcome.kind().toString());
      if (outcome.isMeasured()) {
        entry.put("withoutWritesSeconds", outcome.gapSeconds());
        entry.put("longestWaitSeconds", outcome.waitSeconds());
        entry.put("recovered", outcome.recovered());
      } else {
        entry.put("skipped", outcome.skipped());
        entry.put("assumedSeconds", silentNodeSeconds());
      }
      entries.add(entry);
    }
    all.put("failovers", entries);
    Map<String, Object> fit = new LinkedHashMap<>();
    fit.put("samples", tail.samples());
    fit.put("thresholdSeconds", tail.threshold());
    fit.put("exceedances", tail.exceedances());
    fit.put("extremalIndex", tail.extremalIndex());
    fit.put("scaleSeconds", tail.scale());
    fit.put("shape", tail.shape());
    all.put("tail", fit);
    all.put("leases", wish.leases);
    all.put("falseLossesPerYear", wish.falseLosses.perYear());
    all.put("advice", recommendation.map(TtlReport::figures).orElse(null));
    return written(all);
  }

  private static Map<String, Object> figures(TtlRecommendation safe) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("ttlSeconds", safe.ttl().toMillis() / 1e3);
    entry.put("renewalIntervalSeconds", safe.rules().latestRenewalSeconds());
    entry.put("validitySeconds", safe.rules().validitySeconds());
    entry.put("crashBlocksWaitersSeconds", safe.blockedWaiterSeconds());
    entry.put("crashBlocksNewcomersSeconds", safe.blockedNewcomerSeconds());
    entry.put("renewalsPerSecond", safe.renewalsPerSecond());
    entry.put("shareOfCapacity", safe.shareOfCapacity());
    entry.put("failureProbabilityOfARenewal", safe.probability());
    entry.put("latencyEstimateSeconds", safe.quantile().seconds());
    entry.put("latencyBoundSeconds", safe.quantile().upperSeconds());
    entry.put("basis", safe.quantile().basis().name().toLowerCase(Locale.ROOT));
    entry.put("silenceToOutliveSeconds", safe.requiredSeconds());
    entry.put("silenceOutlivedSeconds", safe.outlivedSeconds());
    entry.put("estimatedFalseLossesPerYear", safe.estimatedLossesPerYear());
    entry.put("falseLossesPerYearNotRuledOutBySampleAlone", safe.provenLossesPerYear());
    entry.put("steps", safe.steps());
    return entry;
  }

  private static Map<String, Object> figures(Histogram histogram) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("count", histogram.getTotalCount());
    for (double percentile : PERCENTILES) {
      entry.put(
          "p" + (percentile == Math.rint(percentile) ? (long) percentile + "" : percentile + ""),
          histogram.getValueAtPercentile(percentile) / NANOS_PER_SECOND);
    }
    entry.put("max", histogram.getMaxValue() / NANOS_PER_SECOND);
    return entry;
  }

  private static String written(Map<String, Object> all) {
    try {
      return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(all)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("maps of numbers and text are JSON", e);
    }
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
