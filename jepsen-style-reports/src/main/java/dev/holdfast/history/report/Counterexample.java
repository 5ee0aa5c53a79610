package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The shortest piece of a history that shows a violation: the calls that the checker's sentence
 * names, with what became of their leases. Where it names a single call, which nothing explains,
 * the last leases of the lock before it are part of it.
 *
 * <p>Calls are recognised by the words of {@link Call#describe}, because these are what saved
 * results have.
 */
final class Counterexample {

  private static final Pattern NAMED = Pattern.compile("\\(operations? (\\d{1,18})[ ,]");
  private static final int LEASES_BEFORE = 3;
  private static final double ROOM = 0.4;

  private final Story story;
  private final String checker;
  private final String detail;
  private final List<Call> named;

  private Counterexample(Story story, String checker, String detail, List<Call> named) {
    this.story = story;
    this.checker = checker;
    this.detail = detail;
    this.named = named;
  }

  /**
   * The shortest one for each checker that found something; one for all that name the same calls.
   */
  static List<Counterexample> of(Story story, Result result) {
    Map<Set<Call>, Counterexample> found = new LinkedHashMap<>();
    Map<Long, Call> calls = null;
    for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
      if (part.verdict() == Verdict.INVALID) {
        if (calls == null) {
          calls = new HashMap<>();
          for (Call call : story.history().calls()) {
            calls.put(call.invocation().index(), call);
          }
        }
        List<Counterexample> all = new ArrayList<>();
        for (String detail : part.details()) {
          List<Call> named = named(detail, calls);
          if (!named.isEmpty()) {
            all.add(new Counterexample(story, part.checker(), detail, named));
          }
        }
        all.stream()
            .min(Comparator.comparingLong(Counterexample::length))
            .ifPresent(one -> found.merge(Set.copyOf(one.named), one, Counterexample::and));
      }
    }
    return List.copyOf(found.values());
  }

  private static List<Call> named(String detail, Map<Long, Call> calls) {
    List<Call> named = new ArrayList<>();
    for (MatchResult match : NAMED.matcher(detail).results().toList()) {
      Call call = calls.get(Long.parseLong(match.group(1)));
      if (call != null && detail.contains(call.describe())) {
        named.add(call);
      }
    }
    return named;
  }

  private Counterexample and(Counterexample other) {
    return new Counterexample(
        story, checker + ", " + other.checker, detail + "\n" + other.detail, named);
  }

  private long from() {
    return named.stream().mapToLong(Call::invokedAt).min().orElse(0);
  }

  private long to() {
    return named.stream()
        .mapToLong(call -> Math.min(call.completedAt(), story.history().endNanos()))
        .max()
        .orElse(0);
  }

  private long length() {
    return to() - from();
  }

  /** A heading, the sentence, the drawing and the operations. */
  String html() {
    History piece = piece();
    Story told = Story.of(piece);
    long from = Math.min(from(), told.startNanos());
    long room = Math.max(1_000, (long) ((to() - from) * ROOM));
    long end = Math.min(story.history().endNanos(), to() + room);
    StringBuilder out = new StringBuilder("<div class=\"counterexample\"><h3>");
    out.append(escape(checker)).append("</h3>");
    detail.lines().forEach(each -> out.append("<p>").append(escape(each)).append("</p>"));
    out.append("<p><a href=\"").append(Html.timelineLink(from, end)).append("\">");
    out.append("Show it in the timeline</a></p>\n");
    out.append(new SmallTimeline(told, story.faults(), Math.max(0, from - room / 4), end).html());
    out.append("<details><summary>Its operations</summary><pre tabindex=\"0\"><code>");
    piece.operations().forEach(each -> out.append(escape(each.toEdn())).append('\n'));
    return out.append("</code></pre></details></div>\n").toString();
  }

  private History piece() {
    Set<Operation> wanted = Collections.newSetFromMap(new IdentityHashMap<>());
    named.forEach(call -> add(wanted, call));
    Set<Call> namedCalls = Collections.newSetFromMap(new IdentityHashMap<>());
    namedCalls.addAll(named);
    List<Tenure> before = new ArrayList<>();
    for (Tenure tenure : story.tenures()) {
      if (namedCalls.contains(tenure.acquire())
          || tenure.renewals().stream().anyMatch(namedCalls::contains)
          || (tenure.release() != null && namedCalls.contains(tenure.release()))) {
        add(wanted, tenure);
      } else if (tenure.lock().equals(named.get(0).lock()) && tenure.grantedAt() <= to()) {
        before.add(tenure);
      }
    }
    if (named.size() == 1) {
      before
          .subList(Math.max(0, before.size() - LEASES_BEFORE), before.size())
          .forEach(tenure -> add(wanted, tenure));
    }
    return History.of(story.history().operations().stream().filter(wanted::contains).toList());
  }

  private static void add(Set<Operation> wanted, Tenure tenure) {
    add(wanted, tenure.acquire());
    tenure.renewals().forEach(renewal -> add(wanted, renewal));
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
