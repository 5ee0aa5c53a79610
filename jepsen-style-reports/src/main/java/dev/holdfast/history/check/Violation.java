package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing that is wrong, and the operations that show it. Immutable.
 *
 * @param what what is wrong, in a short sentence without its full stop
 * @param detail that, with the operations in words; one of the details of the result
 * @param operations the indices of the invocations of the calls that show it, the one to blame
 *     last; empty if it is about no calls in particular
 * @param order the longest order of operations that a model allows, with the state after each; its
 *     end if it is long, and empty for checkers that look for no order
 */
public record Violation(String what, String detail, List<Long> operations, List<Placed> order) {

  /** Copies the lists. */
  public Violation {
    operations = List.copyOf(operations);
    order = List.copyOf(order);
  }

  /**
   * An operation that has its place in an order.
   *
   * @param operation the index of its invocation
   * @param what what was done, such as {@code acquire}, or {@code expire} where a lease ended
   * @param state the state after it
   */
  public record Placed(long operation, String what, String state) {}

  /**
   * A violation that some calls show.
   *
   * @param what what is wrong, in a short sentence without its full stop
   * @param calls the calls in order, the one to blame last
   * @return the violation
   */
  public static Violation of(String what, Call... calls) {
    String words = Arrays.stream(calls).map(Call::describe).collect(Collectors.joining(", then "));
    return new Violation(
        what,
        words.isEmpty() ? what + "." : what + ": " + words + ".",
        Arrays.stream(calls).map(call -> call.invocation().index()).toList(),
        List.of());
  }
}
