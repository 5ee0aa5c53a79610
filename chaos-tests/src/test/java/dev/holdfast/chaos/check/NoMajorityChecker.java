package dev.holdfast.chaos.check;

import dev.holdfast.chaos.fault.NodeFaults;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * While there is no majority of nodes, nothing is granted, and all leases end in time: a TTL after
 * the majority was lost nobody believes to hold a lock, and nobody is granted one until it is back.
 * Nor is a client granted one within that TTL, but by its own threads, which may hand off what it
 * still holds, or by a request that was sent before.
 */
public final class NoMajorityChecker implements Checker {

  private final Duration ttl;

  /** Makes a checker for leases of that length. */
  public NoMajorityChecker(Duration ttl) {
    this.ttl = ttl;
  }

  @Override
  public String name() {
    return "no-majority";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> windows =
        FaultInterval.of(history).stream()
            .filter(fault -> fault.name().equals(NodeFaults.NO_MAJORITY))
            .filter(fault -> fault.toNanos() - fault.fromNanos() > ttl.toNanos())
            .toList();
    if (windows.isEmpty()) {
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not checked: the majority was never away for longer than a TTL.",
          List.of());
    }
    List<Violation> violations = new ArrayList<>();
    int ended = 0;
    Map<String, String> lastHolder = new HashMap<>();
    for (Tenure tenure : Tenure.of(history)) {
      boolean another = !tenure.client().equals(lastHolder.put(tenure.lock(), tenure.client()));
      for (FaultInterval window : windows) {
        long from = window.fromNanos() + ttl.toNanos();
        boolean tooLate =
            tenure.grantedAt() > from
                || (another && tenure.acquire().invokedAt() > window.fromNanos());
        if (tooLate && tenure.grantedAt() < window.toNanos()) {
          violations.add(Violation.of("Granted without a majority of nodes", tenure.acquire()));
        }
        for (Tenure.Span span : tenure.held()) {
          if (span.fromNanos() < window.fromNanos() && span.toNanos() > window.fromNanos()) {
            ended++;
          }
          if (span.fromNanos() < window.toNanos()
              && span.fromNanos() <= from
              && span.toNanos() > from) {
            violations.add(
                Violation.of(
                    "Believed to be held at %s, a TTL after the majority was lost"
                        .formatted(Formats.seconds(from)),
                    tenure.acquire()));
          }
        }
      }
    }
    return Result.of(
        name(),
        "Nothing was granted without a majority of nodes, and %s ended in time."
            .formatted(Formats.count(ended, "lease")),
        Formats.count(violations.size(), "lease") + " outlived the majority.",
        violations);
  }
}
