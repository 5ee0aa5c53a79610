package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The shortest piece of a history that shows a violation: the calls that the violation names, with
 * what became of their leases, and those of the order that a model allows. Where all of them are of
 * one lease, which alone explains nothing, the last leases of the lock before are part of it.
 */
final class Counterexample {

  private static final int LEASES_BEFORE = 3;

  /** The margins before and after, as fractions of the window. */
  private static final double BEFORE = 0.5;

  private static final double AFTER = 0.25;

  /** A lease that began this much earlier than the window is shown from its beginning. */
  private static final int NEAR = 6;

  private final RunAnalysis analysis;
  private final String checkers;
  private final Violation violation;
  private final List<Call> named;
  private final List<Call> ordered;

  private Counterexample(RunAnalysis analysis, String checkers, Violation violation) {
    this.analysis = analysis;
    this.checkers = checkers;
    this.violation = violation;
    this.named = calls(violation.operations());
    this.ordered = calls(violation.order().stream().map(Violation.Placed::operation).toList());
  }

  private List<Call> calls(List<Long> operations) {
    return operations.stream().map(analysis::call).filter(Objects::nonNull).toList();
  }

  /**
   * The shortest one for each checker that found something; one for all that name the same calls.
   */
  static List<Counterexample> of(RunAnalysis analysis, Result result) {
    Map<Set<Long>, Counterexample> found = new LinkedHashMap<>();
    for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
      if (part.verdict() == Verdict.INVALID) {
        part.violations().stream()
            .map(violation -> new Counterexample(analysis, part.checker(), violation))
            .filter(each -> !each.named.isEmpty())
            .min(Comparator.comparingLong(Counterexample::length))
            .ifPresent(
                one ->
                    found.merge(
                        new HashSet<>(one.violation.operations()), one, Counterexample::and));
      }
    }
    return List.copyOf(found.values());
  }

  private Counterexample and(Counterexample other) {
    return new Counterexample(analysis, checkers + ", " + other.checkers, violation);
  }

  private long from() {
    return named.stream().mapToLong(Call::invokedAt).min().orElse(0);
  }

  private long to() {
    return named.stream().mapToLong(this::end).max().orElse(0);
  }

  private long end(Call call) {
    return Math.min(call.completedAt(), analysis.history().endNanos());
  }

  private long length() {
    return to() - from();
  }

  /**
   * Returns what is wrong and who found it, in two sentences; the drawing; the order; the
   * operations.
   */
  String html() {
    History piece = piece();
    RunAnalysis told = RunAnalysis.of(piece);
    Tenure.Span window = window(told);
    StringBuilder out =
        new StringBuilder("<div class=\"counterexample\"><p class=\"lead\"><strong>");
    out.append(escape(violation.what())).append(".</strong> Found by ").append(escape(checkers));
    out.append(". <a href=\"").append(Html.timelineLink(window.fromNanos(), window.toNanos()));
    out.append("\">Show it in the timeline</a></p>\n");
    for (int width : new int[] {TimelineExcerpt.WIDE, TimelineExcerpt.NARROW}) {
      out.append("<div class=\"").append(width == TimelineExcerpt.WIDE ? "wide" : "narrow");
      out.append("\">").append(drawing(told, window, width)).append("</div>\n");
    }
    out.append(order());
    out.append("<details><summary>Its operations</summary><pre tabindex=\"0\"><code>");
    piece.operations().forEach(each -> out.append(escape(each.toEdn())).append('\n'));
    return out.append("</code></pre></details></div>\n").toString();
  }

  private String drawing(RunAnalysis told, Tenure.Span window, int width) {
    Map<Long, Integer> places = new HashMap<>();
    for (int i = 0; i < violation.order().size(); i++) {
      Violation.Placed placed = violation.order().get(i);
      Call call = analysis.call(placed.operation());
      if (call != null && placed.what().equals(call.f())) { // else it is the end of its lease
        places.put(placed.operation(), i + 1);
      }
    }
    Set<Long> matter = Set.copyOf(violation.operations());
    return new TimelineExcerpt(analysis, told, matter, places, window, width).html();
  }

  /** Returns the window that shows all of the counterexample, with some room around it. */
  private Tenure.Span window(RunAnalysis told) {
    long end = analysis.history().endNanos();
    long from = from();
    long to = to();
    for (Call call : ordered) {
      from = Math.min(from, call.invokedAt());
      to = Math.max(to, end(call));
    }
    if (!told.overlaps().isEmpty()) {
      long begin = told.overlaps().stream().mapToLong(Tenure.Overlap::fromNanos).min().orElse(to);
      long over = told.overlaps().stream().mapToLong(Tenure.Overlap::toNanos).max().orElse(to);
      from = violation.order().isEmpty() ? begin : Math.min(from, begin);
      to = Math.max(to(), Math.min(over, end));
    }
    long first = Math.min(from(), from);
    long length = Math.max(1_000, to - from);
    if (to >= end) { // what was to be seen is cut off by the end of the history
      length = Math.max(length, (end - first) / 2);
    }
    long before = from - (long) (BEFORE * length);
    if (first >= from - NEAR * length) {
      before = Math.min(before, first - length / 10);
    }
    return new Tenure.Span(
        Math.max(Math.min(0, analysis.startNanos()), before),
        Math.max(from + 1, Math.min(end + length / 20, to + (long) (AFTER * length))));
  }

  /** The longest order that the model allows, and the operation that does not fit. */
  private String order() {
    if (violation.order().isEmpty()) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    out.append("<p class=\"order-title\">The longest order that the model allows, with the state");
    out.append(" after each step:</p>\n<ol class=\"order\">\n");
    for (Violation.Placed placed : violation.order()) {
      Call call = analysis.call(placed.operation());
      String by =
          call == null ? "" : " by " + call.client() + ", operation " + Html.shownIndex(call);
      out.append("<li><span>").append(escape(placed.what() + by)).append("</span> <code>");
      out.append(escape(placed.state())).append("</code></li>\n");
    }
    for (Call call : named) {
      out.append("<li class=\"stuck\"><span>").append(escape(call.f() + " by " + call.client()));
      out.append(", operation ").append(Html.shownIndex(call)).append("</span> <code>");
      out.append(call.isFailed() ? "cannot have failed" : "cannot follow");
      out.append("</code></li>\n");
    }
    return out.append("</ol>\n").toString();
  }

  private History piece() {
    Set<Operation> wanted = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Call> shown = Collections.newSetFromMap(new IdentityHashMap<>());
    shown.addAll(named);
    shown.addAll(ordered);
    shown.forEach(call -> add(wanted, call));
    List<Tenure> before = new ArrayList<>();
    int leases = 0;
    for (Tenure tenure : analysis.tenures()) {
      if (shown.contains(tenure.acquire())
          || tenure.confirmations().stream().anyMatch(shown::contains)
          || (tenure.release() != null && shown.contains(tenure.release()))) {
        add(wanted, tenure);
        leases++;
      } else if (tenure.lock().equals(named.get(0).lock()) && tenure.grantedAt() <= to()) {
        before.add(tenure);
      }
    }
    if (leases <= 1) {
      before
          .subList(Math.max(0, before.size() - LEASES_BEFORE), before.size())
          .forEach(tenure -> add(wanted, tenure));
    }
    return History.of(analysis.history().operations().stream().filter(wanted::contains).toList());
  }

  private static void add(Set<Operation> wanted, Tenure tenure) {
    add(wanted, tenure.acquire());
    tenure.confirmations().forEach(renewal -> add(wanted, renewal));
    if (tenure.release() != null) {
      add(wanted, tenure.release());
    }
    if (tenure.loss() != null) {
      wanted.add(tenure.loss());
    }
  }

  private static void add(Set<Operation> wanted, Call call) {
    wanted.add(call.invocation());
    if (call.completion() != null) {
      wanted.add(call.completion());
    }
  }
}
