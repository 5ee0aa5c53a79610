package dev.holdfast.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * {@link OwnLocksBenchmark} for its ratios: Holdfast and the raw requests have the server for some
 * seconds each, in turn, and what counts is the median of each turn's ratio. The speed of a shared
 * machine changes by half within minutes, so that ratios of JMH's own runs, which follow one
 * another, tell as much of the minute.
 */
final class OwnLocksInTurns {
  /** Holdfast, and three kinds of raw requests. */
  static final int SUBJECTS = 4;

  /** Until all threads of a turn are under way. */
  private static final Duration RAMP = Duration.ofMillis(500);

  private final String scenario;
  private final double timesOneByOne;

  private final OwnLocksBenchmark benchmark = new OwnLocksBenchmark();
  private final OwnLocksBenchmark.Holdfast holdfast = new OwnLocksBenchmark.Holdfast();
  private final OwnLocksBenchmark.Batch batch = new OwnLocksBenchmark.Batch();
  private final List<OwnLocksBenchmark.Own> threads =
      Stream.generate(OwnLocksBenchmark.Own::new).limit(OwnLocksBenchmark.THREADS).toList();

  /** Acquire+release per second in one turn. */
  record Turn(double holdfast, double rawBulk, double rawBulkInOnePiece, double rawOneByOne) {}

  /** What one thread does again and again. */
  private interface Call {
    Object on(OwnLocksBenchmark.Own own) throws Exception;
  }

  /**
   * Measures nothing yet.
   *
   * @param timesOneByOne how many times as fast as one request per operation it is to be
   */
  OwnLocksInTurns(String scenario, double timesOneByOne) {
    this.scenario = scenario;
    this.timesOneByOne = timesOneByOne;
  }

  /**
   * On the server of {@link Server#url}.
   *
   * @param warmUp for each before its first turn that counts, in the same turns
   * @param turns of each that count, 1 or more
   * @param each how long one takes
   */
  List<Figure> measure(Duration warmUp, int turns, Duration each) throws Exception {
    benchmark.connect();
    try {
      holdfast.connect(benchmark);
      try {
        List<Turn> counted = new ArrayList<>(turns);
        for (Duration left = warmUp;
            !left.isNegative() && !left.isZero();
            left = left.minus(each)) {
          Turn unused = turn(each);
        }
        while (counted.size() < turns) {
          counted.add(turn(each));
        }
        return figures(counted);
      } finally {
        holdfast.disconnect();
      }
    } finally {
      benchmark.disconnect();
    }
  }

  private Turn turn(Duration each) throws Exception {
    int all = OwnLocksBenchmark.THREADS;
    return new Turn(
        perSecond(all, own -> benchmark.acquireAndRelease(own, holdfast), each),
        OwnLocksBenchmark.PER_INVOCATION * perSecond(2, own -> benchmark.rawBulk(own, batch), each),
        OwnLocksBenchmark.PER_INVOCATION
            * perSecond(2, own -> benchmark.rawBulkInOnePiece(own, batch), each),
        perSecond(all, benchmark::rawOneByOne, each));
  }

  private double perSecond(int threadCount, Call call, Duration each) throws Exception {
    try (Load load = new Load(threadCount, number -> () -> call.on(threads.get(number)))) {
      Thread.sleep(RAMP.toMillis());
      return load.perSecond(each);
    }
  }

  List<Figure> figures(List<Turn> turns) {
    String unit = "acquire+release/s";
    return List.of(
        median(turns, "Holdfast", Turn::holdfast, unit),
        median(turns, "raw requests, one by one", Turn::rawOneByOne, unit),
        median(turns, "raw _bulk of 32, two at a time", Turn::rawBulk, unit),
        median(turns, "Holdfast / raw _bulk", t -> t.holdfast / t.rawBulk, "times").atLeast(0.85),
        median(turns, "raw _bulk of 32 in one piece", Turn::rawBulkInOnePiece, unit),
        median(
            turns,
            "Holdfast / raw _bulk in one piece",
            t -> t.holdfast / t.rawBulkInOnePiece,
            "times"),
        median(turns, "Holdfast / one by one", t -> t.holdfast / t.rawOneByOne, "times")
            .atLeast(timesOneByOne));
  }

  private Figure median(
      List<Turn> turns, String subject, ToDoubleFunction<Turn> value, String unit) {
    return Figure.of(
        scenario, subject, Figure.median(turns.stream().mapToDouble(value).toArray()), unit);
  }
}
