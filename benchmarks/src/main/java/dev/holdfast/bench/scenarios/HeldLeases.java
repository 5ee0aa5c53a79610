package dev.holdfast.bench.scenarios;

import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * Returns what a held lease costs the process that holds it: heap and threads. On a store that
 * grants everything and keeps nothing, so that the library alone is measured.
 */
@CommandLine.Command(
    name = "held",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = "Measures what held leases cost: heap and threads, or renewals.")
public final class HeldLeases implements Callable<Integer> {
  private static final int GC_ROUNDS = 5;
  private static final int RENEWAL_INTERVALS = 3;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--leases",
      defaultValue = "20000",
      description = "How many leases to hold at once (default: ${DEFAULT-VALUE}).")
  private int leases;

  @CommandLine.Option(
      names = "--renewed",
      description =
          "Hold them on an Elasticsearch node, and measure what renewals cost for half a minute.")
  private boolean renewed;

  @Override
  public Integer call() throws Exception {
    if (leases < 1 || leases > 1_000_000) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--leases must be from 1 to 1000000, but is " + leases);
    }
    if (renewed) {
      measureRenewals();
      return 0;
    }
    try (LockManager locks = LockManager.create(new GrantingStore())) {
      List<Lease> held = new ArrayList<>(leases);
      // Classes, executors and caches are there before the first measurement.
      ReleaseResult unused = locks.acquire("warm-up").release();
      List<String> ids = new ArrayList<>(leases);
      for (int i = 0; i < leases; i++) {
        ids.add("lock-" + i);
      }
      long heapBefore = usedHeap();
      int threadsBefore = ManagementFactory.getThreadMXBean().getThreadCount();
      for (String id : ids) {
        held.add(locks.acquire(id, LockOptions.defaults()));
      }
      long heapAfter = usedHeap();
      int threadsAfter = ManagementFactory.getThreadMXBean().getThreadCount();
      for (Lease lease : held) {
        if (!lease.isHeld()) {
          throw new IllegalStateException("a lease was lost while it was measured");
        }
      }
      System.out.printf(
          "%d held leases: %d bytes of heap each, %d threads more%n",
          leases, (heapAfter - heapBefore) / leases, threadsAfter - threadsBefore);
    }
    return 0;
  }

  private void measureRenewals() throws Exception {
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node = Server.node().start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      System.out.println("Measuring for about two minutes...");
      for (Measurement each : ManagerScenarios.held(leases, RENEWAL_INTERVALS)) {
        System.out.printf("%s: %.2f %s%n", each.scenario(), each.value(), each.unit());
      }
    }
  }

  static long usedHeap() throws InterruptedException {
    Runtime runtime = Runtime.getRuntime();
    long used = Long.MAX_VALUE;
    for (int round = 0; round < GC_ROUNDS; round++) {
      System.gc();
      Thread.sleep(100);
      used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
    }
    return used;
  }

  /** Acknowledges every write. */
  private static final class GrantingStore implements LockStore {
    private final Incarnation incarnation = new Incarnation("granting", 0);
    private final AtomicLong seqNo = new AtomicLong();

    private CompletableFuture<WriteResult> applied() {
      return CompletableFuture.completedFuture(
          new WriteResult.Applied(new Version(incarnation, 1, seqNo.getAndIncrement())));
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return applied();
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return applied();
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return applied();
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return CompletableFuture.completedFuture(new ReadResult.Absent(incarnation));
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      return CompletableFuture.completedFuture(new ListResult.Listed(List.of()));
    }

    @Override
    public String description() {
      return "store that grants everything";
    }
  }
}
