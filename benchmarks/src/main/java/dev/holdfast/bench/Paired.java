package dev.holdfast.bench;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;

/**
 * Holdfast beside the raw requests, taking turns operation by operation on one node: what else the
 * machine does meanwhile, and the node's warming up, weigh on both alike. For the ratio; JMH's own
 * runs of {@link UncontendedBenchmark} are one after the other.
 */
@CommandLine.Command(
    name = "paired",
    mixinStandardHelpOptions = true,
    description = {
      "Uncontended acquire+release and raw create+delete, in turns on a node of its own:",
      "their latencies and the ratio of the medians."
    })
final class Paired implements Callable<Integer> {
  private static final int MAX_SAMPLES = 1_000_000;

  @CommandLine.Option(
      names = "--warm-up",
      defaultValue = "20",
      description = "Seconds before anything is counted (default: ${DEFAULT-VALUE}).")
  private int warmUpSeconds;

  @CommandLine.Option(
      names = "--seconds",
      defaultValue = "30",
      description = "Seconds that are counted (default: ${DEFAULT-VALUE}).")
  private int seconds;

  private final long[] holdfast = new long[MAX_SAMPLES];
  private final long[] raw = new long[MAX_SAMPLES];

  /** For picocli. */
  Paired() {}

  Paired(int warmUpSeconds, int seconds) {
    this.warmUpSeconds = warmUpSeconds;
    this.seconds = seconds;
  }

  @Override
  public Integer call() throws Exception {
    if (warmUpSeconds < 0 || seconds < 1 || warmUpSeconds > 3600 || seconds > 3600) {
      System.err.println("--warm-up must be from 0 to 3600, and --seconds from 1 to 3600");
      return 2;
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8).heapMebibytes(512).start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      System.out.printf("Warming up for %d s, then measuring for %d s%n", warmUpSeconds, seconds);
      System.out.print(new Report(measure(), List.of()).markdown());
    }
    return 0;
  }

  /** On the server of {@link Server#url}. */
  List<Figure> measure() throws Exception {
    UncontendedBenchmark pair = new UncontendedBenchmark();
    pair.connect();
    try {
      int unused = alternate(pair, warmUpSeconds);
      return figures(alternate(pair, seconds));
    } finally {
      pair.disconnect();
    }
  }

  /** Returns how often each had its turn. */
  private int alternate(UncontendedBenchmark pair, int forSeconds) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(forSeconds);
    int samples = 0;
    while (System.nanoTime() < end && samples < MAX_SAMPLES) {
      long begin = System.nanoTime();
      Object unused = pair.acquireAndRelease();
      long middle = System.nanoTime();
      Object unusedToo = pair.rawCreateAndDelete();
      holdfast[samples] = middle - begin;
      raw[samples] = System.nanoTime() - middle;
      samples++;
    }
    return samples;
  }

  private List<Figure> figures(int samples) {
    if (samples == 0) {
      throw new IllegalStateException("not one pair in " + seconds + " s");
    }
    Arrays.sort(holdfast, 0, samples);
    Arrays.sort(raw, 0, samples);
    String scenario = "uncontended acquire+release, in turns with raw create+delete";
    List<Figure> figures = new ArrayList<>();
    for (int percentile : new int[] {50, 90, 99}) {
      double q = percentile / 100.0;
      String unit = "ms, p" + percentile;
      figures.add(Figure.of(scenario, "Holdfast", quantile(holdfast, samples, q) / 1e6, unit));
      figures.add(Figure.of(scenario, "raw requests", quantile(raw, samples, q) / 1e6, unit));
    }
    double ratio = (double) quantile(holdfast, samples, 0.5) / quantile(raw, samples, 0.5);
    figures.add(Figure.of(scenario, "Holdfast / raw requests", ratio, "times, p50").atMost(1.05));
    return figures;
  }

  private static long quantile(long[] sorted, int samples, double q) {
    return sorted[(int) Math.min(samples - 1L, (long) (q * samples))];
  }
}
