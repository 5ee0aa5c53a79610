package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The run did something: each kind of operation succeeded at least once, and the nemesis acted.
 * Otherwise the run is invalid.
 */
public final class CoverageChecker implements Checker {

  private final Set<String> required;
  private final boolean nemesis;

  /**
   * Makes a checker.
   *
   * @param required the {@code f} of which each must have succeeded at least once
   * @param nemesis whether the nemesis must have begun a fault
   */
  public CoverageChecker(Set<String> required, boolean nemesis) {
    this.required = new TreeSet<>(required);
    this.nemesis = nemesis;
  }

  @Override
  public String name() {
    return "coverage";
  }

  @Override
  public Result check(History history) {
    Map<String, Integer> succeeded = new TreeMap<>();
    for (Call call : history.calls()) {
      if (call.isOk()) {
        succeeded.merge(call.f(), 1, Integer::sum);
      }
    }
    if (succeeded.isEmpty()) {
      return Result.nothingSeen(name(), "no operation succeeded");
    }
    int faults = FaultInterval.of(history).size();
    List<Violation> missing = new ArrayList<>();
    for (String f : required) {
      if (!succeeded.containsKey(f)) {
        missing.add(Violation.of("No " + f + " ever succeeded"));
      }
    }
    if (nemesis && faults == 0) {
      missing.add(Violation.of("The nemesis never acted"));
    }
    StringBuilder counts = new StringBuilder();
    succeeded.forEach((f, count) -> counts.append(f).append(' ').append(count).append(", "));
    return Result.of(
        name(),
        "What succeeded: " + counts + "under " + Formats.count(faults, "fault") + ".",
        "The run did not do what it was meant to do.",
        missing);
  }
}
