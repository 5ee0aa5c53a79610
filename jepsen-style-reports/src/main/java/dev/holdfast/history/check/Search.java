package dev.holdfast.history.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The search for an order: depth first, taking out of a list of invocations and answers one
 * operation after the other that may come next, and never trying again to go on from operations and
 * a state that led nowhere (Wing and Gong, "Testing and verifying concurrent objects", JPDC 17,
 * 1993; with the memory of Lowe, "Testing for linearizability", CCPE 29(4), 2017). Nothing here
 * recurs, so a history may be of any length.
 */
final class Search {
  /** How many pairs of operations and state are remembered before it gives up. */
  private static final int MAX_MEMORY = 2_000_000;

  /** One in so many steps looks at the time. */
  private static final int LOOK = 1_024;

  /** What came of it. */
  enum Outcome {
    ORDER,
    NO_ORDER,
    GAVE_UP
  }

  /** An invocation or an answer, in a list from which both can be taken and put back. */
  private static final class Node {
    final int step;
    final boolean isCall;
    @Nullable Node answer;
    Node before = this;
    Node after = this;

    Node(int step, boolean isCall) {
      this.step = step;
      this.isCall = isCall;
    }

    void takeOut() {
      before.after = after;
      after.before = before;
      if (answer != null) {
        answer.takeOut();
      }
    }

    void putBack() {
      if (answer != null) {
        answer.putBack();
      }
      before.after = this;
      after.before = this;
    }
  }

  private record Taken(Node call, Object stateBefore) {}

  private record Seen(BitSet done, Object state) {}

  private final Model model;
  private final List<Step> steps;
  private final long deadline;
  private final Node head = new Node(-1, false);
  private final Set<Seen> seen = new HashSet<>();
  private final BitSet done = new BitSet();
  private int answersLeft;

  private Search(Model model, List<Step> steps, long deadline) {
    this.model = model;
    this.steps = steps;
    this.deadline = deadline;
    link();
  }

  /** Looks for an order until that time by {@link System#nanoTime()}. */
  static Outcome run(Model model, List<Step> steps, long deadline) {
    return new Search(model, steps, deadline).run(null);
  }

  /** The states in which the operations can end, as far as they are found in time. */
  static Set<Object> finalStates(Model model, List<Step> steps, long deadline) {
    Set<Object> states = new HashSet<>();
    Outcome unused = new Search(model, steps, deadline).run(states);
    return states;
  }

  private void link() {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      Node call = new Node(i, true);
      nodes.add(call);
      if (!steps.get(i).open()) {
        Node answer = new Node(i, false);
        call.answer = answer;
        nodes.add(answer);
        answersLeft++;
      }
    }
    // At equal times all invocations come first: then the operations are concurrent.
    nodes.sort(
        Comparator.<Node>comparingLong(
                node -> node.isCall ? steps.get(node.step).from() : steps.get(node.step).to())
            .thenComparing(node -> !node.isCall));
    Node last = head;
    for (Node node : nodes) {
      node.before = last;
      last.after = node;
      last = node;
    }
    last.after = head;
    head.before = last;
  }

  /**
   * Searches.
   *
   * @param states where to put the states of all orders; null to stop at the first order
   */
  private Outcome run(@Nullable Set<Object> states) {
    ArrayDeque<Taken> taken = new ArrayDeque<>();
    Object state = model.initial();
    Node node = head.after;
    int count = 0;
    while (true) {
      if (++count % LOOK == 0 && (System.nanoTime() - deadline > 0 || seen.size() > MAX_MEMORY)) {
        return Outcome.GAVE_UP;
      }
      if (answersLeft == 0 && states == null) {
        return Outcome.ORDER;
      } else if (answersLeft == 0 && states != null) {
        states.add(state);
      }
      if (node != head && node.isCall) {
        Step step = steps.get(node.step);
        Object next = model.next(state, step);
        // One that is open and changes nothing may as well not have happened.
        boolean isIdle = step.open() && state.equals(next);
        if (next != null && !isIdle && isNew(node.step, next)) {
          taken.push(new Taken(node, state));
          done.set(node.step);
          node.takeOut();
          answersLeft -= node.answer == null ? 0 : 1;
          state = next;
          node = head.after;
        } else {
          node = node.after;
        }
      } else if (taken.isEmpty()) {
        return states != null && !states.isEmpty() ? Outcome.ORDER : Outcome.NO_ORDER;
      } else {
        // An answer whose operation has not been taken, or the end: what was taken last is wrong.
        Taken wrong = taken.pop();
        Node call = wrong.call();
        done.clear(call.step);
        call.putBack();
        answersLeft += call.answer == null ? 0 : 1;
        state = wrong.stateBefore();
        node = call.after;
      }
    }
  }

  private boolean isNew(int step, Object next) {
    BitSet after = (BitSet) done.clone();
    after.set(step);
    return seen.add(new Seen(after, next));
  }
}
