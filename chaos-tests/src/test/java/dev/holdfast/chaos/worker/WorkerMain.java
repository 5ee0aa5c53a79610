package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import dev.holdfast.cluster.Transports;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.HistoryWriter.Recorder;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.LeaderElection;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.OnLeaseLost;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * One or more clients of Holdfast in a process of their own. They take locks, use and release them
 * until standard input ends, so that the process never outlives the test, and obey the commands
 * that come there; all they do goes into a history of their own. Reports its progress five times a
 * second.
 */
public final class WorkerMain {

  /** The status EX_SOFTWARE of sysexits.h. */
  private static final int UNEXPECTED = 70;

  /** Of writes to what the locks protect: longer than a slow write, shorter than a run. */
  private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(5);

  private static final long SETTLE_MILLIS = 30_000;
  private static final long STEP_MILLIS = 150;

  /** Two between any two renewals, of which there are three in each TTL. */
  private static final int BELIEFS_PER_TTL = 6;

  private static final int LEASE_THREADS = 8;

  /** Between two looks at what this process uses, each of which stops it for some 20 ms. */
  private static final long RESOURCES_MILLIS = 5_000;

  /** Of how many acquisitions of a cycler one is a look at what others hold for long. */
  private static final int LOOKS = 4;

  /** Whose leader there is one of, among all workers. */
  private static final String ELECTION = "e0";

  private final WorkerSpec spec;
  private final Workload workload;
  private final WorkerProgress progress = WorkerProgress.none();
  private final CountDownLatch stop = new CountDownLatch(1);
  private final WorkerClock clock;
  private final @Nullable BoundedExecutor executor;

  private WorkerMain(WorkerSpec spec) {
    this.spec = spec;
    this.workload = spec.workload();
    this.clock = new WorkerClock(spec.wallOffsetMillis());
    int size = workload.environment().callbackThreads();
    this.executor = size == 0 ? null : new BoundedExecutor(size, progress.rejectedTasks());
  }

  /** Runs a worker; its only argument is a {@link WorkerSpec} as JSON. */
  public static void main(String[] arguments) throws Exception {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> {
          failure.printStackTrace();
          Runtime.getRuntime().halt(UNEXPECTED); // the test is to notice
        });
    new WorkerMain(WorkerSpec.parse(arguments[0])).run();
    System.exit(0);
  }

  private void run() throws Exception {
    List<AutoCloseable> open = new ArrayList<>();
    HistoryWriter history =
        HistoryWriter.create(
            Path.of(spec.history()), System::nanoTime, spec.number(), spec.writers());
    ElasticsearchClient elasticsearch =
        new ElasticsearchClient(Transports.open(spec.resourceUrls(), RESPONSE_TIMEOUT));
    Resource resource =
        new Resource(elasticsearch, spec.names(), workload.defect() != Defect.UNFENCED_WRITES);
    List<LockManager> managers = new ArrayList<>();
    List<RecordingClient> clients = new ArrayList<>();
    for (int i = 0; i < workload.managers(); i++) {
      String name = workload.managers() == 1 ? spec.client() : spec.client() + "." + (i + 1);
      LockManager manager = manager(name, open);
      managers.add(manager);
      LockClient lockClient = lockClient(manager, elasticsearch);
      clients.add(
          new RecordingClient(
              name, lockClient, resource, history, workload.rules().ttlMillis(), progress));
    }
    List<Thread> threads = start(clients, history);
    List<AutoCloseable> candidates = new ArrayList<>();
    if (isCandidate()) {
      candidates.add(campaign(clients.get(0), managers.get(0), history.recorder()));
    }
    start("status", this::tellStatus);
    obey();
    stop.countDown();
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SETTLE_MILLIS);
    for (Thread thread : threads) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      thread.join(Math.max(1, left));
    }
    for (AutoCloseable each : candidates) {
      each.close();
    }
    for (AutoCloseable each : open) {
      each.close();
    }
  }

  private boolean isCandidate() {
    return switch (workload.election()) {
      case NONE -> false;
      case TERMS -> workload.defect() == Defect.NONE;
      case UNTIL_LOST -> true;
    };
  }

  private LockManager manager(String name, List<AutoCloseable> open) {
    List<String> urls = spec.lockUrls().stream().map(Object::toString).toList();
    if (workload.environment().springBoot()) {
      ConfigurableApplicationContext application =
          BootApplication.start(spec.names(), urls, builder -> configure(builder, name));
      open.add(application);
      return application.getBean(LockManager.class);
    }
    ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(urls.toArray(String[]::new))
            .indexNames(spec.names().lockIndex(), spec.names().lockAlias())
            .build();
    LockManager.Builder builder = LockManager.builder(store);
    configure(builder, name);
    LockManager manager = builder.build();
    open.add(manager);
    open.add(store);
    return manager;
  }

  private void configure(LockManager.Builder builder, String name) {
    builder
        .owner(name)
        .calendarTakeover(workload.rules().calendar())
        .maxClockSkew(Duration.ofMillis(workload.rules().skewMillis()))
        .wallClock(clock::instant);
    if (workload.environment().clocks()) {
      builder.ticker(clock::nanos);
    }
    if (workload.defect() == Defect.NO_CLOCK_MARGIN) {
      builder.maxClockDrift(0).maxClockSkew(Duration.ZERO);
    }
    if (executor != null) {
      builder.callbackExecutor(executor).listener(new LockListener() {}); // so that it has tasks
    }
  }

  private LockClient lockClient(LockManager manager, ElasticsearchClient elasticsearch) {
    Duration ttl = ttl();
    LockClient good = new LockClient.OfManager(manager, ttl, workload.rules().lingering(), clock);
    return workload.defect() == Defect.NONE
        ? good
        : new BrokenLockClient(
            workload.defect(), good, elasticsearch, spec.names().lockAlias(), ttl);
  }

  private interface WorkerTask {
    void run() throws InterruptedException;
  }

  private List<Thread> start(List<RecordingClient> clients, HistoryWriter history) {
    SplittableRandom seeds = new SplittableRandom(spec.seed());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < workload.cyclers().threads(); i++) {
      RecordingClient client = clients.get(i % clients.size());
      SplittableRandom random = seeds.split();
      Recorder recorder = history.recorder();
      threads.add(start("cycler-" + i, () -> cycle(client, recorder, random)));
    }
    for (int i = 0; i < workload.holders().threads(); i++) {
      RecordingClient client = clients.get(i % clients.size());
      SplittableRandom random = seeds.split();
      Recorder recorder = history.recorder();
      threads.add(start("holder-" + i, () -> hold(client, recorder, random)));
    }
    for (int i = 0; i < workload.lingerers(); i++) {
      String lock = lingeringLock(spec.client(), i);
      SplittableRandom random = seeds.split();
      Recorder recorder = history.recorder();
      threads.add(start("lingerer-" + i, () -> linger(clients.get(0), recorder, lock, random)));
    }
    for (int i = 0; i < LEASE_THREADS && workload.leases() > 0; i++) {
      int first = i;
      Recorder recorder = history.recorder();
      threads.add(start("leases-" + i, () -> keepMany(clients.get(0), recorder, first)));
    }
    Recorder recorder = history.recorder();
    start("beliefs", () -> recordBeliefs(clients, recorder));
    start("resources", () -> recordResources(history));
    return threads;
  }

  private static Thread start(String name, WorkerTask task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private boolean stopsWithin(long millis) throws InterruptedException {
    return stop.await(millis, TimeUnit.MILLISECONDS);
  }

  private Duration wait(SplittableRandom random) {
    long atMost = workload.rules().waitMillis();
    return atMost == 0 || random.nextInt(4) == 0
        ? Duration.ZERO
        : Duration.ofMillis(random.nextLong(atMost));
  }

  /**
   * Takes a lock, uses it for a moment, and releases it. Looks now and then whether one of the
   * locks that are held for long is free, so that those are contended too.
   */
  private void cycle(RecordingClient client, Recorder recorder, SplittableRandom random)
      throws InterruptedException {
    Workload.Cyclers cyclers = workload.cyclers();
    while (!stopsWithin(1 + random.nextLong(2 * cyclers.thinkMillis()))) {
      boolean looks = workload.holders().threads() > 0 && random.nextInt(LOOKS) == 0;
      String lock = looks ? held(random) : "a" + random.nextInt(cyclers.locks());
      Duration wait = looks ? Duration.ZERO : wait(random);
      Optional<RecordingClient.RecordedLock> granted = client.acquire(recorder, lock, wait, true);
      if (granted.isPresent()) {
        switch (random.nextInt(3)) {
          case 0 -> granted.get().write(recorder);
          case 1 -> granted.get().increment(recorder);
          default -> {}
        }
        granted.get().release(recorder);
      }
    }
  }

  /** Returns one of the locks that are held for long, or linger in another client. */
  private String held(SplittableRandom random) {
    if (workload.lingerers() > 0) {
      String other = "c" + (1 + random.nextInt(Workload.CLIENTS));
      if (!other.equals(spec.client())) {
        return lingeringLock(other, random.nextInt(workload.lingerers()));
      }
    }
    return "h" + random.nextInt(workload.holders().locks());
  }

  private static String lingeringLock(String client, int number) {
    return LockClient.OfManager.LINGERING + client + "-" + number;
  }

  /**
   * Takes a lock that nobody else in this client wants, uses it for a moment and releases it, and
   * comes back for it before it has lingered for long.
   */
  private void linger(
      RecordingClient client, Recorder recorder, String lock, SplittableRandom random)
      throws InterruptedException {
    long atMost = LockClient.OfManager.linger(ttl()).toMillis() / 2;
    while (!stopsWithin(1 + random.nextLong(atMost))) {
      Optional<RecordingClient.RecordedLock> granted =
          client.acquire(recorder, lock, wait(random), true);
      if (granted.isPresent()) {
        if (random.nextInt(LOOKS) == 0) {
          granted.get().write(recorder);
        }
        granted.get().release(recorder);
      }
    }
  }

  private Duration ttl() {
    return Duration.ofMillis(workload.rules().ttlMillis());
  }

  /**
   * Holds a lock for long, using it all the while. Half of the time the lease is not renewed, and
   * used until it says that it is over; but the first lock may be {@linkplain
   * Workload.Holders#firstIsKept kept}. A client that has lost a lock tries to use it once more, to
   * verify that this does no harm.
   */
  private void hold(RecordingClient client, Recorder recorder, SplittableRandom random)
      throws InterruptedException {
    Workload.Holders holders = workload.holders();
    while (!stopsWithin(1 + random.nextLong(STEP_MILLIS))) {
      int number = random.nextInt(holders.locks());
      String lock = "h" + number;
      boolean kept = number == 0 && holders.firstIsKept();
      boolean renewed = kept || random.nextBoolean();
      Optional<RecordingClient.RecordedLock> granted =
          client.acquire(recorder, lock, wait(random), renewed);
      if (granted.isPresent()) {
        RecordingClient.RecordedLock held = granted.get();
        long holdMillis =
            renewed ? 1 + random.nextLong(holders.holdMillis()) : 2 * holders.holdMillis();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(holdMillis);
        boolean over = false;
        while (held.isHeld() && !over) {
          if (random.nextBoolean()) {
            held.write(recorder);
          } else {
            held.increment(recorder);
          }
          over = stopsWithin(STEP_MILLIS) || (!kept && System.nanoTime() - until > 0);
        }
        if (!held.isHeld()) {
          stopsWithin(workload.rules().ttlMillis() / 2); // notices late, as busy code does
          held.write(recorder);
          held.renew(recorder);
        }
        held.release(recorder);
      }
    }
  }

  /** Holds a thread's share of many locks until the end; what it loses it takes again. */
  private void keepMany(RecordingClient client, Recorder recorder, int first)
      throws InterruptedException {
    RecordingClient.RecordedLock[] held = new RecordingClient.RecordedLock[workload.leases()];
    while (stop.getCount() > 0) {
      for (int i = first; i < held.length && stop.getCount() > 0; i += LEASE_THREADS) {
        RecordingClient.RecordedLock each = held[i];
        if (each != null && !each.isHeld()) {
          progress.leases(-1);
          each.release(recorder);
          held[i] = null;
        }
        if (held[i] == null) {
          String lock = "m" + spec.client() + "-" + i;
          held[i] = client.acquire(recorder, lock, Duration.ZERO, true).orElse(null);
          progress.leases(held[i] == null ? 0 : 1);
        }
      }
      stopsWithin(STEP_MILLIS);
    }
    for (RecordingClient.RecordedLock each : held) {
      if (each != null) {
        each.release(recorder);
      }
    }
  }

  /** Is a candidate, and uses the lock while it leads; steps down after a while. */
  private AutoCloseable campaign(RecordingClient client, LockManager manager, Recorder recorder) {
    SplittableRandom random = new SplittableRandom(spec.seed() ^ ELECTION.hashCode());
    Duration ttl = ttl();
    RecordingClient.Campaign campaign = client.campaign(recorder, ELECTION);
    LeaderElection election =
        LeaderElection.builder(manager, ELECTION)
            .options(LockOptions.defaults().withTtl(ttl).withOnLeaseLost(OnLeaseLost.NOTIFY))
            .pauseAfterYield(ttl.dividedBy(2))
            .onElected(lease -> lead(campaign, lease, recorder, random))
            .build();
    election.start();
    return () -> {
      election.close();
      campaign.over();
    };
  }

  private void lead(
      RecordingClient.Campaign campaign, Lease lease, Recorder recorder, SplittableRandom random)
      throws InterruptedException {
    HeldLock held = new HeldLock.OfLease(lease, clock);
    RecordingClient.RecordedLock mine =
        campaign.elected(
            workload.defect() == Defect.LEADER_IGNORES_LOSS
                ? new BrokenLockClient.Careless(held)
                : held);
    long term = 1 + random.nextLong(2 * workload.rules().ttlMillis());
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(term);
    boolean stepsDown = workload.election() == Workload.Election.TERMS;
    do {
      if (random.nextBoolean()) {
        mine.write(recorder);
      } else {
        mine.increment(recorder);
      }
    } while (!stopsWithin(STEP_MILLIS)
        && mine.isHeld()
        && !(stepsDown && System.nanoTime() - until > 0));
    campaign.leaves(mine);
  }

  private void recordBeliefs(List<RecordingClient> clients, Recorder recorder)
      throws InterruptedException {
    do {
      clients.forEach(client -> client.recordBeliefs(recorder));
    } while (!stopsWithin(Math.min(1_000, workload.rules().ttlMillis() / BELIEFS_PER_TTL)));
  }

  private void recordResources(HistoryWriter history) throws InterruptedException {
    while (!stopsWithin(RESOURCES_MILLIS)) {
      history.notice(Vocabulary.RESOURCES, ResourceUse.now(spec.client()));
    }
  }

  private void tellStatus() throws InterruptedException {
    do {
      progress.clockOffMillis().set(clock.offMillis());
      System.out.println(progress.line());
    } while (!stopsWithin(WorkerProcess.STATUS_MILLIS));
  }

  /** Carries out commands until there is no more input. */
  private void obey() throws IOException {
    try (BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        String[] words = line.split(" ", 2);
        switch (words[0]) {
          case WorkerProcess.SLEW -> clock.slew(Long.parseLong(words[1]));
          case WorkerProcess.STARVE -> executor().starve();
          case WorkerProcess.FEED -> executor().feed();
          default -> throw new IllegalArgumentException("no such command: " + line);
        }
      }
    }
  }

  private BoundedExecutor executor() {
    return Objects.requireNonNull(executor, "the workload has no executor");
  }
}
