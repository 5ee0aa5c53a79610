package dev.holdfast.bench.scenarios;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.indices.stats.IndicesStats;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** Whether locks that are used once leave anything behind: in the process, or in the index. */
@CommandLine.Command(
    name = "fresh-ids",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = {
      "64 threads acquire and release locks, each of an id that was never used before,",
      "on a node of its own. A row for each tenth: rate, latency, heap, size of the index."
    })
public final class FreshIds implements Callable<Integer> {
  private static final int THREADS = 64;
  private static final int PARTS = 10;
  private static final double MEGABYTE = 1e6;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--pairs",
      defaultValue = "1000000",
      description = "How many locks to acquire and release (default: ${DEFAULT-VALUE}).")
  private long pairs;

  private final AtomicLong used = new AtomicLong();

  @Override
  public Integer call() throws Exception {
    if (pairs < PARTS || pairs > 100_000_000) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--pairs must be from 10 to 100000000, but is " + pairs);
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node = Server.node().start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      try (ManagerScenarios.ManagerClient client = new ManagerScenarios.ManagerClient()) {
        ReleaseResult unused = client.locks.acquire("warm-up").release();
        System.out.println("| pairs | pairs/s | ms, median | heap, MB | index, MB |");
        System.out.println("|---|---|---|---|---|");
        for (int part = 1; part <= PARTS; part++) {
          System.out.println(row(client, pairs * part / PARTS));
        }
      }
    }
    return 0;
  }

  /** Goes on until so many locks have been used. */
  private String row(ManagerScenarios.ManagerClient client, long until) throws Exception {
    Histogram latencies = new SynchronizedHistogram(TimeUnit.MINUTES.toNanos(1), 3);
    long first = used.get();
    long begin = System.nanoTime();
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        all.add(pool.submit(() -> use(client, until, latencies)));
      }
      for (Future<?> each : all) {
        Object unused = each.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a lock could not be used", e.getCause());
    } finally {
      pool.shutdownNow();
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    return "| %,d | %,.0f | %.2f | %.1f | %.1f |"
        .formatted(
            until,
            (until - first) / seconds,
            latencies.getValueAtPercentile(50) / 1e6,
            HeldLeases.usedHeap() / MEGABYTE,
            indexBytes(client) / MEGABYTE);
  }

  private @Nullable Void use(ManagerScenarios.ManagerClient client, long until, Histogram latencies)
      throws InterruptedException {
    for (long id = used.getAndIncrement(); id < until; id = used.getAndIncrement()) {
      long begin = System.nanoTime();
      ReleaseResult result = client.locks.acquire("fresh-" + id).release();
      latencies.recordValue(System.nanoTime() - begin);
      if (result != ReleaseResult.RELEASED) {
        throw new IllegalStateException("not released: " + result);
      }
    }
    // The last look of each thread took a number for the next part.
    used.getAndDecrement();
    return null;
  }

  private static long indexBytes(ManagerScenarios.ManagerClient client) throws IOException {
    IndicesStats all =
        new ElasticsearchClient(client.transport)
            .indices()
            .stats(request -> request.index(Server.ALIAS))
            .all();
    return Objects.requireNonNull(
            Objects.requireNonNull(all.primaries(), "primaries").store(), "store")
        .sizeInBytes();
  }
}
