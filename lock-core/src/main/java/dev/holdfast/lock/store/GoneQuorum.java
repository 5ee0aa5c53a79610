package dev.holdfast.lock.store;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Believes that the index is gone when a majority of the nodes say so. A node that has been cut
 * off, or is slow, does not know an index that was made meanwhile, and says that there is none; it
 * must not end all leases. Indices are made and deleted by a majority of the nodes that may become
 * master ("Quorum-based decision making" in the Elasticsearch reference), so a majority knows the
 * one that there is. The operation that was refused is sent to one node after the other until one
 * carries it out, or enough have refused it. Thread-safe.
 *
 * @param <O> an operation
 * @param <R> its result
 */
public final class GoneQuorum<O, R> {
  private final List<Function<List<O>, CompletableFuture<List<R>>>> nodes;
  private final Predicate<R> isGone;
  private final BiFunction<R, String, R> unconfirmed;

  /** Asked first next time: one that answers. */
  private volatile int first;

  /**
   * Makes one.
   *
   * @param nodes each sends operations to one node, in one request, and gives as many results in
   *     the same order; at least one
   * @param isGone whether a result says that the index is gone
   * @param unconfirmed turns such a result into another, for the reason given, when too few nodes
   *     say so and none carries the operation out
   */
  public GoneQuorum(
      List<Function<List<O>, CompletableFuture<List<R>>>> nodes,
      Predicate<R> isGone,
      BiFunction<R, String, R> unconfirmed) {
    if (nodes.isEmpty()) {
      throw new IllegalArgumentException("at least one node is needed");
    }
    this.nodes = List.copyOf(nodes);
    this.isGone = isGone;
    this.unconfirmed = unconfirmed;
  }

  /**
   * The same results, where those that say that the index is gone are confirmed or replaced.
   *
   * @param results of any node, one for each operation; another number of them is handed on
   */
  public CompletableFuture<List<R>> confirmed(List<O> operations, List<R> results) {
    if (results.size() != operations.size() || results.stream().noneMatch(isGone)) {
      return CompletableFuture.completedFuture(results);
    }
    return new Poll(operations, results).ask(first, 0);
  }

  private boolean isEnough(int votes) {
    return votes > nodes.size() / 2;
  }

  /** Asks around about the operations of one request. One step at a time. */
  private final class Poll {
    private final List<O> operations;
    private final List<R> results;
    private final int[] votes;
    private String failures = "";

    Poll(List<O> operations, List<R> results) {
      this.operations = operations;
      this.results = new ArrayList<>(results);
      this.votes = new int[operations.size()];
    }

    private boolean isOpen(int operation) {
      return isGone.test(results.get(operation)) && !isEnough(votes[operation]);
    }

    CompletableFuture<List<R>> ask(int node, int asked) {
      int[] open = IntStream.range(0, operations.size()).filter(this::isOpen).toArray();
      if (open.length == 0) {
        return CompletableFuture.completedFuture(results);
      } else if (asked == nodes.size()) {
        for (int operation : open) {
          results.set(operation, unconfirmed.apply(results.get(operation), why(votes[operation])));
        }
        return CompletableFuture.completedFuture(results);
      }
      int next = (node + 1) % nodes.size();
      return Chain.of(
          nodes.get(node).apply(IntStream.of(open).mapToObj(operations::get).toList()),
          answers -> {
            if (answers.size() == open.length) {
              for (int i = 0; i < open.length; i++) {
                results.set(open[i], answers.get(i));
                votes[open[i]]++;
              }
            }
            return ask(next, asked + 1);
          },
          failure -> {
            failures += "; " + failure;
            first = next;
            return ask(next, asked + 1);
          });
    }

    private String why(int votes) {
      return votes + " of " + nodes.size() + " nodes say that the index is gone" + failures;
    }
  }
}
