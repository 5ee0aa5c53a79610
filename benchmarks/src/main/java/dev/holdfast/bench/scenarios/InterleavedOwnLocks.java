package dev.holdfast.bench.scenarios;

import dev.holdfast.bench.jmh.OwnLocksBenchmark;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.BenchmarkReport;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.cluster.ElasticsearchNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * {@link OwnLocksBenchmark} for its ratios: Holdfast and the raw requests have the server for some
 * seconds each, interleaved, and what counts is the median of the turns' ratios, which is not the
 * ratio of the median rates. The speed of a shared machine changes by half within minutes, so that
 * ratios of JMH's own runs, which follow one another, tell as much of the minute. Every second turn
 * goes the other way round, as each may leave the node some work that its successor then pays for.
 */
@CommandLine.Command(
    name = "own-locks",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = {
      "64 threads on own locks, and raw requests: in bulks, in bulks in one piece,",
      "and one by one; 3 s each, interleaved, on a node of its own. Their rates and",
      "ratios, and the processor time that each pair takes. About 7 minutes."
    })
public final class InterleavedOwnLocks implements Callable<Integer> {
  public static final String SCENARIO = OwnLocksBenchmark.THREADS + " threads on own locks";

  public static final int WARM_UP_TURNS = 10;
  public static final int TURNS = 12;

  /** The time for which each has the server in a turn. */
  public static final Duration EACH = Duration.ofSeconds(3);

  /** Holdfast on two kinds of connections, and three kinds of raw requests. */
  private static final int SUBJECTS = 5;

  /** Until all threads of a subject are under way. */
  private static final Duration RAMP = Duration.ofMillis(500);

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--turns",
      defaultValue = "" + TURNS,
      description =
          "How many turns count, after "
              + WARM_UP_TURNS
              + " to warm up (default: ${DEFAULT-VALUE}).")
  private int turns = TURNS;

  private final OwnLocksBenchmark benchmark = new OwnLocksBenchmark();
  private final OwnLocksBenchmark.Holdfast holdfast = new OwnLocksBenchmark.Holdfast();
  private final OwnLocksBenchmark.Holdfast own = new OwnLocksBenchmark.Holdfast("own");
  private final OwnLocksBenchmark.Batch batch = new OwnLocksBenchmark.Batch();
  private final List<OwnLocksBenchmark.Own> threads =
      Stream.generate(OwnLocksBenchmark.Own::new).limit(OwnLocksBenchmark.THREADS).toList();

  /** The node's process; null if its processor time is not to be measured. */
  private @Nullable ProcessHandle server;

  private final List<ProcessorTime> processorTimes =
      Stream.of(
              "Holdfast",
              "Holdfast, own connections",
              "raw _bulk of 32, two at a time",
              "raw _bulk of 32 in one piece",
              "raw requests, one by one")
          .map(ProcessorTime::new)
          .toList();

  /** Acquire+release per second in one turn. */
  public record Turn(
      double holdfast, double own, double rawBulk, double rawBulkInOnePiece, double rawOneByOne) {}

  /** One operation of a thread, which repeats it. */
  private interface Subject {
    Object callAs(OwnLocksBenchmark.Own own) throws Exception;
  }

  @Override
  public Integer call() throws Exception {
    if (turns < 1 || turns > 1_000) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--turns must be from 1 to 1,000, but is " + turns);
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node = Server.node().start()) {
      System.setProperty(Server.URL_PROPERTY, node.httpUri().toString());
      System.out.printf("%d turns to warm up, then %d that count%n", WARM_UP_TURNS, turns);
      server = ProcessHandle.of(node.serverPid()).orElseThrow();
      List<Measurement> measurements =
          new ArrayList<>(measurements(SCENARIO, measure(WARM_UP_TURNS, turns, EACH), 2));
      processorTimes.forEach(time -> measurements.addAll(time.measurements()));
      System.out.print(new BenchmarkReport(measurements, List.of()).markdown());
    }
    return 0;
  }

  /**
   * Measures on the server of {@link Server#url}.
   *
   * @param warmUp how many turns come before those that count, 0 or more
   * @param turns how many count, 1 or more
   * @param each how long each of the four has the server in a turn
   */
  public List<Turn> measure(int warmUp, int turns, Duration each) throws Exception {
    benchmark.connect();
    try {
      holdfast.connect(benchmark);
      own.connect(benchmark);
      try {
        List<Turn> all = new ArrayList<>(warmUp + turns);
        for (int turn = 0; turn < warmUp + turns; turn++) {
          if (turn == warmUp) {
            processorTimes.forEach(ProcessorTime::clear);
          }
          Turn rates = turn(turn % 2 == 1, each);
          all.add(rates);
          System.out.printf(
              "%s %d: Holdfast %,.0f/s, on own connections %,.0f/s, raw bulk %,.0f/s, in one piece %,.0f/s, one by one"
                  + " %,.0f/s%n",
              turn < warmUp ? "warm-up" : "turn",
              turn < warmUp ? turn + 1 : turn - warmUp + 1,
              rates.holdfast,
              rates.own,
              rates.rawBulk,
              rates.rawBulkInOnePiece,
              rates.rawOneByOne);
        }
        return all.subList(warmUp, all.size());
      } finally {
        own.disconnect();
        holdfast.disconnect();
      }
    } finally {
      benchmark.disconnect();
    }
  }

  private Turn turn(boolean reversed, Duration each) throws Exception {
    double[] rates = new double[SUBJECTS];
    for (int i = 0; i < SUBJECTS; i++) {
      int subject = reversed ? SUBJECTS - 1 - i : i;
      rates[subject] = perSecond(subject, each);
    }
    return new Turn(rates[0], rates[1], rates[2], rates[3], rates[4]);
  }

  private double perSecond(int subject, Duration each) throws Exception {
    int crowd = OwnLocksBenchmark.THREADS;
    int operations = OwnLocksBenchmark.PER_INVOCATION;
    ProcessorTime time = processorTimes.get(subject);
    return switch (subject) {
      case 0 ->
          operations(crowd, 1, thread -> benchmark.acquireAndRelease(thread, holdfast), each, time);
      case 1 ->
          operations(crowd, 1, thread -> benchmark.acquireAndRelease(thread, own), each, time);
      case 2 -> operations(2, operations, thread -> benchmark.rawBulk(thread, batch), each, time);
      case 3 ->
          operations(
              2, operations, thread -> benchmark.rawBulkInOnePiece(thread, batch), each, time);
      default -> operations(crowd, 1, benchmark::rawOneByOne, each, time);
    };
  }

  /** Returns how many operations that many threads make in a second, each so many in a call. */
  private double operations(
      int threadCount, int inACall, Subject subject, Duration each, ProcessorTime time)
      throws Exception {
    try (Load load = new Load(threadCount, number -> () -> subject.callAs(threads.get(number)))) {
      Thread.sleep(RAMP.toMillis());
      ProcessorTime.Reading begin = ProcessorTime.read(server);
      double perSecond = inACall * load.perSecond(each);
      time.add(
          ProcessorTime.read(server).since(begin), Math.round(perSecond * each.toMillis() / 1e3));
      return perSecond;
    }
  }

  /**
   * Returns what those turns come to.
   *
   * @param timesOneByOne how many times as fast as one request per operation it should be
   */
  public static List<Measurement> measurements(
      String scenario, List<Turn> turns, double timesOneByOne) {
    String rate = "acquire+release/s";
    double[] ofBulk = turns.stream().mapToDouble(t -> t.holdfast / t.rawBulk).sorted().toArray();
    String bulk = "Holdfast / raw _bulk";
    return List.of(
        Measurement.of(scenario, "Holdfast", median(turns, Turn::holdfast), rate),
        Measurement.of(scenario, "Holdfast, own connections", median(turns, Turn::own), rate),
        Measurement.of(
            scenario, "raw requests, one by one", median(turns, Turn::rawOneByOne), rate),
        Measurement.of(
            scenario, "raw _bulk of 32, two at a time", median(turns, Turn::rawBulk), rate),
        Measurement.of(
            scenario, "raw _bulk of 32 in one piece", median(turns, Turn::rawBulkInOnePiece), rate),
        Measurement.of(scenario, bulk, Measurement.median(ofBulk), "times, median turn")
            .atLeast(0.85),
        Measurement.of(scenario, bulk, ofBulk[0], "times, lowest turn"),
        Measurement.of(scenario, bulk, ofBulk[ofBulk.length - 1], "times, highest turn"),
        Measurement.of(
            scenario,
            "Holdfast / raw _bulk in one piece",
            median(turns, t -> t.holdfast / t.rawBulkInOnePiece),
            "times, median turn"),
        Measurement.of(
            scenario,
            "Holdfast, own connections / raw _bulk in one piece",
            median(turns, t -> t.own / t.rawBulkInOnePiece),
            "times, median turn"),
        Measurement.of(
                scenario,
                "Holdfast / one by one",
                median(turns, t -> t.holdfast / t.rawOneByOne),
                "times, median turn")
            .atLeast(timesOneByOne));
  }

  private static double median(List<Turn> turns, ToDoubleFunction<Turn> value) {
    return Measurement.median(turns.stream().mapToDouble(value).toArray());
  }
}
