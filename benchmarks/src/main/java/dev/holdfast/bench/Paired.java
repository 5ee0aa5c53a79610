package dev.holdfast.bench;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.util.Arrays;
import java.util.Locale;
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

  @Override
  public Integer call() throws Exception {
    if (warmUpSeconds < 0 || seconds < 1 || warmUpSeconds > 3600 || seconds > 3600) {
      System.err.println("--warm-up must be from 0 to 3600, and --seconds from 1 to 3600");
      return 2;
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8).heapMebibytes(512).start()) {
      UncontendedBenchmark pair = new UncontendedBenchmark();
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      pair.connect();
      try {
        System.out.printf("Warming up for %d s, then measuring for %d s%n", warmUpSeconds, seconds);
        int unused = alternate(pair, warmUpSeconds);
        report(alternate(pair, seconds));
      } finally {
        pair.disconnect();
      }
    }
    return 0;
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

  private void report(int samples) {
    Arrays.sort(holdfast, 0, samples);
    Arrays.sort(raw, 0, samples);
    System.out.printf("%d pairs, in microseconds:%n", samples);
    System.out.printf("%20s %8s %8s %8s%n", "", "p50", "p90", "p99");
    row("acquire+release", holdfast, samples);
    row("raw create+delete", raw, samples);
    System.out.printf(
        Locale.ROOT,
        "ratio of the medians: %.3f%n",
        (double) quantile(holdfast, samples, 0.5) / quantile(raw, samples, 0.5));
  }

  private static void row(String name, long[] sorted, int samples) {
    System.out.printf(
        "%20s %8d %8d %8d%n",
        name,
        quantile(sorted, samples, 0.5) / 1_000,
        quantile(sorted, samples, 0.9) / 1_000,
        quantile(sorted, samples, 0.99) / 1_000);
  }

  private static long quantile(long[] sorted, int samples, double q) {
    return sorted[(int) Math.min(samples - 1L, (long) (q * samples))];
  }
}
