package dev.holdfast.lock.internal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Believes that the index is gone when a majority of the nodes say so, and none knows better. A
 * node that has been cut off, or is slow, does not know an index that was made meanwhile, and says
 * that there is none; it must not end all leases. Indices are made and deleted by a majority of the
 * nodes that may become master ("Quorum-based decision making" in the Elasticsearch reference). An
 * operation that was rejected for want of its index is sent to one node after the other, until one
 * knows the index or all have been asked. Thread-safe.
 *
 * @param <O> an operation
 * @param <R> its result
 */
public final class GoneQuorum<O, R> {

  private final List<Function<List<O>, CompletableFuture<List<R>>>> nodes;
  private final Predicate<R> isGone;
  private final BiFunction<R, String, R> unconfirmed;

  /** Asked first next time: after one that did not answer. */
  private volatile int first;

  /**
   * Makes one.
   *
   * @param nodes each sends operations to one node, in one request, and gives as many results in
   *     the same order; at least one
   * @param isGone whether a result says that the index is gone
   * @param unconfirmed turns such a result into another, for the reason given, when too few nodes
   *     say so and none knows better
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
   * Sends operations of which some node has said that their index is gone.
   *
   * @return as many results in the same order; fails if no node answers. Cancelling it gives up the
   *     request that is out, and asks nobody else
   */
  public CompletableFuture<List<R>> ask(List<O> operations) {
    return new Poll(operations).ask(first, 0);
  }

  private boolean isEnough(int votes) {
    return votes > nodes.size() / 2;
  }

  /** Asks around about the operations of one request. One step at a time. */
  private final class Poll {
    private final List<O> operations;
    private final List<@Nullable R> results;
    private final int[] votes;
    private String failure = "";

    Poll(List<O> operations) {
      this.operations = operations;
      this.results = new ArrayList<>(Collections.nCopies(operations.size(), null));
      this.votes = new int[operations.size()];
    }

    private boolean isOpen(int operation) {
      R result = results.get(operation);
      return result == null || isGone.test(result);
    }

    CompletableFuture<List<R>> ask(int node, int asked) {
      int[] open = IntStream.range(0, operations.size()).filter(this::isOpen).toArray();
      if (open.length == 0 || asked == nodes.size()) {
        return ended();
      }
      int next = (node + 1) % nodes.size();
      CompletableFuture<List<R>> request =
          nodes.get(node).apply(IntStream.of(open).mapToObj(operations::get).toList());
      var unused =
          request.whenComplete(
              (answers, failed) -> {
                if (failed != null) {
                  // Also when it was given up: whoever is silent is not to be asked first again.
                  first = next;
                }
              });
      return CancellableFuture.of(
          request,
          answers -> {
            if (answers.size() == open.length) {
              for (int i = 0; i < open.length; i++) {
                results.set(open[i], answers.get(i));
                votes[open[i]]++;
              }
            }
            return ask(next, asked + 1);
          },
          failed -> {
            failure = "; one did not answer: " + Texts.shortened(failed.toString());
            return ask(next, asked + 1);
          });
    }

    private CompletableFuture<List<R>> ended() {
      List<R> all = new ArrayList<>(operations.size());
      for (int i = 0; i < operations.size(); i++) {
        R result = results.get(i);
        if (result == null) {
          return CompletableFuture.failedFuture(new IOException(why(0)));
        }
        all.add(
            isGone.test(result) && !isEnough(votes[i])
                ? unconfirmed.apply(result, why(votes[i]))
                : result);
      }
      return CompletableFuture.completedFuture(all);
    }

    private String why(int votes) {
      return votes + " of " + nodes.size() + " nodes say that the index is gone" + failure;
    }
  }
}
