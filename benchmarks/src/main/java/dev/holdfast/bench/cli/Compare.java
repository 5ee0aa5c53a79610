package dev.holdfast.bench.cli;

import dev.holdfast.bench.jmh.OwnLocksBenchmark;
import dev.holdfast.bench.peers.Peer;
import dev.holdfast.bench.peers.PeerServers;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.BenchmarkReport;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.bench.scenarios.InterleavedOwnLocks;
import dev.holdfast.bench.scenarios.ManagerScenarios;
import dev.holdfast.bench.scenarios.Paired;
import dev.holdfast.bench.scenarios.ProcessWorker;
import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine;

/**
 * Returns everything in one go: the raw requests, Holdfast, its peers, and the goals that it has.
 */
@CommandLine.Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = {
      "Measures Holdfast, the raw requests and the peers whose servers are there, all in one run,",
      "and writes jmh.json, comparison.md and comparison.html. About 17 minutes, and 15 for each",
      "round; --quick about 4."
    })
final class Compare implements Callable<Integer> {
  private static final String GARBAGE = "gc.alloc.rate.norm";
  private static final String PER_SECOND = "acquire+release/s";

  private static final List<String> ALL =
      List.of(
          "PeersBenchmark.ownLocks",
          "PeersBenchmark.oneLock",
          "PeersBenchmark.uncontended",
          "FailFastBenchmark.heldHere",
          "UncontendedBenchmark.acquireAndRelease",
          "UncontendedBenchmark.rawCreateAndDelete");

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  /** Strict order allows so much of what a lock of the JDK does in strict order. */
  private static final double OF_A_FAIR_LOCK = 0.9;

  @CommandLine.Option(
      names = "--out",
      defaultValue = "benchmark-results",
      description = "The directory for the results (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of("benchmark-results");

  @CommandLine.Option(
      names = "--quick",
      description = "All of it briefly, to see that it runs; the figures are worth little.")
  private boolean quick;

  @CommandLine.Option(
      names = "--rounds",
      defaultValue = "2",
      description =
          "How many times JMH's benchmarks run, interleaved; their medians count (default:"
              + " ${DEFAULT-VALUE}).")
  private int rounds;

  @CommandLine.Option(names = "--no-peers", description = "Holdfast and the raw requests alone.")
  private boolean noPeers;

  @CommandLine.Option(names = "--no-three-nodes", description = "No cluster of three nodes.")
  private boolean noThreeNodes;

  private final long begin = System.nanoTime();
  private final List<Measurement> measurements = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final List<RunResult> runs = new ArrayList<>();
  private final Set<String> leftOut = new LinkedHashSet<>();

  @Override
  public Integer call() throws Exception {
    if (rounds < 1 || rounds > 20) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--rounds must be from 1 to 20, but is " + rounds);
    }
    Files.createDirectories(out);
    progress("starting an Elasticsearch node" + (noPeers ? "" : " and the peers' servers"));
    try (ElasticsearchNode node = Server.node().start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      oneNode();
    }
    if (!noThreeNodes) {
      threeNodes();
    }
    ResultFormatFactory.getInstance(ResultFormatType.JSON, out.resolve("jmh.json").toString())
        .writeOut(runs);
    leftOut.forEach(reason -> notes.add("left out: " + reason));
    BenchmarkReport report = new BenchmarkReport(measurements, notes);
    String table = report.markdown();
    Files.writeString(out.resolve("comparison.md"), table);
    Files.writeString(out.resolve("comparison.html"), report.html());
    System.out.println("\n" + table);
    progress("written to " + out + ": jmh.json, comparison.md, comparison.html");
    return 0;
  }

  private void oneNode() throws Exception {
    progress("uncontended, interleaved with the raw requests");
    Paired paired =
        new Paired(Duration.ofSeconds(quick ? 3 : 60), Duration.ofSeconds(quick ? 5 : 40));
    measurements.addAll(paired.measure());
    ownLocks("one node", 2);
    progress("one lock: 1 manager, then 2");
    Measurement fair = ManagerScenarios.fairLockOfTheJdk(quick ? 1 : 4);
    measurements.addAll(
        ManagerScenarios.oneLock(1, OF_A_FAIR_LOCK * fair.value(), quick ? 2 : 30, quick ? 3 : 10));
    measurements.add(fair);
    measurements.addAll(ManagerScenarios.oneLock(2, 0, quick ? 2 : 20, quick ? 3 : 10));
    progress("one lock: processes");
    measurements.addAll(ProcessWorker.measure(4, quick ? 3 : 10));
    progress("waiting");
    measurements.add(ManagerScenarios.waiting(quick ? 3 : 10));
    measurements.add(
        ManagerScenarios.grantAfterRelease(quick ? 1 : 10, Duration.ofMillis(104), 60));
    measurements.add(ManagerScenarios.grantAfterRelease(quick ? 1 : 10, Duration.ofMillis(10), 8));
    measurements.addAll(ManagerScenarios.lingering(1, 300_000, quick ? 2 : 10, quick ? 2 : 10));
    measurements.addAll(
        ManagerScenarios.lingering(
            OwnLocksBenchmark.THREADS, 500_000, quick ? 2 : 10, quick ? 2 : 10));
    progress("held leases");
    measurements.addAll(ManagerScenarios.held(ManagerScenarios.LEASES, quick ? 1 : 3));
    if (!quick) {
      measurements.addAll(ManagerScenarios.held(10 * ManagerScenarios.LEASES, 3));
    }
    progress("a fixed rate");
    measurements.addAll(ManagerScenarios.atFixedRate(50, quick ? 3 : 20));
    try (PeerServers servers = noPeers ? null : PeerServers.start()) {
      Map<Peer, String> addresses = servers == null ? Map.of() : servers.addresses();
      leftOut.addAll(servers == null ? List.of("all peers: --no-peers") : servers.leftOut());
      leftOut.forEach(reason -> System.out.println("left out: " + reason));
      handoff(addresses);
      jmh(addresses);
      figuresOf(runs);
      for (Peer peer : Peer.values()) {
        if (peer == Peer.HOLDFAST || addresses.containsKey(peer)) {
          notes.add(peer.title() + ": " + peer.promises());
        }
      }
    }
  }

  /** From one client to another of the same service: those that notify, beside one that polls. */
  private void handoff(Map<Peer, String> addresses) throws Exception {
    progress("a lock that another process waits for, beside the peers");
    addresses.forEach((peer, address) -> System.setProperty(peer.property(), address));
    for (Peer peer : List.of(Peer.HOLDFAST, Peer.CURATOR, Peer.ETCD, Peer.REDIS)) {
      if (peer == Peer.HOLDFAST || addresses.containsKey(peer)) {
        measurements.add(ManagerScenarios.handoff(peer, quick ? 5 : 50));
      }
    }
  }

  private void threeNodes() throws Exception {
    progress("starting three Elasticsearch nodes");
    try (Cluster<ElasticsearchNode> cluster =
        Cluster.builder(ElasticsearchVersion.V8)
            .size(3)
            .heapMebibytes(768)
            .setting(Server.BREAKER_COUNTS_GARBAGE, "false")
            .start()) {
      System.setProperty(Server.URL_PROPERTY, cluster.httpUris().get(0).toString());
      try (ManagerScenarios.ManagerClient client = new ManagerScenarios.ManagerClient()) {
        client.locks.acquire("warm-up").close();
      }
      cluster.awaitGreen(Duration.ofMinutes(1));
      ownLocks("three nodes, two replicas", 5);
    }
  }

  private void figuresOf(Collection<RunResult> results) {
    double own = median(results, "PeersBenchmark.ownLocks", "holdfast");
    double one = median(results, "PeersBenchmark.oneLock", "holdfast");
    for (Peer peer : Peer.values()) {
      String name = name(peer);
      Measurement latency =
          Measurement.of(
              "uncontended acquire+release",
              peer.title(),
              percentile(results, "PeersBenchmark.uncontended", name, 50) / 1e3,
              "ms, p50");
      if (Double.isNaN(latency.value())) {
        continue;
      }
      measurements.add(latency);
      measurements.add(
          Measurement.of(
              InterleavedOwnLocks.SCENARIO + ", beside the peers",
              peer.title(),
              median(results, "PeersBenchmark.ownLocks", name),
              PER_SECOND));
      measurements.add(
          Measurement.of(
              "16 threads on one lock, beside the peers",
              peer.title(),
              median(results, "PeersBenchmark.oneLock", name),
              PER_SECOND));
    }
    for (Peer peer : List.of(Peer.CURATOR, Peer.ETCD, Peer.DYNAMODB)) {
      double others = median(results, "PeersBenchmark.ownLocks", name(peer));
      if (!Double.isNaN(others)) {
        String subject = "Holdfast / " + peer.title();
        measurements.add(
            Measurement.of(InterleavedOwnLocks.SCENARIO, subject, own / others, "times")
                .atLeast(1));
        measurements.add(
            Measurement.of(
                    "16 threads on one lock",
                    subject,
                    one / median(results, "PeersBenchmark.oneLock", name(peer)),
                    "times")
                .atLeast(50));
      }
    }
    measurements.add(
        Measurement.of(
                "fail-fast on a lock held in the same manager",
                "Holdfast",
                median(results, "FailFastBenchmark.heldHere", null),
                "calls/s")
            .atLeast(1_000_000));
    for (String benchmark :
        List.of(
            "UncontendedBenchmark.acquireAndRelease", "UncontendedBenchmark.rawCreateAndDelete")) {
      measurements.add(
          Measurement.of(
              "garbage, uncontended acquire+release",
              benchmark.endsWith("rawCreateAndDelete") ? "raw requests" : "Holdfast",
              garbage(results, benchmark),
              "bytes/operation"));
    }
  }

  /** On the node or cluster that is up. */
  private void ownLocks(String where, double timesOneByOne) throws Exception {
    String scenario = InterleavedOwnLocks.SCENARIO + ", " + where;
    progress(scenario + ", interleaved with the raw requests");
    InterleavedOwnLocks interleaved = new InterleavedOwnLocks();
    List<InterleavedOwnLocks.Turn> turns =
        quick
            ? interleaved.measure(1, 2, Duration.ofSeconds(1))
            : interleaved.measure(
                InterleavedOwnLocks.WARM_UP_TURNS,
                InterleavedOwnLocks.TURNS,
                InterleavedOwnLocks.EACH);
    measurements.addAll(InterleavedOwnLocks.measurements(scenario, turns, timesOneByOne));
  }

  /** Runs JMH's benchmarks, in as many rounds as wanted, so that a slow minute hits all alike. */
  private void jmh(Map<Peer, String> addresses) throws RunnerException {
    int times = quick ? 1 : rounds;
    for (int round = 1; round <= times; round++) {
      for (String benchmark : ALL) {
        List<Peer> subjects = new ArrayList<>(List.of(Peer.HOLDFAST));
        if (benchmark.startsWith("PeersBenchmark")) {
          subjects.addAll(addresses.keySet());
        }
        for (Peer subject : subjects) {
          progress("JMH, round %d of %d: %s, %s".formatted(round, times, benchmark, name(subject)));
          runs.addAll(run(addresses, benchmark, subject));
        }
      }
    }
  }

  private Collection<RunResult> run(Map<Peer, String> addresses, String benchmark, Peer subject)
      throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("\\." + benchmark + "$")
            .forks(1)
            .warmupIterations(1)
            .warmupTime(TimeValue.seconds(quick ? 1 : warmUpSeconds(benchmark)))
            .measurementIterations(quick ? 1 : 3)
            .measurementTime(TimeValue.seconds(quick ? 1 : 4))
            .addProfiler(GCProfiler.class)
            .param("peer", name(subject))
            .jvmArgsAppend(properties(addresses))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT);
    try {
      return new Runner(options.build()).run();
    } catch (RunnerException e) {
      if (subject == Peer.HOLDFAST) {
        throw e;
      }
      // One peer's trouble is no reason to have no figures.
      leftOut.add(subject.title() + ", " + benchmark + ": failed, " + rootMessage(e));
      return List.of();
    }
  }

  /**
   * Returns where many threads share the processors with a server, compilers get little of them:
   * their rates rise for most of a minute.
   */
  private static int warmUpSeconds(String benchmark) {
    return benchmark.endsWith("ownLocks") || benchmark.endsWith("oneLock") ? 45 : 10;
  }

  private static String rootMessage(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.toString();
  }

  private static String[] properties(Map<Peer, String> addresses) {
    List<String> arguments =
        new ArrayList<>(List.of("-D" + Server.URL_PROPERTY + "=" + Server.url()));
    addresses.forEach((peer, address) -> arguments.add("-D" + peer.property() + "=" + address));
    return arguments.toArray(String[]::new);
  }

  private static String name(Peer peer) {
    return peer.name().toLowerCase(Locale.ROOT);
  }

  private static List<RunResult> of(
      Collection<RunResult> results, String benchmark, @Nullable String peer) {
    return results.stream()
        .filter(run -> run.getParams().getBenchmark().endsWith("." + benchmark))
        .filter(run -> peer == null || peer.equals(run.getParams().getParam("peer")))
        .toList();
  }

  /** The median of the rounds' scores; not a number if it was not run. */
  private static double median(
      Collection<RunResult> results, String benchmark, @Nullable String peer) {
    return Measurement.median(
        of(results, benchmark, peer).stream()
            .mapToDouble(run -> run.getPrimaryResult().getScore())
            .toArray());
  }

  private static double percentile(
      Collection<RunResult> results, String benchmark, String peer, double percentile) {
    return Measurement.median(
        of(results, benchmark, peer).stream()
            .mapToDouble(run -> run.getPrimaryResult().getStatistics().getPercentile(percentile))
            .toArray());
  }

  private static double garbage(Collection<RunResult> results, String benchmark) {
    return Measurement.median(
        of(results, benchmark, null).stream()
            .filter(run -> run.getSecondaryResults().containsKey(GARBAGE))
            .mapToDouble(run -> run.getSecondaryResults().get(GARBAGE).getScore())
            .toArray());
  }

  private void progress(String what) {
    System.out.printf(
        "[%4d s] %s%n", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin), what);
  }
}
