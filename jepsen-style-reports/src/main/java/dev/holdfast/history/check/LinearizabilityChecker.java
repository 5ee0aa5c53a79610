package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether there is an order of all operations, each between its invocation and its answer, in which
 * the object could have done what it is said to have done (Herlihy and Wing, "Linearizability",
 * TOPLAS 12(3), 1990). Each lock is checked by itself, several at the same time. What failed did
 * not happen; what is not known may have happened at any time after its invocation, or never; equal
 * times are concurrent.
 *
 * <p>Of one process, each operation comes after the one before it, also at equal times.
 *
 * <p>With the model {@code lease}, each grant may end by itself, once, and need not: from the
 * {@link Vocabulary#UNTIL} of its last acknowledged renewal, or of its acquisition, on, or where
 * that is absent from its TTL after the invocation; or from when its holder was told that it is
 * lost, who may then delete what is left of it. A renewal, a release or a notice is about the lease
 * that its client holds when it takes effect, and has its token if it names one: so where several
 * threads share a client, any attribution that explains the history does.
 *
 * <p>Where times went back, and were moved by more than is small against a lease, no verdict is
 * given with that model.
 *
 * <p>Operations that are another's than the model's object are left out; one that the model does
 * not have makes its lock unknown.
 *
 * <p>A verdict of invalid comes with the smallest beginning of the history that has no order, the
 * operation that ends it, and the states that were possible before that.
 */
public final class LinearizabilityChecker implements Checker {

  /** Receives the progress of a checker. */
  @FunctionalInterface
  public interface SearchProgress {

    /**
     * Says that one more lock has been checked; from any thread.
     *
     * @param locks how many have been
     * @param of how many there are
     */
    void checked(int locks, int of);
  }

  private static final String PREFIX = "linearizable-";

  private static final Set<String> OF_REGISTERS = Set.of("read", "write", "cas");

  /** Shorter histories are checked sooner than threads are made. */
  private static final int WORTH_THREADS = 10_000;

  /** The fraction of the time limit for explaining a contradiction. */
  private static final int PART_FOR_PREFIX = 10;

  /** Operations on the resource that a lock protects, which no model of locks covers. */
  private static final Set<String> OF_RESOURCES =
      Set.of(Vocabulary.WRITE, Vocabulary.INCREMENT, Vocabulary.FINAL_COUNT);

  /** The most operations of a prefix, and the most states, that are named. */
  private static final int NAMED = 12;

  private final String name;
  private final Model model;
  private final Set<String> understood;
  private final Duration limit;
  private final SearchProgress progress;
  private final long memories;

  /**
   * A checker for a model: {@code mutex}, {@code owner-mutex}, {@code reentrant-mutex:N}, {@code
   * fenced-mutex}, {@code semaphore:N}, {@code lease}, {@code register} or {@code cas-register}.
   *
   * @param limit how long it may look before it says that it does not know; positive
   * @throws IllegalArgumentException if there is no such model, or the limit is not positive
   */
  public LinearizabilityChecker(String model, Duration limit) {
    this(model, limit, (locks, of) -> {});
  }

  /**
   * A checker that tells how far it is.
   *
   * @param model see above
   * @param limit how long it may look before it says that it does not know; positive
   * @param progress is told
   * @throws IllegalArgumentException if there is no such model, or the limit is not positive
   */
  public LinearizabilityChecker(String model, Duration limit, SearchProgress progress) {
    this(model, limit, progress, Search.Budget.MEMORIES);
  }

  /** As above, with another number of states that may be remembered. */
  LinearizabilityChecker(String model, Duration limit, SearchProgress progress, long memories) {
    if (limit.isNegative() || limit.isZero()) {
      throw new IllegalArgumentException("the limit must be positive, but is " + limit);
    }
    this.name = model;
    this.model = Model.named(model);
    this.understood = model.endsWith("register") ? OF_REGISTERS : Vocabulary.LEASE_OPERATIONS;
    this.limit = limit;
    this.progress = progress;
    this.memories = memories;
  }

  @Override
  public String name() {
    return PREFIX + name.replace(':', '-');
  }

  /**
   * Tells whether a result is of such a checker.
   *
   * @param checker the checker's name
   * @return whether it may be what {@link #name} returns
   */
  public static boolean isName(String checker) {
    return checker.startsWith(PREFIX);
  }

  /** The part of a history about one lock. */
  private static final class LockHistory {
    final String lock;
    final List<Call> calls = new ArrayList<>();
    final List<Operation> notices = new ArrayList<>();

    LockHistory(String lock) {
      this.lock = lock;
    }
  }

  private record Finding(
      Search.SearchOutcome outcome,
      List<String> words,
      Search.@Nullable Limit limit,
      @Nullable Violation violation) {

    static final Finding ORDER = new Finding(Search.SearchOutcome.ORDER, List.of(), null, null);

    static Finding notChecked(String lock, String why) {
      return notChecked(lock, why, null);
    }

    static Finding notChecked(String lock, String why, Search.@Nullable Limit limit) {
      return new Finding(
          Search.SearchOutcome.GAVE_UP,
          List.of("Not checked: lock \"" + lock + "\": " + why + "."),
          limit,
          null);
    }
  }

  @Override
  public Result check(History history) {
    Search.Budget budget = new Search.Budget(System.nanoTime() + limit.toNanos(), memories);
    Map<String, LockHistory> parts = new TreeMap<>();
    boolean anyOk = false;
    for (Call call : history.calls()) {
      if (understood.contains(call.f())) {
        parts.computeIfAbsent(call.lock(), LockHistory::new).calls.add(call);
        anyOk |= call.isOk();
      }
    }
    if (!anyOk) {
      return Result.nothingSeen(name(), "no operation succeeded");
    }
    Result doubt = model.hasExpiry() ? ClockDoubt.of(name(), history) : null;
    if (doubt != null) {
      return doubt;
    }
    for (Operation notice : history.notices()) {
      LockHistory part = parts.get(notice.lock());
      if (part != null) {
        part.notices.add(notice);
      }
    }
    return conclude(examine(List.copyOf(parts.values()), budget));
  }

  private Result conclude(List<Finding> findings) {
    Map<Search.SearchOutcome, List<Finding>> byOutcome =
        findings.stream().collect(Collectors.groupingBy(Finding::outcome));
    List<Finding> broken = byOutcome.getOrDefault(Search.SearchOutcome.NO_ORDER, List.of());
    List<Finding> unfinished = byOutcome.getOrDefault(Search.SearchOutcome.GAVE_UP, List.of());
    if (broken.isEmpty() && !unfinished.isEmpty()) {
      String limits =
          unfinished.stream()
              .map(Finding::limit)
              .filter(Objects::nonNull)
              .distinct()
              .sorted()
              .map(this::inWords)
              .collect(Collectors.joining(", and "));
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not checked: "
              + Formats.count(unfinished.size(), "lock")
              + (limits.isEmpty() ? "." : ", because " + limits + "."),
          unfinished.stream().flatMap(finding -> finding.words.stream()).toList());
    }
    if (broken.isEmpty()) {
      return new Result(
          name(),
          Verdict.VALID,
          "There is an order that explains all operations on "
              + Formats.count(findings.size(), "lock")
              + ".",
          List.of());
    }
    return new Result(
        name(),
        Verdict.INVALID,
        "No order explains the operations on " + Formats.count(broken.size(), "lock") + ".",
        broken.stream().flatMap(finding -> finding.words.stream()).toList(),
        List.of(),
        broken.stream().map(Finding::violation).filter(Objects::nonNull).toList());
  }

  private String inWords(Search.Limit hit) {
    return switch (hit) {
      case TIME -> "the time limit of " + Formats.seconds(limit.toNanos()) + " was hit";
      case MEMORY -> String.format(Locale.ROOT, "the memory limit of %,d states was hit", memories);
      case INTERRUPT -> "it was interrupted";
    };
  }

  private List<Finding> examine(List<LockHistory> parts, Search.Budget budget) {
    AtomicInteger checked = new AtomicInteger();
    List<Callable<Finding>> tasks = new ArrayList<>();
    int calls = 0;
    for (LockHistory part : parts) {
      calls += part.calls.size();
      tasks.add(
          () -> {
            Finding finding = safely(part, budget);
            progress.checked(checked.incrementAndGet(), parts.size());
            return finding;
          });
    }
    if (parts.size() == 1 || calls < WORTH_THREADS) {
      return parts.stream().map(part -> safely(part, budget)).toList();
    }
    return Parallel.run(
        tasks,
        limit.toNanos(),
        late -> {
          Search.Limit hit =
              Thread.currentThread().isInterrupted() ? Search.Limit.INTERRUPT : Search.Limit.TIME;
          return Finding.notChecked(parts.get(late).lock, inWords(hit), hit);
        });
  }

  /** Checks one lock; that one of many cannot be checked hides no violation of another. */
  private Finding safely(LockHistory part, Search.Budget budget) {
    try {
      return examine(part, budget.shared());
    } catch (OutOfMemoryError e) { // then the others may go on
      return Finding.notChecked(part.lock, "the Java heap is full; java -Xmx4g, say, gives more");
    } catch (Throwable e) {
      return Finding.notChecked(part.lock, "the checker failed with " + e);
    }
  }

  private Finding examine(LockHistory part, Search.Budget budget) {
    for (Call call : part.calls) {
      Operation completion = call.completion();
      String problem = problem(call.invocation());
      problem = problem == null && completion != null ? problem(completion) : problem;
      if (problem != null) {
        return Finding.notChecked(part.lock, problem + ": " + call.describe());
      }
    }
    List<Step> steps = steps(part.calls, part.notices);
    // What is valid is so at a glance, nearly always; what is not may take very long to refute.
    Search.SearchOutcome outcome = Search.glance(model, steps, budget);
    if (outcome == Search.SearchOutcome.GAVE_UP && model.contradiction(steps) != null) {
      return new Prefixes(part, budget.part(PART_FOR_PREFIX)).explanation();
    }
    if (outcome == Search.SearchOutcome.GAVE_UP) {
      outcome = Search.run(model, steps, budget);
    }
    return switch (outcome) {
      case ORDER -> Finding.ORDER;
      case GAVE_UP -> {
        Search.Limit hit = Objects.requireNonNull(budget.hit());
        yield Finding.notChecked(part.lock, inWords(hit), hit);
      }
      case NO_ORDER -> new Prefixes(part, budget).explanation();
    };
  }

  /**
   * Says why an operation is not one that this checker's model can check or leave out.
   *
   * @param operation of any kind
   * @return what is wrong with it, as a sentence without its full stop; null if nothing is
   */
  public @Nullable String problem(Operation operation) {
    String f = operation.f();
    boolean isOther = !understood.contains(f) && (isLock() && OF_RESOURCES.contains(f));
    boolean isNotice = isLock() && (f.equals(Vocabulary.LOST) || f.equals(Vocabulary.EXPIRE));
    if (operation.isNemesis() || isOther || isNotice) {
      return null;
    } else if (!model.operations().contains(f)) {
      return "the model does not know "
          + f
          + "; "
          + name
          + " has "
          + model.operations().stream().sorted().collect(Collectors.joining(", "));
    }
    if (!isLock() && operation.value().containsKey(Step.PLAIN)) {
      String others = Step.others(operation).sorted().collect(Collectors.joining(", "));
      if (!others.isEmpty()) {
        return "what the value is cannot be told: beside the key value it has " + others;
      }
    }
    boolean isPair = operation.value().get(Step.PLAIN) instanceof List<?> pair && pair.size() == 2;
    return f.equals("cas") && operation.type() == Operation.Type.INVOKE && !isPair
        ? "the value of a cas must be a pair of the expected value and the new one"
        : null;
  }

  private boolean isLock() {
    return understood.contains(Vocabulary.ACQUIRE);
  }

  private List<Step> steps(List<Call> calls, List<Operation> notices) {
    List<Step> steps = new ArrayList<>();
    List<Step> losses = new ArrayList<>();
    for (Call call : calls) {
      boolean isLoss = call.f().equals(Vocabulary.LOST) || call.f().equals(Vocabulary.EXPIRE);
      // A renewal that is not known to have happened prolongs nothing, and need not have.
      boolean mustBeOk = call.f().equals(Vocabulary.RENEW) || call.f().equals(Vocabulary.BELIEF);
      boolean isNothing = call.isFailed() || (mustBeOk && !call.isOk());
      if (!isNothing && (!isLoss || (model.hasExpiry() && call.isOk()))) {
        steps.add(Step.of(call));
      }
      if (!isNothing && isLoss) {
        losses.add(Step.loss(call));
      }
    }
    if (model.hasExpiry()) {
      steps.addAll(losses);
      notices.stream()
          .filter(n -> n.f().equals(Vocabulary.LOST) || n.f().equals(Vocabulary.EXPIRE))
          .forEach(notice -> steps.add(Step.loss(notice)));
    }
    return steps;
  }

  /**
   * The beginnings of what happened to a lock, each ending with an answer. What was not answered by
   * then is open, and what is told later is not known.
   */
  private final class Prefixes {
    private final LockHistory part;
    private final Search.Budget budget;

    /** The answers that say whether something happened, in their order. */
    private final List<Call> answers;

    private final IdentityHashMap<Call, Integer> places = new IdentityHashMap<>();

    Prefixes(LockHistory part, Search.Budget budget) {
      this.part = part;
      this.budget = budget;
      this.answers =
          part.calls.stream()
              .filter(call -> call.isOk() || call.isFailed())
              .sorted(Comparator.comparingLong(Call::completedAt))
              .toList();
      for (Call call : answers) {
        places.put(call, places.size());
      }
    }

    /** Returns what was known after that many answers; at least one. */
    private List<Call> known(int count) {
      long end = answers.get(count - 1).completedAt();
      List<Call> known = new ArrayList<>();
      for (Call call : part.calls) {
        if (call.invokedAt() <= end) {
          Integer place = places.get(call);
          boolean isTold = place == null ? call.completedAt() <= end : place < count;
          known.add(isTold ? call : new Call(call.invocation(), null));
        }
      }
      return known;
    }

    private List<Step> steps(int count) {
      long end = answers.get(count - 1).completedAt();
      return LinearizabilityChecker.this.steps(
          known(count), part.notices.stream().filter(notice -> notice.time() <= end).toList());
    }

    Finding explanation() {
      // Of two of which each hides nothing of the other, what is seen at a glance narrows it first.
      int low = 1;
      int high = answers.size();
      String contradiction = model.contradiction(steps(high));
      while (contradiction != null && low < high) {
        int middle = (low + high) >>> 1;
        String found = model.contradiction(steps(middle));
        contradiction = found != null ? found : contradiction;
        low = found != null ? low : middle + 1;
        high = found != null ? middle : high;
      }
      int seen = high;
      low = 1;
      boolean isSmallest = true;
      while (low < high && isSmallest) {
        int middle = (low + high) >>> 1;
        switch (Search.run(model, steps(middle), budget)) {
          case NO_ORDER -> high = middle;
          case ORDER -> low = middle + 1;
          case GAVE_UP -> isSmallest = false;
        }
      }
      Call last = answers.get(high - 1);
      String culprit = (last.isFailed() ? "that there failed the " : "") + last.describe();
      boolean isSeen = contradiction != null && high == seen;
      if (!isSmallest) {
        return finding(
            last,
            List.of(),
            List.of(
                "Nothing explains "
                    + (isSeen
                        ? culprit + ": " + contradiction
                        : "what happened up to the " + culprit)
                    + "; whether something before it is to blame was not found out in time."));
      }
      return finding(
          last,
          Search.longest(model, steps(high), budget),
          List.of(
              "Nothing explains "
                  + culprit
                  + ": "
                  // Of a register there may have been any number of states.
                  + (isSeen && !isLock()
                      ? contradiction
                      : "before it the state was one of " + states(high - 1))
                  + ".",
              prefix(high)));
    }

    private Finding finding(Call last, List<Violation.Placed> order, List<String> words) {
      List<Violation.Placed> end = order.subList(Math.max(0, order.size() - NAMED), order.size());
      return new Finding(
          Search.SearchOutcome.NO_ORDER,
          words,
          null,
          new Violation(
              "No order explains "
                  + (last.isFailed() ? "that the " : "the ")
                  + last.f()
                  + " of \""
                  + last.lock()
                  + "\" by "
                  + last.client()
                  + (last.isFailed() ? " failed" : ""),
              words.get(0),
              List.of(last.invocation().index()),
              end));
    }

    private String states(int count) {
      Set<Object> states =
          count == 0
              ? Set.of(model.initial())
              : Search.finalStates(model, steps(count), budget, answers.get(count).completedAt());
      List<String> words = states.stream().map(Object::toString).distinct().sorted().toList();
      return words.size() <= NAMED
          ? words.toString()
          : words.subList(0, NAMED) + " and " + (words.size() - NAMED) + " more";
    }

    private String prefix(int count) {
      List<Call> calls = known(count);
      int from = Math.max(0, calls.size() - NAMED);
      return "The smallest failing prefix has "
          + Formats.count(calls.size(), "call")
          + " on lock \""
          + part.lock
          + "\""
          + (from == 0 ? ": " : ", the last of them: ")
          + calls.subList(from, calls.size()).stream()
              .map(LinearizabilityChecker::told)
              .collect(Collectors.joining("; "))
          + ".";
    }
  }

  private static String told(Call call) {
    @Nullable Operation completion = call.completion();
    return call.describe() + ": " + (completion == null ? "open" : completion.type().text());
  }
}
