package dev.holdfast.history.check;

import dev.holdfast.history.Vocabulary;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The search for an order: depth first, taking out of a list of invocations and answers one
 * operation after the other that may come next, and never trying again to go on from operations and
 * a state that led nowhere (Wing and Gong, "Testing and verifying concurrent objects", JPDC 17,
 * 1993; with the memory of Lowe, "Testing for linearizability", CCPE 29(4), 2017). What is open,
 * and so need not have happened, is tried last. Nothing here recurs, so a history may be of any
 * length.
 *
 * <p>What is remembered of a set of operations is a fingerprint of 128 bits, the exclusive or of
 * random numbers, one for each operation: a set takes as little memory, and a step as little time,
 * in a long history as in a short one. That two of the few million sets of a search are taken for
 * one is less likely than 1 in 10^24.
 */
final class Search {
  /** One step in this many checks the remaining budget. */
  private static final int LOOK = 1_024;

  /** The most steps for each operation that a valid history takes, as a rule. */
  private static final int FEW = 20;

  /** The outcome of a search. */
  enum SearchOutcome {
    ORDER,
    NO_ORDER,
    GAVE_UP
  }

  /** Resources that a search may use up. */
  enum Limit {
    TIME,
    MEMORY,
    INTERRUPT
  }

  /** A budget that several searches share. Thread-safe. */
  static final class Budget {
    /** The most states that are remembered: some 100 bytes each. */
    static final long MEMORIES = 3_000_000;

    private final long deadline;
    private final AtomicLong memories;
    private volatile @Nullable Limit hit;

    /** A budget until that time by {@link System#nanoTime()}. */
    Budget(long deadline) {
      this(deadline, MEMORIES);
    }

    Budget(long deadline, long memories) {
      this(deadline, new AtomicLong(memories));
    }

    private Budget(long deadline, AtomicLong memories) {
      this.deadline = deadline;
      this.memories = memories;
    }

    /** The same budget for one of those that use it, which is to know by itself what it hit. */
    Budget shared() {
      return new Budget(deadline, memories);
    }

    /** That part of the time that is left, and the same memory. */
    Budget part(int divisor) {
      long now = System.nanoTime();
      return new Budget(now + Math.max(0, deadline - now) / divisor, memories);
    }

    /** Returns which limit ended a search; null if none has been hit. */
    @Nullable Limit hit() {
      return hit;
    }

    boolean isSpent() {
      if (Thread.currentThread().isInterrupted()) {
        hit = Limit.INTERRUPT;
      } else if (memories.get() < 0) {
        hit = Limit.MEMORY;
      } else if (System.nanoTime() - deadline > 0) {
        hit = Limit.TIME;
      }
      return hit != null;
    }
  }

  /** An invocation or an answer, in a list from which both can be taken and put back. */
  private static final class CallEntry {
    final int step;
    final boolean isCall;
    final boolean isOpen;
    int place;
    boolean isTaken;
    @Nullable CallEntry answer;
    CallEntry call = this;

    /** The call before it of the same process, which comes first even if no time passed. */
    @Nullable CallEntry previous;

    CallEntry before = this;
    CallEntry after = this;

    CallEntry(int step, boolean isCall, boolean isOpen) {
      this.step = step;
      this.isCall = isCall;
      this.isOpen = isOpen;
    }

    /** Returns whether nothing of its own process must come first. */
    boolean isInTurn() {
      return previous == null || previous.isTaken;
    }

    void takeOut() {
      isTaken = true;
      before.after = after;
      after.before = before;
      if (answer != null) {
        answer.takeOut();
      }
    }

    void putBack() {
      isTaken = false;
      if (answer != null) {
        answer.putBack();
      }
      before.after = this;
      after.before = this;
    }

    void append(CallEntry last) {
      last.before = before;
      last.after = this;
      before.after = last;
      before = last;
    }
  }

  /**
   * A choice that can be taken back.
   *
   * @param limit the place of the answer that had to be explained when it was made
   */
  private record Taken(CallEntry call, Object stateBefore, int limit) {}

  private record VisitedState(long high, long low, Object state) {}

  private final Model model;
  private final List<Step> steps;
  private final Budget budget;

  /** When the history ends. */
  private final long end;

  /** Before the invocations and answers of what was answered. */
  private final CallEntry answered = new CallEntry(-1, false, false);

  /** Before the invocations of what is open. */
  private final CallEntry open = new CallEntry(-1, false, true);

  /** The choice that the lease that is held ends by itself, which is no operation. */
  private final CallEntry expiry = new CallEntry(-1, false, false);

  /** All invocations and answers in order. */
  private final List<CallEntry> nodes = new ArrayList<>();

  private final Set<VisitedState> seen = new HashSet<>();
  private final long[] highs;
  private final long[] lows;
  private long high;
  private long low;
  private int answersLeft;
  private List<Violation.Placed> longest = List.of();
  private long tried;
  private long most = Long.MAX_VALUE;

  private Search(Model model, List<Step> steps, Budget budget, long end) {
    this.model = model;
    this.steps = steps;
    this.budget = budget;
    this.end = end;
    SplittableRandom random = new SplittableRandom(steps.size());
    this.highs = random.longs(steps.size()).toArray();
    this.lows = random.longs(steps.size()).toArray();
    link();
  }

  /** Looks for an order. */
  static SearchOutcome run(Model model, List<Step> steps, Budget budget) {
    return new Search(model, steps, budget, Long.MAX_VALUE).run(null);
  }

  /** As {@link #run}, but gives up where it takes more than a few steps for each operation. */
  static SearchOutcome glance(Model model, List<Step> steps, Budget budget) {
    Search search = new Search(model, steps, budget, Long.MAX_VALUE);
    search.most = (long) FEW * steps.size();
    return search.run(null);
  }

  /** Returns how many steps it takes to find out, for tests of how that grows. */
  static long count(Model model, List<Step> steps, Budget budget) {
    Search search = new Search(model, steps, budget, Long.MAX_VALUE);
    SearchOutcome unused = search.run(null);
    return search.tried;
  }

  /**
   * The states in which the operations can end, as far as they are found within the budget.
   *
   * @param end until when leases may end by themselves
   */
  static Set<Object> finalStates(Model model, List<Step> steps, Budget budget, long end) {
    Set<Object> states = new HashSet<>();
    SearchOutcome unused = new Search(model, steps, budget, end).run(states);
    return states;
  }

  /** The longest order of a part of the operations that was found, with the state after each. */
  static List<Violation.Placed> longest(Model model, List<Step> steps, Budget budget) {
    Search search = new Search(model, steps, budget, Long.MAX_VALUE);
    SearchOutcome unused = search.run(null);
    return search.longest;
  }

  private void link() {
    Map<Long, CallEntry> latest = new HashMap<>(); // by process
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      boolean isOpen = step.open();
      CallEntry call = new CallEntry(i, true, isOpen);
      CallEntry previous = isOpen ? latest.get(step.process()) : latest.put(step.process(), call);
      boolean isNotice = step.isLoss() && isOpen; // it is no call of that process
      boolean isAtOnce =
          previous != null && !isNotice && steps.get(previous.step).to() == step.from();
      call.previous = isAtOnce ? previous : null;
      nodes.add(call);
      if (!isOpen) {
        CallEntry answer = new CallEntry(i, false, false);
        answer.call = call;
        call.answer = answer;
        nodes.add(answer);
        answersLeft++;
      }
    }
    // At equal times all invocations come first: then the operations are concurrent, but for those
    // of one process.
    nodes.sort(
        Comparator.<CallEntry>comparingLong(
                node -> node.isCall ? steps.get(node.step).from() : steps.get(node.step).to())
            .thenComparing(node -> !node.isCall));
    for (int i = 0; i < nodes.size(); i++) {
      CallEntry node = nodes.get(i);
      node.place = i;
      (node.isOpen ? open : answered).append(node);
    }
  }

  /**
   * Searches.
   *
   * @param states where to put the states of all orders; null to stop at the first order
   */
  private SearchOutcome run(@Nullable Set<Object> states) {
    try {
      return search(states);
    } finally {
      long unused = budget.memories.addAndGet(seen.size());
    }
  }

  private SearchOutcome search(@Nullable Set<Object> states) {
    ArrayDeque<Taken> taken = new ArrayDeque<>();
    Object state = model.initial();
    int limit = firstAnswer();
    CallEntry node = next(answered, limit);
    while (true) {
      if (++tried > most || (tried % LOOK == 0 && budget.isSpent())) {
        return SearchOutcome.GAVE_UP;
      }
      if (answersLeft == 0 && states == null) {
        return SearchOutcome.ORDER;
      } else if (answersLeft == 0 && states != null) {
        states.add(state);
      }
      if (node == expiry) {
        Object ended = model.afterExpiry(state, timeOf(limit));
        if (ended == null) {
          node = open.after;
        } else if (isNew(ended, 0, 0)) {
          taken.push(new Taken(node, state, limit));
          state = ended;
          node = next(answered, limit);
        } else {
          node = open;
        }
      } else if (node.isCall && node.place < limit) {
        Step step = steps.get(node.step);
        Object next = node.isInTurn() ? model.next(state, step) : null;
        // One that is open and changes nothing may as well not have happened.
        boolean isIdle = step.open() && state.equals(next);
        if (next != null && !isIdle && isNew(next, highs[node.step], lows[node.step])) {
          taken.push(new Taken(node, state, limit));
          mark(node.step);
          node.takeOut();
          answersLeft -= node.answer == null ? 0 : 1;
          state = next;
          limit = firstAnswer();
          node = next(answered, limit);
        } else {
          node = next(node, limit);
        }
      } else if (taken.isEmpty()) {
        return states != null && !states.isEmpty() ? SearchOutcome.ORDER : SearchOutcome.NO_ORDER;
      } else {
        // Nothing leads to the first answer: what was taken last is wrong.
        if (taken.size() > longest.size()) {
          longest = placed(taken, state);
        }
        Taken wrong = taken.pop();
        state = wrong.stateBefore;
        limit = wrong.limit;
        if (wrong.call == expiry) {
          node = open;
        } else {
          mark(wrong.call.step);
          wrong.call.putBack();
          answersLeft += wrong.call.answer == null ? 0 : 1;
          node = next(wrong.call, limit);
        }
      }
    }
  }

  /** By when what is taken next has happened. */
  private long timeOf(int limit) {
    return limit == Integer.MAX_VALUE ? end : steps.get(nodes.get(limit).step).to();
  }

  private List<Violation.Placed> placed(ArrayDeque<Taken> taken, Object last) {
    List<Taken> inOrder = new ArrayList<>();
    taken.descendingIterator().forEachRemaining(inOrder::add);
    List<Violation.Placed> placed = new ArrayList<>();
    long holder = 0;
    for (int i = 0; i < inOrder.size(); i++) {
      CallEntry call = inOrder.get(i).call;
      String after = (i + 1 < inOrder.size() ? inOrder.get(i + 1).stateBefore : last).toString();
      if (call == expiry) {
        // The end of the lease that is held, so of the last acquisition.
        placed.add(new Violation.Placed(holder, Vocabulary.EXPIRE, after));
      } else {
        Step step = steps.get(call.step);
        long index = step.call().invocation().index();
        holder = step.f().equals(Vocabulary.ACQUIRE) ? index : holder;
        placed.add(new Violation.Placed(index, step.f(), after));
      }
    }
    return placed;
  }

  /** The place of the first answer, before which its operation must be taken. */
  private int firstAnswer() {
    CallEntry node = answered.after;
    while (node.isCall) {
      node = node.after;
    }
    return node == answered ? Integer.MAX_VALUE : node.place;
  }

  /**
   * Returns what to try after that: first the operation of the first answer, which is right most
   * often, then the others that were invoked before that answer, then that the lease has ended by
   * itself, then what is open. Where a lease can have ended by itself, nothing that is open need
   * have ended it.
   */
  private CallEntry next(CallEntry node, int limit) {
    if (node == answered && limit < Integer.MAX_VALUE) {
      return nodes.get(limit).call;
    }
    CallEntry next = node.isOpen || !isUrgent(node, limit) ? node.after : answered.after;
    next = isUrgent(next, limit) ? next.after : next;
    return next.isCall || next.isOpen ? next : expiry;
  }

  private static boolean isUrgent(CallEntry node, int limit) {
    return node.answer != null && node.answer.place == limit;
  }

  /** Puts an operation into the fingerprint, or takes it out. */
  private void mark(int step) {
    high ^= highs[step];
    low ^= lows[step];
  }

  /**
   * Returns whether the search has not been at that state with what is taken, and that one more.
   */
  private boolean isNew(Object state, long moreHigh, long moreLow) {
    boolean isNew = seen.add(new VisitedState(high ^ moreHigh, low ^ moreLow, state));
    if (isNew) {
      long unused = budget.memories.decrementAndGet();
    }
    return isNew;
  }
}
