package dev.holdfast.history.report;

import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * The rulings of the checkers on overlaps.
 *
 * @param allowed those, by identity, that the check of mutual exclusion saw, and does not count as
 *     violations; empty if it gave no verdict
 */
record Rulings(Set<Tenure.Overlap> allowed) {

  private static final String MUTUAL_EXCLUSION = "mutual-exclusion";

  static Rulings of(RunAnalysis analysis, Result result) {
    Set<Tenure.Overlap> allowed = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
      if (part.checker().equals(MUTUAL_EXCLUSION) && part.verdict() != Verdict.UNKNOWN) {
        Set<List<Long>> named = new HashSet<>();
        part.violations().stream().map(Violation::operations).forEach(named::add);
        boolean isBounded = part.violations().size() >= Result.MAX_DETAILS;
        for (Tenure.Overlap overlap : analysis.overlaps()) {
          boolean isNamed =
              named.contains(List.of(asked(overlap.first()), asked(overlap.second())));
          if (!isNamed && !isBounded) { // those left out of the result may be violations too
            allowed.add(overlap);
          }
        }
      }
    }
    return new Rulings(allowed);
  }

  private static long asked(Tenure tenure) {
    return tenure.acquire().invocation().index();
  }
}
