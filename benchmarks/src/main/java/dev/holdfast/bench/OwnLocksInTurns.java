package dev.holdfast.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * {@link OwnLocksBenchmark} for its ratios: Holdfast and the raw requests have the server for some
 * seconds each, in turn, and what counts is the median of the turns' ratios, which is not the ratio
 * of the median rates. The speed of a shared machine changes by half within minutes, so that ratios
 * of JMH's own runs, which follow one another, tell as much of the minute. Every second turn goes
 * the other way round, as each may leave the node some work that its successor then pays for.
 */
final class OwnLocksInTurns {
  /** Holdfast, and three kinds of raw requests. */
  static final int SUBJECTS = 4;

  /** Until all threads of a subject are under way. */
  private static final Duration RAMP = Duration.ofMillis(500);

  private final OwnLocksBenchmark benchmark = new OwnLocksBenchmark();
  private final OwnLocksBenchmark.Holdfast holdfast = new OwnLocksBenchmark.Holdfast();
  private final OwnLocksBenchmark.Batch batch = new OwnLocksBenchmark.Batch();
  private final List<OwnLocksBenchmark.Own> threads =
      Stream.generate(OwnLocksBenchmark.Own::new).limit(OwnLocksBenchmark.THREADS).toList();
  private final Duration each;

  /** Acquire+release per second in one turn. */
  record Turn(double holdfast, double rawBulk, double rawBulkInOnePiece, double rawOneByOne) {}

  private OwnLocksInTurns(Duration each) {
    this.each = each;
  }

  /**
   * Measures on the server of {@link Server#url}.
   *
   * @param warmUp how many turns come before those that count, 0 or more
   * @param turns how many count, 1 or more
   * @param each how long each of the four has the server in a turn
   */
  static List<Turn> measure(int warmUp, int turns, Duration each) throws Exception {
    return new OwnLocksInTurns(each).measure(warmUp, turns);
  }

  private List<Turn> measure(int warmUp, int turns) throws Exception {
    benchmark.connect();
    try {
      holdfast.connect(benchmark);
      try {
        List<Turn> all = new ArrayList<>(warmUp + turns);
        for (int turn = 0; turn < warmUp + turns; turn++) {
          all.add(turn(turn % 2 == 1));
        }
        return all.subList(warmUp, all.size());
      } finally {
        holdfast.disconnect();
      }
    } finally {
      benchmark.disconnect();
    }
  }

  private Turn turn(boolean reversed) throws Exception {
    double[] rates = new double[SUBJECTS];
    for (int i = 0; i < SUBJECTS; i++) {
      int subject = reversed ? SUBJECTS - 1 - i : i;
      rates[subject] = perSecond(subject);
    }
    return new Turn(rates[0], rates[1], rates[2], rates[3]);
  }

  private double perSecond(int subject) throws Exception {
    int all = OwnLocksBenchmark.THREADS;
    return switch (subject) {
      case 0 -> perSecond(all, n -> () -> benchmark.acquireAndRelease(threads.get(n), holdfast));
      case 1 -> bulksPerSecond(n -> () -> benchmark.rawBulk(threads.get(n), batch));
      case 2 -> bulksPerSecond(n -> () -> benchmark.rawBulkInOnePiece(threads.get(n), batch));
      default -> perSecond(all, n -> () -> benchmark.rawOneByOne(threads.get(n)));
    };
  }

  private double bulksPerSecond(IntFunction<Load.Call> call) throws Exception {
    return OwnLocksBenchmark.PER_INVOCATION * perSecond(2, call);
  }

  private double perSecond(int threadCount, IntFunction<Load.Call> call) throws Exception {
    try (Load load = new Load(threadCount, call)) {
      Thread.sleep(RAMP.toMillis());
      return load.perSecond(each);
    }
  }

  /**
   * What those turns come to.
   *
   * @param timesOneByOne how many times as fast as one request per operation it is to be
   */
  static List<Figure> figures(String scenario, List<Turn> turns, double timesOneByOne) {
    String rate = "acquire+release/s";
    double[] ofBulk = sorted(turns, t -> t.holdfast / t.rawBulk);
    double[] ofOnePiece = sorted(turns, t -> t.holdfast / t.rawBulkInOnePiece);
    double[] ofOneByOne = sorted(turns, t -> t.holdfast / t.rawOneByOne);
    String bulk = "Holdfast / raw _bulk";
    return List.of(
        Figure.of(scenario, "Holdfast", median(turns, Turn::holdfast), rate),
        Figure.of(scenario, "raw requests, one by one", median(turns, Turn::rawOneByOne), rate),
        Figure.of(scenario, "raw _bulk of 32, two at a time", median(turns, Turn::rawBulk), rate),
        Figure.of(
            scenario, "raw _bulk of 32 in one piece", median(turns, Turn::rawBulkInOnePiece), rate),
        Figure.of(scenario, bulk, Figure.median(ofBulk), "times, median turn").atLeast(0.85),
        Figure.of(scenario, bulk, ofBulk[0], "times, lowest turn"),
        Figure.of(scenario, bulk, ofBulk[ofBulk.length - 1], "times, highest turn"),
        Figure.of(
            scenario,
            "Holdfast / raw _bulk in one piece",
            Figure.median(ofOnePiece),
            "times, median turn"),
        Figure.of(
                scenario, "Holdfast / one by one", Figure.median(ofOneByOne), "times, median turn")
            .atLeast(timesOneByOne));
  }

  private static double median(List<Turn> turns, ToDoubleFunction<Turn> value) {
    return Figure.median(sorted(turns, value));
  }

  private static double[] sorted(List<Turn> turns, ToDoubleFunction<Turn> value) {
    double[] values = turns.stream().mapToDouble(value).toArray();
    Arrays.sort(values);
    return values;
  }
}
