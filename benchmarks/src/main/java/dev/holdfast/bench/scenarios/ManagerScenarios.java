package dev.holdfast.bench.scenarios;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.transport.ElasticsearchTransport;
import com.sun.management.OperatingSystemMXBean;
import dev.holdfast.bench.peers.Peer;
import dev.holdfast.bench.peers.PeerClient;
import dev.holdfast.bench.peers.RawRequests;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;
import org.jspecify.annotations.Nullable;

/**
 * Measurements that do not fit JMH: the cost of holding and of waiting, handoff from one manager to
 * another, latency at a given rate. Each connects by itself to the server of {@link Server#url}.
 */
public final class ManagerScenarios {
  public static final int LEASES = 10_000;
  static final int WAITERS = 1_000;
  static final int THREADS_PER_MANAGER = 16;

  /** Locks that are awaited at a time. */
  private static final int AWAITED = 100;

  /** Milliseconds: who waits looks often at first, and less and less. */
  private static final int PAST_FIRST_POLLS = 500;

  /** Milliseconds, at most, between two releases. */
  private static final int BETWEEN_RELEASES = 40;

  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(5));

  /** Longer than the measurement, so that no session ends by it. */
  private static final LockOptions LINGERING =
      PATIENT.withTtl(Duration.ofMinutes(5)).withLinger(Duration.ofMinutes(2));

  private static final String HANDOFF =
      "a lock that another process waits for, from the acknowledged release to the grant";

  private static final long MICROS = 1_000;

  /** The number of renewals of each lease before the cost of holding it is measured. */
  private static final int WARM_UP_INTERVALS = 6;

  private ManagerScenarios() {}

  /** A manager with a transport of its own, as another process would have. */
  public static final class ManagerClient implements AutoCloseable {
    final CountingTransport transport = new CountingTransport(Server.transport());
    public final LockManager locks;

    /** A client with default settings. */
    public ManagerClient() {
      this(UnaryOperator.identity());
    }

    ManagerClient(UnaryOperator<LockManager.Builder> settings) {
      this.locks = settings.apply(LockManager.builder(Server.store(transport))).build();
    }

    @Override
    public void close() throws IOException {
      locks.close();
      transport.close();
    }
  }

  /**
   * Many leases are held, for that many times the longest between two renewals of one. Whole
   * intervals: all leases are acquired at once, so that a shorter look may see none renewed. More
   * leases may cost in proportion, and no more than that.
   */
  public static List<Measurement> held(int count, int intervals) throws Exception {
    LockOptions options = LockOptions.defaults();
    Duration interval = options.ttl().dividedBy(3);
    String scenario = String.format("%,d held leases, TTL %d s", count, options.ttl().toSeconds());
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    try (ManagerClient client = new ManagerClient()) {
      client.locks.acquire("warm-up").close();
      List<CompletableFuture<Lease>> futures = new ArrayList<>(count);
      long heapBefore = HeldLeases.usedHeap();
      for (int i = 0; i < count; i++) {
        futures.add(client.locks.acquireAsync("held-" + i, options));
      }
      List<Lease> leases = new ArrayList<>(count);
      for (CompletableFuture<Lease> future : futures) {
        leases.add(future.get());
      }
      futures.clear();
      long heap = HeldLeases.usedHeap() - heapBefore;
      // For about a minute, compiling takes more time than renewing.
      Thread.sleep(interval.multipliedBy(WARM_UP_INTERVALS).toMillis());
      long requests = client.transport.requests();
      long cpu = system.getProcessCpuTime();
      long ofThreads = ofThreads();
      long begin = System.nanoTime();
      Thread.sleep(interval.multipliedBy(intervals).toMillis());
      double took = (System.nanoTime() - begin) / 1e9;
      cpu = system.getProcessCpuTime() - cpu;
      ofThreads = ofThreads() - ofThreads;
      requests = client.transport.requests() - requests;
      if (requests == 0) {
        throw new IllegalStateException("no lease was renewed while it was measured");
      }
      List<CompletableFuture<ReleaseResult>> releases = new ArrayList<>(count);
      for (Lease lease : leases) {
        if (!lease.isHeld()) {
          throw new IllegalStateException("a lease was lost while it was measured: " + lease);
        }
        releases.add(lease.releaseAsync());
      }
      for (CompletableFuture<ReleaseResult> release : releases) {
        var unused = release.get();
      }
      return List.of(
          Measurement.of(scenario, "Holdfast", requests / took, "requests/s")
              .atMost(10.0 * count / LEASES),
          Measurement.of(scenario, "Holdfast", cpu / 1e7 / took, "% of a core")
              .atMost(5.0 * count / LEASES),
          Measurement.of(
              scenario,
              "Holdfast",
              ofThreads / 1e7 / took,
              "% of a core, without the JVM's collector and compilers"),
          Measurement.of(scenario, "Holdfast", (double) heap / count, "bytes each").atMost(2_048));
    }
  }

  /** Returns the processor time of all threads of Java; while many leases are held, none ends. */
  private static long ofThreads() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return Arrays.stream(threads.getAllThreadIds())
        .map(threads::getThreadCpuTime)
        .filter(nanos -> nanos > 0)
        .sum();
  }

  /** Returns what it costs that many threads wait for a lock that is held elsewhere. */
  public static Measurement waiting(int seconds) throws Exception {
    AtomicLong granted = new AtomicLong();
    CountDownLatch asked = new CountDownLatch(WAITERS);
    List<Thread> threads = new ArrayList<>(WAITERS);
    double perSecond;
    try (ManagerClient holder = new ManagerClient();
        ManagerClient waiter = new ManagerClient()) {
      Lease lease = holder.locks.acquire("awaited", PATIENT);
      for (int i = 0; i < WAITERS; i++) {
        Thread thread =
            new Thread(
                () -> {
                  asked.countDown();
                  try {
                    waiter.locks.acquire("awaited", PATIENT).close();
                    granted.incrementAndGet();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
        thread.start();
        threads.add(thread);
      }
      asked.await();
      Thread.sleep(PAST_FIRST_POLLS);
      long before = waiter.transport.requests();
      long begin = System.nanoTime();
      TimeUnit.SECONDS.sleep(seconds);
      perSecond = (waiter.transport.requests() - before) / ((System.nanoTime() - begin) / 1e9);
      lease.close();
      for (Thread thread : threads) {
        thread.join();
      }
    }
    if (granted.get() < WAITERS) {
      throw new IllegalStateException(WAITERS - granted.get() + " waits failed");
    }
    return Measurement.of(
            String.format("%,d threads wait for one lock held elsewhere", WAITERS),
            "Holdfast",
            perSecond,
            "requests/s")
        .atMost(10);
  }

  /**
   * From the acknowledged release of a lock to its grant to another process that waits for it. By
   * how much a release misses that process's last look is up to chance, so it takes many: locks are
   * held and awaited together, and released one by one.
   *
   * @param maxPollInterval of the process that waits
   * @param goalMillis for the median
   */
  public static Measurement grantAfterRelease(
      int rounds, Duration maxPollInterval, double goalMillis) throws Exception {
    Histogram delays = new Histogram(3);
    try (ManagerClient holder = new ManagerClient();
        ManagerClient waiter =
            new ManagerClient(settings -> settings.maxPollInterval(maxPollInterval))) {
      for (int round = 0; round < rounds; round++) {
        List<Lease> held = new ArrayList<>(AWAITED);
        List<CompletableFuture<Long>> granted = new ArrayList<>(AWAITED);
        for (int i = 0; i < AWAITED; i++) {
          String lockId = "awaited-" + i;
          held.add(holder.locks.acquire(lockId, PATIENT));
          granted.add(
              waiter
                  .locks
                  .acquireAsync(lockId, PATIENT)
                  .thenCompose(
                      lease -> {
                        long at = System.nanoTime();
                        return lease.releaseAsync().thenApply(result -> at);
                      }));
        }
        Thread.sleep(PAST_FIRST_POLLS);
        // Without a look at the grants: after one it is known when the next look will come.
        long[] released = new long[AWAITED];
        for (int i = 0; i < AWAITED; i++) {
          Thread.sleep(ThreadLocalRandom.current().nextInt(BETWEEN_RELEASES));
          ReleaseResult result = held.get(i).release();
          released[i] = System.nanoTime();
          if (result != ReleaseResult.RELEASED) {
            throw new IllegalStateException("not released: " + result);
          }
        }
        for (int i = 0; i < AWAITED; i++) {
          long at = granted.get(i).get(1, TimeUnit.MINUTES);
          delays.recordValue(Math.max(0, at - released[i]));
        }
      }
    }
    return Measurement.of(
            HANDOFF,
            "Holdfast, polling every " + maxPollInterval.toMillis() + " ms",
            delays.getValueAtPercentile(50) / 1e6,
            "ms, median")
        .atMost(goalMillis);
  }

  /**
   * Returns how long a client waits for a lock that another client of the same service releases,
   * from the acknowledged release to the grant. Some of the services notify who waits.
   */
  public static Measurement handoff(Peer peer, int rounds) throws Exception {
    Histogram delays = new Histogram(3);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (PeerClient holder = peer.connect();
        PeerClient waiter = peer.connect()) {
      for (int round = 0; round < rounds; round++) {
        PeerClient.PeerGrant held = holder.acquire("handoff");
        Future<Long> granted =
            thread.submit(
                () -> {
                  PeerClient.PeerGrant grant = waiter.acquire("handoff");
                  long at = System.nanoTime();
                  grant.release();
                  return at;
                });
        Thread.sleep(PAST_FIRST_POLLS + ThreadLocalRandom.current().nextInt(BETWEEN_RELEASES));
        held.release();
        long released = System.nanoTime();
        delays.recordValue(Math.max(0, granted.get(1, TimeUnit.MINUTES) - released));
      }
    } finally {
      thread.shutdownNow();
    }
    return Measurement.of(
        HANDOFF + ", beside the peers",
        peer.title(),
        delays.getValueAtPercentile(50) / 1e6,
        "ms, median");
  }

  /**
   * Threads acquire and release a lock each, again and again, and the locks linger: in memory, but
   * for the renewals that bring new fencing tokens, and for the pauses that leave the lock to
   * others.
   */
  public static List<Measurement> lingering(
      int threads, double goalPerSecond, int warmUpSeconds, int seconds) throws Exception {
    String scenario =
        threads == 1
            ? "one thread, a lock that lingers"
            : threads + " threads, own locks that linger";
    try (ManagerClient client = new ManagerClient();
        Load load =
            new Load(
                threads,
                number -> () -> client.locks.acquire("linger-" + number, LINGERING).close())) {
      TimeUnit.SECONDS.sleep(warmUpSeconds);
      long requests = client.transport.requests();
      long done = load.done();
      long begin = System.nanoTime();
      TimeUnit.SECONDS.sleep(seconds);
      done = load.done() - done;
      requests = client.transport.requests() - requests;
      double took = (System.nanoTime() - begin) / 1e9;
      load.stop();
      return List.of(
          Measurement.of(scenario, "Holdfast, in one process", done / took, "pairs/s")
              .atLeast(goalPerSecond),
          Measurement.of(
                  scenario, "Holdfast, in one process", requests * 1e3 / done, "requests/1,000")
              .atMost(5));
    }
  }

  /**
   * The same threads and a lock of the JDK that is strictly fair, and does nothing else: what
   * waking one thread after the other allows on this machine.
   */
  public static Measurement fairLockOfTheJdk(int seconds) throws Exception {
    ReentrantLock lock = new ReentrantLock(true);
    double perSecond;
    try (Load load = new Load(THREADS_PER_MANAGER, number -> () -> takeAndGive(lock))) {
      TimeUnit.SECONDS.sleep(1);
      perSecond = load.perSecond(Duration.ofSeconds(seconds));
    }
    return Measurement.of(
        THREADS_PER_MANAGER + " threads on one lock in one manager",
        "ReentrantLock(fair), in memory alone",
        perSecond,
        "handoffs/s");
  }

  @SuppressWarnings("LockNotBeforeTry") // Nothing is done while it is held.
  private static void takeAndGive(ReentrantLock lock) {
    lock.lock();
    lock.unlock();
  }

  /**
   * Threads of one manager, or of several, all want one lock all the time.
   *
   * @param goalPerSecond for one manager
   */
  public static List<Measurement> oneLock(
      int managers, double goalPerSecond, int warmUpSeconds, int seconds) throws Exception {
    String scenario =
        THREADS_PER_MANAGER
            + " threads on one lock in "
            + (managers == 1 ? "one manager" : "each of " + managers + " managers");
    List<ManagerClient> clients = new ArrayList<>();
    List<Load> loads = new ArrayList<>();
    try {
      for (int m = 0; m < managers; m++) {
        ManagerClient client = new ManagerClient();
        clients.add(client);
        loads.add(
            new Load(
                THREADS_PER_MANAGER,
                number -> () -> client.locks.acquire("one-lock", PATIENT).close()));
      }
      TimeUnit.SECONDS.sleep(warmUpSeconds);
      long requests = requests(clients);
      long begin = System.nanoTime();
      long[] last = counts(loads);
      long all = 0;
      double jain = 0;
      for (int second = 0; second < seconds; second++) {
        long next = begin + TimeUnit.SECONDS.toNanos(second + 1);
        for (long left = next - System.nanoTime(); left > 0; left = next - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        long[] now = counts(loads);
        long[] inSecond = new long[managers];
        for (int m = 0; m < managers; m++) {
          inSecond[m] = now[m] - last[m];
          all += inSecond[m];
        }
        jain += jain(inSecond) / seconds;
        last = now;
      }
      double took = (System.nanoTime() - begin) / 1e9;
      requests = requests(clients) - requests;
      List<Measurement> measurements = new ArrayList<>();
      Measurement rate = Measurement.of(scenario, "Holdfast", all / took, "handoffs/s");
      Measurement cost =
          Measurement.of(scenario, "Holdfast", requests * 1e3 / all, "requests/1,000");
      if (managers == 1) {
        measurements.add(rate.atLeast(goalPerSecond));
        measurements.add(cost.atMost(10));
      } else {
        measurements.add(rate);
        measurements.add(cost);
        measurements.add(
            Measurement.of(scenario, "Holdfast", jain, "Jain's index over one second, mean")
                .atLeast(0.9));
      }
      return measurements;
    } finally {
      loads.forEach(Load::stop);
      closeAll(loads, clients);
    }
  }

  /**
   * Jain's index of fairness: 1 if all have the same, 1/n if one has all (Jain, Chiu and Hawe, "A
   * Quantitative Measure of Fairness and Discrimination", DEC-TR-301, 1984). 1 of nothing.
   */
  public static double jain(long[] shares) {
    double sum = 0;
    double squares = 0;
    for (long share : shares) {
      sum += share;
      squares += (double) share * share;
    }
    return squares == 0 ? 1 : sum * sum / (shares.length * squares);
  }

  private static long requests(List<ManagerClient> clients) {
    return clients.stream().mapToLong(client -> client.transport.requests()).sum();
  }

  /** All of them, whatever one of them throws. */
  private static void closeAll(List<Load> loads, List<ManagerClient> clients) throws Exception {
    List<AutoCloseable> all = new ArrayList<>(loads);
    all.addAll(clients);
    @Nullable Exception failure = null;
    for (AutoCloseable each : all) {
      try {
        each.close();
      } catch (Exception e) {
        failure = Load.both(failure, e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static long[] counts(List<Load> loads) {
    return loads.stream().mapToLong(Load::done).toArray();
  }

  /**
   * Latency while operations begin at a fixed rate, whether or not those before have ended, counted
   * from when each was to begin: a stall counts for all that it kept waiting (no coordinated
   * omission; Tene, "How NOT to Measure Latency"). Holdfast and the raw requests take turns.
   */
  public static List<Measurement> atFixedRate(int perSecond, int seconds) throws Exception {
    Histogram holdfast = new SynchronizedHistogram(TimeUnit.MINUTES.toMicros(1), 3);
    Histogram raw = new SynchronizedHistogram(TimeUnit.MINUTES.toMicros(1), 3);
    try (ElasticsearchTransport transport = Server.transport();
        ManagerClient client = new ManagerClient()) {
      ElasticsearchAsyncClient requests = new ElasticsearchAsyncClient(transport);
      client.locks.acquire("warm-up").close();
      int warmUps = 2 * perSecond;
      int operations = warmUps + 2 * perSecond * seconds;
      List<CompletableFuture<?>> all = new ArrayList<>(operations);
      long begin = System.nanoTime();
      for (int i = 0; i < operations; i++) {
        // Both begin perSecond operations each second.
        long due = begin + TimeUnit.SECONDS.toNanos(1) * i / (2L * perSecond);
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        boolean ours = i % 2 == 0;
        String id = "rate-" + i;
        Supplier<CompletableFuture<?>> operation =
            ours
                ? () -> acquireAndRelease(client.locks, id)
                : () -> RawRequests.createAndDelete(requests, id);
        boolean counted = i >= warmUps;
        all.add(
            operation
                .get()
                .thenRun(
                    () -> {
                      if (counted) {
                        (ours ? holdfast : raw).recordValue((System.nanoTime() - due) / MICROS);
                      }
                    }));
      }
      for (CompletableFuture<?> future : all) {
        var unused = future.get();
      }
    }
    String scenario =
        "each second " + perSecond + " acquire+release begin, no coordinated omission";
    List<Measurement> measurements = new ArrayList<>();
    for (double percentile : new double[] {50, 99, 99.9}) {
      String unit = "ms, p" + (percentile == 99.9 ? "99.9" : Integer.toString((int) percentile));
      measurements.add(
          Measurement.of(
              scenario, "Holdfast", holdfast.getValueAtPercentile(percentile) / 1e3, unit));
      measurements.add(
          Measurement.of(
              scenario, "raw requests", raw.getValueAtPercentile(percentile) / 1e3, unit));
    }
    return measurements;
  }

  private static CompletableFuture<?> acquireAndRelease(LockManager locks, String id) {
    return locks
        .acquireAsync(id, LockOptions.defaults())
        .thenCompose(Lease::releaseAsync)
        .thenAccept(
            result -> {
              if (result != ReleaseResult.RELEASED) {
                throw new IllegalStateException("not released: " + result);
              }
            });
  }
}
