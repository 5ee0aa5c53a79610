package dev.holdfast.chaos.check;

import dev.holdfast.chaos.fault.ClientFaults;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * After a client was killed, each lock that it held, and that others want all the time, is granted
 * to one of them within a bound: the TTL, the skew of clocks, and a poll. The distribution is in
 * the summary, and all of it in the details.
 */
public final class CrashTakeoverChecker implements Checker {

  private final Duration bound;
  private final Duration allowance;
  private final String wanted;

  /**
   * Makes a checker.
   *
   * @param bound what the protocol promises on a machine that has time for us
   * @param allowance how much more a machine that has not may take before the verdict is invalid
   * @param wanted what the names of the locks that others always want begin with
   */
  public CrashTakeoverChecker(Duration bound, Duration allowance, String wanted) {
    this.bound = bound;
    this.allowance = allowance;
    this.wanted = wanted;
  }

  @Override
  public String name() {
    return "crash-takeover";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> crashes =
        FaultInterval.of(history).stream()
            .filter(fault -> fault.name().equals(ClientFaults.KILLED))
            .toList();
    long limit = bound.plus(allowance).toNanos();
    long ended = history.operations().stream().mapToLong(Operation::time).max().orElse(0);
    List<Long> took = new ArrayList<>();
    List<Violation> violations = new ArrayList<>();
    for (List<Tenure> ofLock : Tenure.byLock(Tenure.of(history)).values()) {
      for (int i = 0; i < ofLock.size(); i++) {
        Tenure tenure = ofLock.get(i);
        for (FaultInterval crash : crashes) {
          if (tenure.lock().startsWith(wanted)
              && tenure.client().equals(crash.target())
              && tenure.isHeldAt(crash.fromNanos())) {
            long granted =
                ofLock.subList(i + 1, ofLock.size()).stream()
                    .filter(next -> !next.client().equals(tenure.client()))
                    .mapToLong(Tenure::grantedAt)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
            if (granted == Long.MAX_VALUE && ended - crash.fromNanos() <= limit) {
              continue; // it was still in time when the run was over
            }
            long nanos = granted == Long.MAX_VALUE ? granted : granted - crash.fromNanos();
            took.add(nanos);
            if (nanos > limit) {
              violations.add(
                  Violation.of(
                      "Lock \"%s\" of %s, which was killed at %s, was granted to another after: %s"
                          .formatted(
                              tenure.lock(),
                              tenure.client(),
                              Formats.seconds(crash.fromNanos()),
                              Formats.seconds(nanos)),
                      tenure.acquire()));
            }
          }
        }
      }
    }
    if (took.isEmpty()) {
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not checked: no holder was killed so long before the end.",
          List.of());
    }
    took.sort(null);
    long most = took.get(took.size() - 1);
    String distribution =
        "%s of killed holders: taken over after at least %s, %s (median), at most %s"
            .formatted(
                Formats.count(took.size(), "lock"),
                Formats.seconds(took.get(0)),
                Formats.seconds(took.get(took.size() / 2)),
                Formats.seconds(most));
    String promise =
        (most <= bound.toNanos() ? ", within the bound of " : ", beyond the bound of ")
            + Formats.seconds(bound.toNanos())
            + (violations.isEmpty() && most > bound.toNanos()
                ? " by less than what a busy machine is allowed."
                : ".");
    return new Result(
        name(),
        violations.isEmpty() ? Verdict.VALID : Verdict.INVALID,
        distribution + promise,
        details(took, violations),
        List.of(),
        violations);
  }

  private static List<String> details(List<Long> took, List<Violation> violations) {
    List<String> details = new ArrayList<>(violations.stream().map(Violation::detail).toList());
    details.add(
        "Taken over after: "
            + took.stream()
                .map(nanos -> nanos == Long.MAX_VALUE ? "never" : Formats.seconds(nanos))
                .collect(Collectors.joining(", "))
            + ".");
    return details;
  }
}
