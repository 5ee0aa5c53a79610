package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.SimCluster.Expected;
import dev.holdfast.chaos.sim.SimCluster.Write;
import dev.holdfast.chaos.sim.SimCluster.WriteAnswer;
import dev.holdfast.chaos.sim.SimCluster.Written;
import dev.holdfast.lock.internal.Batcher;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.GoneQuorum;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One client's way to the simulated cluster. Like the real store it sends what gathers while
 * requests are out together, each request to the next node; it remembers the incarnation; and it is
 * learns of nothing but answers: a lost message is silence.
 */
final class SimulatedStore implements LockStore {
  /** As many as the real store has out, of writes and of reads. */
  private static final int MAX_REQUESTS = 2;

  /** Fewer than of the real store, so that a run has requests that are full. */
  private static final int MAX_OPERATIONS = 4;

  /** As of the real store's connections. */
  private static final long RESPONSE_TIMEOUT = 4 * Simulation.SECOND;

  /** After so long, a store that is wrong takes silence for an answer. */
  private static final long PATIENCE = 50 * Simulation.MILLI;

  private final Simulation simulation;
  private final SimCluster cluster;
  private final Network network;
  private final Planted planted;
  private final Host host;
  private final int place;
  private final StoreObserver witness;
  private final Batcher<Write, Written> writes;
  private final Batcher<String, ReadResult> reads;
  private final Batcher<Write, Written> doubted;
  private int nextNode;
  private @Nullable Incarnation current;

  /**
   * A way to the cluster.
   *
   * @param place the client's endpoint in the network
   * @param witness is told what only the store sees
   */
  SimulatedStore(
      Simulation simulation,
      SimCluster cluster,
      Network network,
      Planted planted,
      Host host,
      int place,
      StoreObserver witness) {
    this.simulation = simulation;
    this.cluster = cluster;
    this.network = network;
    this.planted = planted;
    this.host = host;
    this.place = place;
    this.witness = witness;
    this.nextNode = simulation.fork().nextInt(cluster.size());
    int maxRequests = planted.gathers() ? MAX_REQUESTS : Integer.MAX_VALUE;
    this.writes = new Batcher<>(maxRequests, MAX_OPERATIONS, MAX_OPERATIONS, this::send);
    this.reads = new Batcher<>(maxRequests, MAX_OPERATIONS, MAX_OPERATIONS, this::ask);
    GoneQuorum<Write, Written> indexGone =
        new GoneQuorum<>(
            IntStream.range(0, cluster.size()).mapToObj(this::sender).toList(),
            written -> written.answer() == WriteAnswer.INDEX_GONE,
            (gone, why) -> Written.of(WriteAnswer.UNAVAILABLE));
    this.doubted = new Batcher<>(maxRequests, MAX_OPERATIONS, MAX_OPERATIONS, indexGone::ask);
  }

  /** Sees what neither the library nor the cluster tells. */
  interface StoreObserver {
    /** Sees nothing. */
    StoreObserver NOBODY = new StoreObserver() {};

    /** Called when that many operations left in one request. */
    default void leftTogether(int operations) {}
  }

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    return CancellableFuture.of(
            findOrCreate(),
            found -> write(new Write(found, record.lockId(), record, null, record.token())))
        .orElse(WriteResult.Unknown::new);
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    return write(
        new Write(
            expected.incarnation(),
            record.lockId(),
            record,
            new Expected(expected.primaryTerm(), expected.seqNo()),
            record.token()));
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return write(
        new Write(
            expected.incarnation(),
            lockId,
            null,
            new Expected(expected.primaryTerm(), expected.seqNo()),
            "client " + place));
  }

  // --- Writes

  private CompletableFuture<WriteResult> write(Write write) {
    CancellableFuture<Written> sent =
        CancellableFuture.of(
            writes.submit(write, 1),
            written ->
                written.answer() == WriteAnswer.INDEX_GONE
                    ? doubted.submit(write, 1)
                    : CompletableFuture.completedFuture(written));
    return CancellableFuture.of(
            sent, written -> CompletableFuture.completedFuture(outcome(write, written)))
        .orElse(WriteResult.Unknown::new);
  }

  /** Sends operations in one request, whose answer has one result for each. */
  private CompletableFuture<List<Written>> send(List<Write> batch) {
    CompletableFuture<List<Written>> answer = new CompletableFuture<>();
    if (planted.trustsSilence()) {
      List<Written> hoped = batch.stream().map(SimulatedStore::hoped).toList();
      simulation.after(PATIENCE, () -> host.run(() -> answer.complete(hoped)));
    }
    int copies = network.duplicates() ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      var unused =
          request(batch, this::carryOut)
              .whenComplete(
                  (written, failure) -> {
                    if (failure != null) {
                      answer.completeExceptionally(failure);
                    } else {
                      answer.complete(planted.answers(written));
                    }
                  });
    }
    return answer;
  }

  /** Sends to that node, and gives it up as the real store's connections do. */
  private Function<List<Write>, CompletableFuture<List<Written>>> sender(int node) {
    return batch -> {
      CompletableFuture<List<Written>> answer = request(node, batch, this::carryOut);
      simulation.after(
          RESPONSE_TIMEOUT,
          () ->
              host.run(
                  () -> answer.completeExceptionally(new IOException("n" + node + " is silent"))));
      return answer;
    };
  }

  private void carryOut(int node, Write write, Consumer<Written> done) {
    if (network.refusesOne()) {
      done.accept(Written.of(WriteAnswer.UNAVAILABLE));
    } else {
      cluster.write(node, write, done);
    }
  }

  private static Written hoped(Write write) {
    Expected expected = write.expected();
    return expected == null
        ? Written.of(WriteAnswer.UNAVAILABLE)
        : new Written(WriteAnswer.APPLIED, expected.term(), expected.seqNo());
  }

  private WriteResult outcome(Write write, Written written) {
    Incarnation incarnation = write.incarnation();
    return switch (written.answer()) {
      case APPLIED ->
          new WriteResult.Applied(new Version(incarnation, written.term(), written.seqNo()));
      case CONFLICT -> new WriteResult.Conflict();
      case INDEX_GONE -> {
        if (incarnation.equals(current)) {
          current = null;
        }
        yield new WriteResult.Rejected(new IncarnationGoneException(incarnation));
      }
      case UNAVAILABLE ->
          new WriteResult.Unknown(new IOException(WriteAnswer.UNAVAILABLE.toString()));
    };
  }

  // --- The index

  private CompletableFuture<Incarnation> findOrCreate() {
    Incarnation known = current;
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    CompletableFuture<List<Optional<Incarnation>>> asked =
        request(
            List.of(""),
            (node, nothing, done) ->
                cluster.createIndex(
                    node,
                    made -> cluster.find(node, found -> done.accept(Optional.ofNullable(found)))));
    return CancellableFuture.of(
        asked,
        found -> {
          current = found.get(0).orElse(null);
          return current == null
              ? CompletableFuture.failedFuture(new IOException("no master"))
              : CompletableFuture.completedFuture(current);
        });
  }

  // --- Reads

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return CancellableFuture.of(reads.submit(lockId, 1), CompletableFuture::completedFuture)
        .orElse(ReadResult.Unavailable::new);
  }

  private CompletableFuture<List<ReadResult>> ask(List<String> lockIds) {
    CompletableFuture<List<ReadAnswer>> asked =
        request(
            lockIds,
            (node, lockId, done) ->
                cluster.read(
                    node, lockId, (index, doc) -> done.accept(new ReadAnswer(index, doc))));
    return asked.thenApply(all -> all.stream().map(this::result).toList());
  }

  private record ReadAnswer(@Nullable Incarnation incarnation, SimCluster.@Nullable Doc doc) {}

  private ReadResult result(ReadAnswer seen) {
    Incarnation incarnation = seen.incarnation;
    // As the real store, which asks its incarnation's alias: one that is gone is looked up again.
    if (current != null && !current.equals(incarnation)) {
      current = null;
    }
    SimCluster.Doc doc = seen.doc;
    LockRecord record = doc == null ? null : doc.record();
    if (doc == null || record == null || incarnation == null) {
      return new ReadResult.Absent(incarnation);
    }
    return new ReadResult.Found(record, new Version(incarnation, doc.term(), doc.seqNo()));
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    CompletableFuture<List<List<ReadResult.Found>>> asked =
        request(List.of(""), (node, nothing, done) -> done.accept(cluster.all()));
    return asked.thenApply(
        found ->
            found.get(0).size() <= limit
                ? new ListResult.Listed(found.get(0))
                : new ListResult.Rejected(new IllegalStateException("more than " + limit)));
  }

  // --- Requests

  /** The work of a node for one operation of a request. */
  private interface NodeOperation<O, A> {
    void at(int node, O operation, Consumer<A> done);
  }

  /** Sends a request to the next node, which answers when all of its operations have ended. */
  private <O, A> CompletableFuture<List<A>> request(
      List<O> operations, NodeOperation<O, A> effect) {
    int node = nextNode;
    nextNode = (node + 1) % cluster.size();
    return request(node, operations, effect);
  }

  private <O, A> CompletableFuture<List<A>> request(
      int node, List<O> operations, NodeOperation<O, A> effect) {
    if (operations.size() > 1) {
      witness.leftTogether(operations.size());
    }
    CompletableFuture<List<A>> answer = new CompletableFuture<>();
    if (cluster.refusesConnections(node)) {
      IOException refused = new IOException("n" + node + " is down");
      host.execute(() -> answer.completeExceptionally(refused));
      return answer;
    }
    network.request(
        place,
        node,
        () -> {
          Answers<A> answers =
              new Answers<>(
                  operations.size(),
                  all -> network.reply(node, place, () -> host.run(() -> answer.complete(all))));
          for (int i = 0; i < operations.size(); i++) {
            int number = i;
            effect.at(node, operations.get(i), each -> answers.add(number, each));
          }
        });
    return answer;
  }

  /** Gathers the answers to all operations of a request, in their order. */
  private static final class Answers<A> {
    private final SortedMap<Integer, A> byNumber = new TreeMap<>();
    private final int size;
    private final Consumer<List<A>> complete;

    Answers(int size, Consumer<List<A>> complete) {
      this.size = size;
      this.complete = complete;
    }

    void add(int number, A answer) {
      byNumber.put(number, answer);
      if (byNumber.size() == size) {
        complete.accept(List.copyOf(byNumber.values()));
      }
    }
  }

  @Override
  public String description() {
    return "a simulated cluster";
  }
}
