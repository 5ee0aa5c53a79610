package dev.holdfast.bench.scenarios;

import dev.holdfast.bench.jmh.UncontendedBenchmark;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.BenchmarkReport;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.bench.ttl.Units;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * Holdfast beside the raw requests, interleaved operation by operation on one node: what else the
 * machine does meanwhile, and the node's warming up, weigh on both alike. For the ratio; JMH's own
 * runs of {@link UncontendedBenchmark} are one after the other.
 */
@CommandLine.Command(
    name = "paired",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = {
      "Uncontended acquire+release and raw create+delete, interleaved on a node of its own:",
      "their latencies and the ratio of the medians."
    })
public final class Paired implements Callable<Integer> {
  private static final int MAX_SAMPLES = 1_000_000;
  private static final Duration MOST = Duration.ofHours(1);

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--warm-up",
      defaultValue = "20s",
      converter = Units.DurationConverter.class,
      description = "How long before anything is counted (default: ${DEFAULT-VALUE}).")
  private Duration warmUp = Duration.ZERO;

  @CommandLine.Option(
      names = "--duration",
      defaultValue = "30s",
      converter = Units.DurationConverter.class,
      description = "How long is counted (default: ${DEFAULT-VALUE}).")
  private Duration duration = Duration.ZERO;

  private final long[] holdfast = new long[MAX_SAMPLES];
  private final long[] own = new long[MAX_SAMPLES];
  private final long[] raw = new long[MAX_SAMPLES];

  /** For picocli. */
  Paired() {}

  public Paired(Duration warmUp, Duration duration) {
    this.warmUp = warmUp;
    this.duration = duration;
  }

  @Override
  public Integer call() throws Exception {
    if (warmUp.compareTo(MOST) > 0 || duration.compareTo(MOST) > 0 || duration.isZero()) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--warm-up must be at most 1h, and --duration at most 1h and more than 0s");
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8).heapMebibytes(512).start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      System.out.printf(
          "Warming up for %.1f s, then measuring for %.1f s%n",
          warmUp.toMillis() / 1e3, duration.toMillis() / 1e3);
      System.out.print(new BenchmarkReport(measure(), List.of()).markdown());
    }
    return 0;
  }

  /** On the server of {@link Server#url}. */
  public List<Measurement> measure() throws Exception {
    UncontendedBenchmark pair = new UncontendedBenchmark();
    pair.connect();
    try {
      int unused = alternate(pair, warmUp);
      return measurements(alternate(pair, duration));
    } finally {
      pair.disconnect();
    }
  }

  /** Returns how often each had its turn. */
  private int alternate(UncontendedBenchmark pair, Duration length) throws Exception {
    long end = System.nanoTime() + length.toNanos();
    int samples = 0;
    while (System.nanoTime() < end && samples < MAX_SAMPLES) {
      long begin = System.nanoTime();
      Object unused = pair.acquireAndRelease();
      long second = System.nanoTime();
      Object unusedToo = pair.rawCreateAndDelete();
      long third = System.nanoTime();
      Object unusedAsWell = pair.onOwnConnections();
      holdfast[samples] = second - begin;
      raw[samples] = third - second;
      own[samples] = System.nanoTime() - third;
      samples++;
    }
    return samples;
  }

  private List<Measurement> measurements(int samples) {
    if (samples == 0) {
      throw new IllegalStateException("not one pair in " + duration);
    }
    Arrays.sort(holdfast, 0, samples);
    Arrays.sort(own, 0, samples);
    Arrays.sort(raw, 0, samples);
    String scenario = "uncontended acquire+release, interleaved with raw create+delete";
    List<Measurement> measurements = new ArrayList<>();
    for (int percentile : new int[] {50, 90, 99}) {
      double q = percentile / 100.0;
      String unit = "ms, p" + percentile;
      measurements.add(
          Measurement.of(scenario, "Holdfast", quantile(holdfast, samples, q) / 1e6, unit));
      measurements.add(
          Measurement.of(
              scenario, "Holdfast, own connections", quantile(own, samples, q) / 1e6, unit));
      measurements.add(
          Measurement.of(scenario, "raw requests", quantile(raw, samples, q) / 1e6, unit));
    }
    double ratio = (double) quantile(holdfast, samples, 0.5) / quantile(raw, samples, 0.5);
    measurements.add(
        Measurement.of(scenario, "Holdfast / raw requests", ratio, "times, p50").atMost(1.05));
    measurements.add(
        Measurement.of(
            scenario,
            "Holdfast, own connections / raw requests",
            (double) quantile(own, samples, 0.5) / quantile(raw, samples, 0.5),
            "times, p50"));
    return measurements;
  }

  private static long quantile(long[] sorted, int samples, double q) {
    return sorted[(int) Math.min(samples - 1L, (long) (q * samples))];
  }
}
