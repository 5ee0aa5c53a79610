package dev.holdfast.chaos.check;

import dev.holdfast.chaos.fault.IndexFaults;
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
 * While nothing can be written to the lock index, nothing is granted, and all leases end in time: a
 * TTL after that has begun nobody believes to hold a lock, and nobody is granted one until it is
 * over. Nor is a client granted one within that TTL, but by its own threads, which may hand off
 * what it still holds, or by a request that was sent before.
 */
public final class NoGrantsChecker implements Checker {

  private final String cause;
  private final String words;
  private final Duration ttl;

  private NoGrantsChecker(String cause, String words, Duration ttl) {
    this.cause = cause;
    this.words = words;
    this.ttl = ttl;
  }

  /** Makes a checker for leases of that length, where there is no majority of nodes for a while. */
  public static NoGrantsChecker withoutMajority(Duration ttl) {
    return new NoGrantsChecker(NodeFaults.NO_MAJORITY, "without a majority of nodes", ttl);
  }

  /** Makes a checker for leases of that length, where the index is blocked for a while. */
  public static NoGrantsChecker whileBlocked(Duration ttl) {
    return new NoGrantsChecker(IndexFaults.NO_WRITES, "while the index was blocked", ttl);
  }

  @Override
  public String name() {
    return cause;
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> windows =
        FaultInterval.of(history).stream()
            .filter(fault -> fault.name().equals(cause))
            .filter(fault -> fault.toNanos() - fault.fromNanos() > ttl.toNanos())
            .toList();
    if (windows.isEmpty()) {
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not checked: that never lasted for longer than a TTL.",
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
          violations.add(Violation.of("Granted " + words, tenure.acquire()));
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
                    "Believed to be held at %s, a TTL after the last write was possible"
                        .formatted(Formats.seconds(from)),
                    tenure.acquire()));
          }
        }
      }
    }
    return Result.of(
        name(),
        "Nothing was granted %s, and %s ended in time."
            .formatted(words, Formats.count(ended, "lease")),
        Formats.count(violations.size(), "lease") + " granted or believed in " + words + ".",
        violations);
  }
}
