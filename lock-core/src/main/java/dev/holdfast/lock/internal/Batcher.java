package dev.holdfast.lock.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Group commit: an operation leaves at once while few requests are out; else it waits for one of
 * them to return, and leaves with all that have gathered meanwhile. So a lone operation is never
 * delayed, and batches grow with the load and with the time that the server takes, without a timer
 * (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984).
 *
 * <p>An operation that is cancelled before it leaves does not leave. A request is given up when all
 * its operations are cancelled, and stands in nobody's way any more from the first one's on: its
 * deadline has passed, so the server is silent, and what comes next may be sent elsewhere.
 * Thread-safe; operations are sent, and their futures completed, on the threads that bring them.
 *
 * <p>A request that is rejected for its size leaves again in smaller ones, and one that left on a
 * dead connection leaves again, without the operations that have been cancelled meanwhile. Only an
 * operation that is too large by itself fails.
 *
 * <p>A request's place is free when the futures of its operations have been completed, and their
 * threads that run meanwhile: what is submitted until then gathers instead of leaving one by one.
 * So what depends on those futures must not block.
 *
 * @param <O> an operation
 * @param <R> its result
 */
public final class Batcher<O, R> {
  private final Function<List<O>, CompletableFuture<List<R>>> sender;
  private final int maxRequests;
  private final int maxOperations;
  private final SizeLimit limit;
  private final Predicate<Throwable> isStale;

  /**
   * How often an operation leaves again after connections that were dead: as often as there may be
   * connections to a node.
   */
  public static final int MAX_DEAD_CONNECTIONS = 10;

  // Guarded by this.
  private final ArrayDeque<Item> waiting = new ArrayDeque<>();

  private int requests;

  /**
   * Makes one whose requests are never rejected for their size.
   *
   * @param maxRequests how many requests may be out before operations wait, 1 or more
   * @param maxOperations in one request, 1 or more
   * @param maxBytes in one request, unless one operation alone has more
   * @param sender sends operations in one request, and gives as many results in the same order;
   *     what it fails with is what all of them fail with
   */
  public Batcher(
      int maxRequests,
      int maxOperations,
      long maxBytes,
      Function<List<O>, CompletableFuture<List<R>>> sender) {
    this(
        maxRequests,
        maxOperations,
        new SizeLimit(maxBytes, (failure, bytes) -> false),
        failure -> false,
        sender);
  }

  /**
   * Makes one.
   *
   * @param limit of the size of one request, unless one operation alone has more
   * @param isStale whether a request failed because of a connection that was dead before it left:
   *     its operations leave again, and must bear being sent more than once
   */
  public Batcher(
      int maxRequests,
      int maxOperations,
      SizeLimit limit,
      Predicate<Throwable> isStale,
      Function<List<O>, CompletableFuture<List<R>>> sender) {
    this.maxRequests = maxRequests;
    this.maxOperations = maxOperations;
    this.limit = limit;
    this.isStale = isStale;
    this.sender = sender;
  }

  /**
   * Sends an operation of that size, alone or with others.
   *
   * @return its own result; cancelling it gives the operation up
   */
  public CompletableFuture<R> submit(O operation, long bytes) {
    Item item = new Item(operation, bytes);
    Batch batch;
    synchronized (this) {
      waiting.add(item);
      batch = gather();
    }
    send(batch);
    return item;
  }

  /** The next batch, if there are operations, and few enough requests out. Guarded by this. */
  private @Nullable Batch gather() {
    if (requests >= maxRequests) {
      return null;
    }
    long maxBytes = limit.bytes();
    List<Item> items = new ArrayList<>();
    long bytes = 0;
    int most = maxOperations;
    // The first always leaves. What does not fit beside it is passed by what does.
    Iterator<Item> rest = waiting.iterator();
    while (rest.hasNext() && items.size() < most && bytes < maxBytes) {
      Item next = rest.next();
      if (next.isDone()) {
        rest.remove();
      } else if (items.isEmpty()
          || (bytes + next.bytes <= maxBytes && items.size() < next.mostTogether)) {
        rest.remove();
        items.add(next);
        bytes += next.bytes;
        most = Math.min(most, next.mostTogether);
      }
    }
    if (items.isEmpty()) {
      return null;
    }
    requests++;
    Batch batch = new Batch(items, bytes);
    items.forEach(item -> item.batch = batch);
    return batch;
  }

  private void send(@Nullable Batch batch) {
    if (batch == null) {
      return;
    }
    CompletableFuture<List<R>> request;
    try {
      List<O> operations = new ArrayList<>(batch.items.size());
      batch.items.forEach(item -> operations.add(item.operation));
      request = Objects.requireNonNull(sender.apply(operations), "the sender returned null");
    } catch (RuntimeException | Error e) {
      // Also of memory: a request that is never heard of again must not count as out for ever.
      request = CompletableFuture.failedFuture(e);
    }
    boolean givenUp;
    synchronized (this) {
      batch.request = request;
      givenUp = batch.open == 0;
    }
    if (givenUp) {
      request.cancel(false);
    }
    var unused =
        request.handle(
            (results, failure) -> {
              try {
                if (failure != null) {
                  failed(batch, failure);
                } else {
                  limit.passed(batch.bytes);
                  batch.complete(results);
                }
              } catch (RuntimeException | Error e) {
                // Nobody waits for ever, also where memory has run out.
                batch.items.forEach(item -> item.completeExceptionally(e));
              } finally {
                send(ended(batch));
                send(more());
              }
              return batch;
            });
  }

  /** Completes the operations of a request that failed, but for those that leave again. */
  private void failed(Batch batch, Throwable failure) {
    boolean stale = isStale.test(failure);
    boolean inParts = false;
    List<Item> again =
        stale
            ? batch.items.stream().filter(item -> item.staleSends < MAX_DEAD_CONNECTIONS).toList()
            : List.of();
    if (again.size() < batch.items.size()
        && limit.isExceeded(failure, batch.bytes)
        && batch.items.size() > 1) {
      inParts = true;
      // First the small ones, which are not to suffer from their neighbours' size any longer.
      again = new ArrayList<>(batch.items);
      again.sort(Comparator.comparingLong(item -> item.bytes));
    }
    synchronized (this) {
      for (int i = again.size() - 1; i >= 0; i--) {
        Item item = again.get(i);
        item.batch = null;
        if (inParts) {
          // Not by bytes alone: a server that rejects any size would be asked for ever.
          item.mostTogether = batch.items.size() / 2;
        }
        if (stale) {
          item.staleSends++;
        }
        waiting.addFirst(item);
      }
    }
    if (again.size() < batch.items.size()) {
      Set<Item> leaving = Set.copyOf(again);
      batch.items.stream()
          .filter(item -> !leaving.contains(item))
          .forEach(item -> item.completeExceptionally(failure));
    }
  }

  private synchronized @Nullable Batch more() {
    return gather();
  }

  /** A request has returned, or is not waited for any more: there is room for the next. */
  private synchronized @Nullable Batch ended(Batch batch) {
    if (batch.counts) {
      batch.counts = false;
      requests--;
    }
    return gather();
  }

  private void cancelled(Item item) {
    Batch batch;
    CompletableFuture<List<R>> givenUp = null;
    synchronized (this) {
      batch = item.batch;
      if (batch != null && --batch.open == 0) {
        givenUp = batch.request;
      }
    }
    if (batch != null) {
      send(ended(batch));
    }
    if (givenUp != null) {
      givenUp.cancel(false);
    }
  }

  /** Operations that left together. */
  private final class Batch {
    final List<Item> items;
    final long bytes;

    // Guarded by the batcher.
    int open;
    boolean counts = true;
    @Nullable CompletableFuture<List<R>> request;

    Batch(List<Item> items, long bytes) {
      this.items = items;
      this.bytes = bytes;
      this.open = items.size();
    }

    void complete(@Nullable List<R> results) {
      if (results != null && results.size() == items.size()) {
        for (int i = 0; i < items.size(); i++) {
          items.get(i).complete(results.get(i));
        }
        return;
      }
      int answered = results == null ? 0 : results.size();
      Throwable cause =
          new IllegalStateException(
              "Elasticsearch answered " + answered + " items for " + items.size());
      items.forEach(item -> item.completeExceptionally(cause));
    }
  }

  private final class Item extends CompletableFuture<R> {
    final O operation;
    final long bytes;

    /** Guarded by the batcher. */
    @Nullable Batch batch;

    /** With how many it may leave, itself included. Guarded by the batcher. */
    int mostTogether = maxOperations;

    /** How often it left on a connection that was dead. Written while it is in one request. */
    volatile int staleSends;

    Item(O operation, long bytes) {
      this.operation = operation;
      // What takes nothing would be parted from nothing.
      this.bytes = Math.max(1, bytes);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = CancellableFuture.cancel(this);
      if (cancelled) {
        cancelled(this);
      }
      return cancelled;
    }
  }
}
