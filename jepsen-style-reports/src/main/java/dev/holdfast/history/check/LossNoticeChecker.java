package dev.holdfast.history.check;

import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A client that lost a lease was told so before another was granted the lock.
 *
 * <p>Only a holder that could be told counts. Not so one from which nothing was heard ever after
 * (it is taken for dead), nor one that a fault with its name as the target had stopped at that
 * moment; the result says how many those were.
 */
public final class LossNoticeChecker implements Checker {

  private final Duration grace;

  /** Makes a checker that allows no delay. */
  public LossNoticeChecker() {
    this(Duration.ZERO);
  }

  /**
   * Makes a checker.
   *
   * @param grace how long after the other's grant the notice may still come, for machines that are
   *     short of processors
   */
  public LossNoticeChecker(Duration grace) {
    this.grace = grace;
  }

  @Override
  public String name() {
    return "loss-notice";
  }

  @Override
  public Result check(History history) {
    List<Tenure> tenures = Tenure.of(history);
    if (tenures.isEmpty()) {
      return Result.nothingSeen(name(), "no lock was ever granted");
    }
    Map<String, Long> lastHeard = new HashMap<>();
    for (Operation operation : history.operations()) {
      lastHeard.put(operation.client(), operation.time());
    }
    Map<String, List<FaultInterval>> faults =
        FaultInterval.of(history).stream().collect(Collectors.groupingBy(FaultInterval::target));
    List<Violation> violations = new ArrayList<>();
    int told = 0;
    int deaf = 0;
    for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
      for (int i = 0; i + 1 < ofLock.size(); i++) {
        Tenure tenure = ofLock.get(i);
        Tenure next = ofLock.get(i + 1);
        long taken = next.grantedAt();
        if (tenure.isReleasedBy(taken)) {
          continue;
        }
        Operation loss = tenure.loss();
        if (loss != null && loss.time() <= Formats.plus(taken, grace.toNanos())) {
          told++;
        } else if (lastHeard.getOrDefault(tenure.client(), taken) <= taken
            || isStopped(faults.getOrDefault(tenure.client(), List.of()), taken)) {
          deaf++;
        } else {
          violations.add(
              Violation.of(
                  String.format(
                      "%s was told %s that it had lost lock \"%s\", which was granted to %s at %s",
                      tenure.client(),
                      loss == null ? "never" : "only at " + Formats.seconds(loss.time()),
                      tenure.lock(),
                      next.client(),
                      Formats.seconds(taken)),
                  tenure.acquire(),
                  next.acquire()));
        }
      }
    }
    return Result.of(
        name(),
        told + deaf == 0
            ? "None of " + Formats.count(tenures.size(), "lease") + " was taken over unreleased."
            : String.format(
                "%s told of the loss in time; %,d more dead or stopped at that moment.",
                Formats.count(told, "holder"), deaf),
        Formats.count(violations.size(), "holder") + " not told in time of the loss.",
        violations);
  }

  private static boolean isStopped(List<FaultInterval> faults, long nanos) {
    return faults.stream().anyMatch(f -> f.fromNanos() <= nanos && nanos <= f.toNanos());
  }
}
