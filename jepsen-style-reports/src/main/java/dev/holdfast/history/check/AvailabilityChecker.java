package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Vocabulary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Reports availability: for each kind of operation the fraction that succeeded and its latency, and
 * for each fault how long after its end a lock was granted again. Invalid if less of the
 * acquisitions succeeded, or that took longer, than was allowed.
 *
 * <p>A fault counts for the latter if it ended, a client was asking for a lock afterwards, the
 * history goes on for as long as is allowed, and no other fault was there meanwhile.
 */
public final class AvailabilityChecker implements Checker {

  private static final int DIGITS = 3;

  /** More faults of one kind than this are summed up. */
  private static final int FEW = 20;

  private final double leastSuccess;
  private final @Nullable Duration within;

  /** Makes a checker that allows anything but that nothing succeeds, for its figures. */
  public AvailabilityChecker() {
    this(0, null);
  }

  /**
   * Makes a checker.
   *
   * @param leastSuccess the part of all acquisitions that must succeed, from 0 to 1
   * @param within how long after the end of a fault a lock must be granted again; {@code null} to
   *     not ask
   */
  public AvailabilityChecker(double leastSuccess, @Nullable Duration within) {
    if (!(leastSuccess >= 0 && leastSuccess <= 1)) {
      throw new IllegalArgumentException(
          "leastSuccess must be from 0 to 1, but is " + leastSuccess);
    }
    this.leastSuccess = leastSuccess;
    this.within = within;
  }

  @Override
  public String name() {
    return "availability";
  }

  /** Counts and latencies of the operations of one kind. */
  private static final class Tally {
    /** Of those that succeeded, in nanoseconds. */
    final Histogram latencies = new Histogram(DIGITS);

    long all;
    long refused;

    void add(Call call) {
      all++;
      refused += call.isFailed() ? 1 : 0;
      if (call.isOk()) {
        latencies.recordValue(call.completedAt() - call.invokedAt());
      }
    }

    long succeeded() {
      return latencies.getTotalCount();
    }

    double rate() {
      return (double) succeeded() / all;
    }

    String describe(String f) {
      String counts =
          String.format(
              Locale.ROOT,
              "%s: %,d of %,d succeeded (%.1f %%), %,d failed, %,d unknown",
              f,
              succeeded(),
              all,
              100 * rate(),
              refused,
              all - refused - succeeded());
      return succeeded() == 0
          ? counts + "."
          : String.format(
              Locale.ROOT,
              "%s; latency %s (median), %s (90 %%), %s (99 %%), %s (longest).",
              counts,
              Formats.millis(latencies.getValueAtPercentile(50)),
              Formats.millis(latencies.getValueAtPercentile(90)),
              Formats.millis(latencies.getValueAtPercentile(99)),
              Formats.millis(latencies.getMaxValue()));
    }
  }

  @Override
  public Result check(History history) {
    Map<String, Tally> tallies = new TreeMap<>();
    for (Call call : history.calls()) {
      if (!call.f().equals(Vocabulary.BELIEF)) { // it asks nothing of the service
        tallies.computeIfAbsent(call.f(), f -> new Tally()).add(call);
      }
    }
    Tally acquisitions = tallies.get(Vocabulary.ACQUIRE);
    if (acquisitions == null || acquisitions.succeeded() == 0) {
      return Result.nothingSeen(name(), "no lock was ever granted");
    }
    List<String> violations = new ArrayList<>();
    if (acquisitions.rate() < leastSuccess) {
      violations.add(
          String.format(
              Locale.ROOT,
              "Of all acquisitions %.1f %% succeeded, less than %.1f %%.",
              100 * acquisitions.rate(),
              100 * leastSuccess));
    }
    List<String> statistics = new ArrayList<>();
    tallies.forEach((f, tally) -> statistics.add(tally.describe(f)));
    recoveries(history, violations, statistics);
    boolean isValid = violations.isEmpty();
    violations.addAll(statistics);
    return new Result(
        name(),
        isValid ? Verdict.VALID : Verdict.INVALID,
        String.format(
            Locale.ROOT,
            "Of %s %.1f %% succeeded.",
            Formats.count(acquisitions.all, "acquisition"),
            100 * acquisitions.rate()),
        violations);
  }

  private void recoveries(History history, List<String> violations, List<String> statistics) {
    NavigableSet<Long> grants = new TreeSet<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && call.isOk()) {
        grants.add(call.completedAt());
      }
    }
    List<FaultInterval> faults = FaultInterval.of(history);
    Map<String, List<FaultInterval>> byName =
        faults.stream()
            .filter(FaultInterval::healed)
            .collect(Collectors.groupingBy(FaultInterval::name, TreeMap::new, Collectors.toList()));
    byName.forEach(
        (name, alike) -> {
          if (alike.size() > FEW) {
            statistics.add(describe(name, alike, grants));
          } else {
            alike.forEach(fault -> statistics.add(describe(fault, grants.higher(fault.toNanos()))));
          }
        });
    for (FaultInterval fault : faults) {
      if (within != null && fault.healed()) {
        long bound = Formats.plus(fault.toNanos(), within.toNanos());
        Long next = grants.higher(fault.toNanos());
        boolean granted = next != null && next <= bound;
        if (!granted
            && history.endNanos() >= bound
            && clientAsked(history, fault.toNanos(), bound)
            && faults.stream().noneMatch(other -> isMeanwhile(fault, other, bound))) {
          violations.add(
              ended(fault)
                  + ", and no lock was granted within "
                  + Formats.seconds(within.toNanos())
                  + ".");
        }
      }
    }
  }

  private static String ended(FaultInterval fault) {
    String target = fault.target().isEmpty() ? "" : " (" + fault.target() + ")";
    return fault.name() + target + " was over at " + Formats.seconds(fault.toNanos());
  }

  private static String describe(FaultInterval fault, @Nullable Long next) {
    return next == null
        ? ended(fault) + ", and no lock was granted after that."
        : ended(fault)
            + ", and a lock granted "
            + Formats.seconds(next - fault.toNanos())
            + " later.";
  }

  private static String describe(
      String name, List<FaultInterval> alike, NavigableSet<Long> grants) {
    Histogram recoveries = new Histogram(DIGITS);
    for (FaultInterval fault : alike) {
      Long next = grants.higher(fault.toNanos());
      if (next != null) {
        recoveries.recordValue(next - fault.toNanos());
      }
    }
    long never = alike.size() - recoveries.getTotalCount();
    return String.format(
        Locale.ROOT,
        "%s was over %,d times, and a lock granted %s (median), %s (longest) later%s.",
        name,
        alike.size(),
        Formats.seconds(recoveries.getValueAtPercentile(50)),
        Formats.seconds(recoveries.getMaxValue()),
        never == 0 ? "" : String.format(Locale.ROOT, ", after %,d of them not any more", never));
  }

  private static boolean clientAsked(History history, long from, long to) {
    return history.calls().stream()
        .anyMatch(
            call ->
                call.f().equals(Vocabulary.ACQUIRE)
                    && call.invokedAt() <= to
                    && call.completedAt() > from);
  }

  private static boolean isMeanwhile(FaultInterval fault, FaultInterval other, long bound) {
    return !other.equals(fault) && other.fromNanos() <= bound && other.toNanos() > fault.toNanos();
  }
}
