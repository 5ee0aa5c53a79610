package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.Words;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether there is an order of all operations, each between its invocation and its answer, in which
 * the object could have done what it is said to have done (Herlihy and Wing, "Linearizability",
 * TOPLAS 12(3), 1990). Each lock is judged by itself. What failed did not happen; what is not known
 * may have happened at any time after its invocation, or never; equal times are concurrent.
 *
 * <p>With the model {@code lease}, each grant that was not ended by an acknowledged release may end
 * by itself, from the {@link Vocabulary#UNTIL} of its last acknowledged renewal, or of its
 * acquisition, on, or where that is absent from its TTL after the invocation; or from when its
 * holder was told that it is lost, who may then delete what is left of it.
 */
public final class LinearizabilityChecker implements Checker {
  /** What the models of locks are about; the rest of a history is not theirs. */
  private static final Set<String> OF_LOCKS =
      Set.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.RELEASE);

  private static final Set<String> OF_REGISTERS = Set.of("read", "write", "cas");

  private final String name;
  private final Model model;
  private final boolean ofRegister;
  private final Duration limit;

  /**
   * A checker for a model: {@code mutex}, {@code owner-mutex}, {@code reentrant-mutex:N}, {@code
   * fenced-mutex}, {@code semaphore:N}, {@code lease}, {@code register} or {@code cas-register}.
   *
   * @param limit how long it may look before it says that it does not know; positive
   * @throws IllegalArgumentException if there is no such model, or the limit is not positive
   */
  public LinearizabilityChecker(String model, Duration limit) {
    if (limit.isNegative() || limit.isZero()) {
      throw new IllegalArgumentException("the limit must be positive, but is " + limit);
    }
    this.name = model;
    this.model = Model.named(model);
    this.ofRegister = model.endsWith("register");
    this.limit = limit;
  }

  @Override
  public String name() {
    return "linearizable-" + name.replace(':', '-');
  }

  @Override
  public Result check(History history) {
    long deadline = System.nanoTime() + limit.toNanos();
    Map<String, List<Call>> byLock = new TreeMap<>();
    boolean anyOk = false;
    for (Call call : history.calls()) {
      if ((ofRegister ? OF_REGISTERS : OF_LOCKS).contains(call.f()) && !call.isFailed()) {
        byLock.computeIfAbsent(call.lock(), lock -> new ArrayList<>()).add(call);
        anyOk |= call.isOk();
      }
    }
    if (!anyOk) {
      return Result.nothingSeen(name(), "no operation succeeded");
    }
    List<String> violations = new ArrayList<>();
    List<String> unfinished = new ArrayList<>();
    for (Map.Entry<String, List<Call>> entry : byLock.entrySet()) {
      List<Step> steps = steps(entry.getValue(), history.notices());
      Search.Outcome outcome = Search.run(model, steps, deadline);
      if (outcome == Search.Outcome.GAVE_UP) {
        unfinished.add("Not judged in time: lock \"" + entry.getKey() + "\".");
      } else if (outcome == Search.Outcome.NO_ORDER) {
        violations.add(explanation(steps, deadline));
      }
    }
    if (violations.isEmpty() && !unfinished.isEmpty()) {
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not judged within "
              + limit.toSeconds()
              + " s: "
              + Words.count(unfinished.size(), "lock")
              + ".",
          unfinished);
    }
    return Result.of(
        name(),
        "There is an order that explains all operations on "
            + Words.count(byLock.size(), "lock")
            + ".",
        "No order explains the operations on " + Words.count(violations.size(), "lock") + ".",
        violations);
  }

  private List<Step> steps(List<Call> calls, List<Operation> notices) {
    List<Step> steps = new ArrayList<>();
    calls.forEach(call -> steps.add(Step.of(call)));
    if (model.hasExpiry()) {
      expiries(calls, notices, steps);
    }
    return steps;
  }

  /** What names a lease. */
  private record Grant(String lock, String client, @Nullable Long fence) {
    static Grant of(Call call) {
      return new Grant(call.lock(), call.client(), boxed(call.fence()));
    }

    static Grant of(Operation notice) {
      return new Grant(notice.lock(), notice.client(), boxed(notice.number(Vocabulary.FENCE)));
    }

    private static @Nullable Long boxed(OptionalLong fence) {
      return fence.isPresent() ? (Long) fence.getAsLong() : null;
    }
  }

  private static void expiries(List<Call> calls, List<Operation> notices, List<Step> steps) {
    Map<Grant, Long> lost = new HashMap<>();
    for (Operation notice : notices) {
      if (notice.f().equals(Vocabulary.LOST) || notice.f().equals(Vocabulary.EXPIRE)) {
        lost.merge(Grant.of(notice), notice.time(), Math::min);
      }
    }
    Map<Grant, Call> last = new HashMap<>();
    Map<Grant, Call> grants = new HashMap<>();
    List<Call> untold = new ArrayList<>();
    Set<Grant> released = new java.util.HashSet<>();
    for (Call call : calls) {
      Grant grant = Grant.of(call);
      switch (call.f()) {
        case Vocabulary.ACQUIRE -> {
          if (grant.fence == null) {
            untold.add(call);
          } else {
            grants.put(grant, call);
            last.merge(grant, call, LinearizabilityChecker::later);
          }
        }
        case Vocabulary.RENEW -> {
          if (call.isOk()) {
            last.merge(grant, call, LinearizabilityChecker::later);
          }
        }
        default -> {
          if (call.isOk()) {
            released.add(grant);
          }
        }
      }
    }
    grants.forEach(
        (grant, call) -> {
          if (!released.contains(grant)) {
            long end = end(call, last.getOrDefault(grant, call));
            steps.add(Step.expiry(call, Math.min(end, lost.getOrDefault(grant, end))));
          }
        });
    untold.forEach(call -> steps.add(Step.expiry(call, end(call, call))));
  }

  private static Call later(Call one, Call other) {
    return one.invokedAt() >= other.invokedAt() ? one : other;
  }

  private static long end(Call grant, Call last) {
    OptionalLong until =
        last.completion() == null
            ? OptionalLong.empty()
            : last.completion().number(Vocabulary.UNTIL);
    if (until.isPresent()) {
      // One that had passed when its answer was recorded does not tell when.
      boolean tells = until.getAsLong() > last.completedAt();
      return tells ? until.getAsLong() : last.invokedAt();
    }
    long ttl = last.number(Vocabulary.TTL).orElse(grant.number(Vocabulary.TTL).orElse(-1));
    return ttl < 0
        ? Long.MAX_VALUE
        : Words.plus(last.invokedAt(), TimeUnit.MILLISECONDS.toNanos(ttl));
  }

  /** The shortest beginning of the history that has no order, and what could still be explained. */
  private String explanation(List<Step> steps, long deadline) {
    List<Long> answers =
        steps.stream().filter(step -> !step.open()).map(Step::to).sorted().distinct().toList();
    int low = 0;
    int high = answers.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Search.run(model, until(steps, answers.get(middle)), deadline)
          == Search.Outcome.NO_ORDER) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    long end = answers.get(low);
    String culprit =
        steps.stream()
            .filter(step -> !step.open() && step.to() == end)
            .map(Step::words)
            .reduce((a, b) -> a + " and " + b)
            .orElse("");
    Set<Object> states =
        low == 0
            ? Set.of(model.initial())
            : Search.finalStates(model, until(steps, answers.get(low - 1)), deadline);
    return "Nothing explains "
        + culprit
        + ": before it the state was one of "
        + states.stream().limit(5).map(Object::toString).sorted().toList()
        + ".";
  }

  /** What was known at that time: what was not answered by then is open. */
  private static List<Step> until(List<Step> steps, long end) {
    List<Step> known = new ArrayList<>();
    for (Step step : steps) {
      if (step.from() <= end) {
        boolean open = step.open() || step.to() > end;
        known.add(
            new Step(
                step.f(),
                step.client(),
                step.fence(),
                step.argument(),
                step.result(),
                step.from(),
                open ? Long.MAX_VALUE : step.to(),
                open,
                step.words()));
      }
    }
    return known;
  }
}
