package dev.holdfast.chaos.check;

import dev.holdfast.chaos.worker.ChaosVocabulary;
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

/**
 * No lease that is renewed in the background was lost while a fault lasted. For faults that cost a
 * request, but never so much time that a lease ends.
 */
public final class LeasesKeptChecker implements Checker {

  private final Duration ttl;

  /** Makes a checker for leases of that length. */
  public LeasesKeptChecker(Duration ttl) {
    this.ttl = ttl;
  }

  @Override
  public String name() {
    return "leases-kept";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> faults = FaultInterval.of(history);
    List<Violation> violations = new ArrayList<>();
    int kept = 0;
    for (Tenure tenure : Tenure.of(history)) {
      Operation loss = tenure.loss();
      if (!Boolean.TRUE.equals(
          tenure.acquire().invocation().value().get(ChaosVocabulary.RENEWED))) {
        continue;
      }
      if (loss != null && faults.stream().anyMatch(fault -> isIn(fault, loss.time()))) {
        violations.add(Violation.of("Lost at " + Formats.seconds(loss.time()), tenure.acquire()));
      } else if (tenure.held().stream().anyMatch(span -> isLongIn(faults, span))) {
        kept++;
      }
    }
    return kept == 0 && violations.isEmpty()
        ? new Result(
            name(),
            Verdict.UNKNOWN,
            "Not checked: no lease was held for longer than its TTL while a fault lasted.",
            List.of())
        : Result.of(
            name(),
            "%s held for longer than the TTL while faults lasted, and none lost."
                .formatted(Formats.count(kept, "renewed lease")),
            Formats.count(violations.size(), "renewed lease") + " lost.",
            violations);
  }

  private static boolean isIn(FaultInterval fault, long nanos) {
    return fault.fromNanos() <= nanos && nanos <= fault.toNanos();
  }

  private boolean isLongIn(List<FaultInterval> faults, Tenure.Span span) {
    long from = faults.stream().mapToLong(FaultInterval::fromNanos).min().orElse(Long.MAX_VALUE);
    long to = faults.stream().mapToLong(FaultInterval::toNanos).max().orElse(Long.MIN_VALUE);
    return Math.min(span.toNanos(), to) - Math.max(span.fromNanos(), from) > ttl.toNanos();
  }
}
