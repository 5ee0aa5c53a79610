package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.SimCluster.Expected;
import dev.holdfast.chaos.sim.SimCluster.Write;
import dev.holdfast.chaos.sim.SimCluster.WriteAnswer;
import dev.holdfast.chaos.sim.SimCluster.Written;
import dev.holdfast.lock.internal.Batcher;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.GoneQuorum;
import dev.holdfast.lock.internal.SizeLimit;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One client's way to the simulated cluster. Like the real store it sends what gathers while
 * requests are out together, each request to the next node, over a connection that may have died
 * while it was idle; it remembers the incarnation, and verifies it while it is in use; and it
 * learns of nothing but answers: a lost message is silence.
 */
final class SimulatedStore implements LockStore {
  /** As many as the real store has out, of writes and of reads. */
  private static final int MAX_REQUESTS = 2;

  /** Fewer than of the real store, so that a run has requests that are full. */
  private static final int MAX_OPERATIONS = 4;

  /** As of the real store's connections. */
  private static final long RESPONSE_TIMEOUT = 4 * Simulation.SECOND;

  /**
   * After what silence a connection that was idle counts as dead. With a TTL of 1 s, a request may
   * take a little longer than this, as with the real store (4 s) and a TTL of more than 12 s.
   */
  private static final long DEAD_AFTER = 250 * Simulation.MILLI;

  /** As of the real store: how often it verifies that the alias leads to the same index. */
  static final long VERIFICATION_INTERVAL = 5 * Simulation.SECOND;

  /* What operations take in a request. A full one passes unless a proxy limits it. */
  static final long WRITE_BYTES = 700;
  private static final long DELETE_BYTES = 200;
  private static final long READ_BYTES = 200;
  private static final long MAX_BYTES = MAX_OPERATIONS * WRITE_BYTES;

  /** No connection to a node, so that the next request makes one. */
  private static final long NOT_CONNECTED = -1;

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
  private final GoneQuorum<Incarnation, Optional<Incarnation>> left;

  /** By node: when its connection was last used. */
  private final long[] usedAt;

  private int nextNode;
  private @Nullable Incarnation current;

  /** Incarnations that were replaced although they may be there still. */
  private final Set<Incarnation> replaced = new HashSet<>();

  private final List<Consumer<IncarnationGoneException>> listeners = new ArrayList<>();
  private @Nullable CompletableFuture<Boolean> verification;
  private boolean verificationFailed;
  private long verifiedAt;

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
    this.usedAt = new long[cluster.size()];
    Arrays.fill(usedAt, NOT_CONNECTED);
    SizeLimit limit =
        new SizeLimit(MAX_BYTES, (failure, bytes) -> is(failure, TooLargeException.class));
    this.writes = batcher(limit, this::send);
    this.reads = batcher(limit, this::ask);
    GoneQuorum<Write, Written> indexGone =
        new GoneQuorum<>(
            IntStream.range(0, cluster.size()).mapToObj(this::sender).toList(),
            written -> written.answer() == WriteAnswer.INDEX_GONE,
            (gone, why) -> Written.of(WriteAnswer.UNAVAILABLE));
    this.doubted = batcher(limit, indexGone::ask);
    this.left =
        new GoneQuorum<>(
            IntStream.range(0, cluster.size()).mapToObj(this::finder).toList(),
            Optional::isPresent,
            (other, why) -> Optional.empty());
  }

  private <O, A> Batcher<O, A> batcher(
      SizeLimit limit, Function<List<O>, CompletableFuture<List<A>>> sender) {
    return new Batcher<>(
        planted.gathers() ? MAX_REQUESTS : Integer.MAX_VALUE,
        MAX_OPERATIONS,
        limit,
        failure ->
            planted.recognisesDeadConnections() && is(failure, DeadConnectionException.class),
        sender);
  }

  private static boolean is(Throwable failure, Class<? extends Throwable> kind) {
    return kind.isInstance(failure) || kind.isInstance(failure.getCause());
  }

  /** A proxy rejected a request for its size. */
  private static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLargeException() {
      super("413");
    }
  }

  /** A connection had died while it was idle, before the request was sent. */
  private static final class DeadConnectionException extends IOException {
    private static final long serialVersionUID = 1L;

    DeadConnectionException() {
      super("the connection had been dropped while it was idle");
    }
  }

  /** Sees what neither the library nor the cluster tells. */
  interface StoreObserver {
    /** Sees nothing. */
    StoreObserver NOBODY = new StoreObserver() {};

    /** Called when that many operations left in one request. */
    default void leftTogether(int operations) {}

    /** Called when an operation has failed for a reason that the store has a remedy for. */
    default void failedNeedlessly(Throwable failure) {}
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
    if (replaced.contains(write.incarnation())) {
      return CompletableFuture.completedFuture(
          new WriteResult.Rejected(isReplaced(write.incarnation())));
    }
    if (write.expected() != null) {
      var unused = inUse();
    }
    CancellableFuture<Written> sent =
        CancellableFuture.of(
            writes.submit(write, sizeOf(write)),
            written ->
                written.answer() == WriteAnswer.INDEX_GONE
                    ? doubted.submit(write, sizeOf(write))
                    : CompletableFuture.completedFuture(written));
    return CancellableFuture.of(
            sent, written -> CompletableFuture.completedFuture(outcome(write, written)))
        .orElse(failure -> new WriteResult.Unknown(failed(failure)));
  }

  private static long sizeOf(Write write) {
    return write.record() == null ? DELETE_BYTES : WRITE_BYTES;
  }

  private static long sizeOf(List<Write> batch) {
    long bytes = 0;
    for (Write write : batch) {
      bytes += sizeOf(write);
    }
    return bytes;
  }

  /** No operation is larger than what passes alone, and there is always another connection. */
  private Throwable failed(Throwable failure) {
    if (is(failure, TooLargeException.class) || is(failure, DeadConnectionException.class)) {
      witness.failedNeedlessly(failure);
    }
    return failure;
  }

  /** Sends operations in one request, whose answer has one result for each. */
  private CompletableFuture<List<Written>> send(List<Write> batch) {
    CompletableFuture<List<Written>> answer = new Exchange<>();
    long bytes = sizeOf(batch);
    if (planted.trustsSilence()) {
      List<Written> hoped = batch.stream().map(SimulatedStore::hoped).toList();
      simulation.after(PATIENCE, () -> host.run(() -> answer.complete(hoped)));
    }
    int copies = network.duplicates() ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      var unused =
          request(batch, bytes, this::carryOut)
              .handle(
                  (written, failure) ->
                      failure != null
                          ? answer.completeExceptionally(failure)
                          : answer.complete(planted.answers(written)));
    }
    return answer;
  }

  /** Sends to that node, and gives it up as the real store's connections do. */
  private Function<List<Write>, CompletableFuture<List<Written>>> sender(int node) {
    return batch -> {
      return givenUpInTime(node, request(node, batch, sizeOf(batch), this::carryOut));
    };
  }

  private <T> CompletableFuture<T> givenUpInTime(int node, CompletableFuture<T> answer) {
    simulation.after(
        RESPONSE_TIMEOUT,
        () ->
            host.run(
                () -> {
                  if (answer.completeExceptionally(new IOException("n" + node + " is silent"))) {
                    closeIdle();
                  }
                }));
    return answer;
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
    if (current == null) {
      return settingUp();
    }
    CompletableFuture<Boolean> verified = inUse();
    return verified == null
        ? known()
        : CancellableFuture.of(verified, same -> known(), failure -> known());
  }

  private CompletableFuture<Incarnation> known() {
    Incarnation known = current;
    return known == null ? settingUp() : CompletableFuture.completedFuture(known);
  }

  private CompletableFuture<Incarnation> settingUp() {
    CompletableFuture<List<Optional<Incarnation>>> asked =
        request(
            List.of(""),
            READ_BYTES,
            (node, nothing, done) ->
                cluster.createIndex(
                    node,
                    made -> cluster.find(node, found -> done.accept(Optional.ofNullable(found)))));
    return CancellableFuture.of(
        asked,
        found -> {
          learned(found.get(0).orElse(null));
          return current == null
              ? CompletableFuture.failedFuture(new IOException("no master"))
              : CompletableFuture.completedFuture(current);
        });
  }

  /** A look-up has shown that index. */
  private void learned(@Nullable Incarnation found) {
    current = found;
    if (found != null) {
      replaced.remove(found);
      verifiedAt = simulation.now();
    }
  }

  // --- Verification, as in the real store

  @Override
  public Runnable onIncarnationGone(Consumer<IncarnationGoneException> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  private static IncarnationGoneException isReplaced(Incarnation incarnation) {
    return IncarnationGoneException.replaced(incarnation, "the lock index was replaced");
  }

  /** Begins a verification if one is due; what an acquisition waits for, or null if nothing. */
  private @Nullable CompletableFuture<Boolean> inUse() {
    Incarnation known = current;
    if (known != null
        && verification == null
        && simulation.now() - verifiedAt >= VERIFICATION_INTERVAL
        && planted.verifiesTheIndex()) {
      verifiedAt = simulation.now();
      CompletableFuture<Boolean> begun = verification(known);
      if (!begun.isDone()) {
        verification = begun;
        var unused =
            begun.whenComplete(
                (same, failure) -> {
                  verification = null;
                  verificationFailed = failure != null;
                });
      }
    }
    CompletableFuture<Boolean> underWay = verification;
    return underWay == null || verificationFailed ? null : underWay.copy();
  }

  private CompletableFuture<Boolean> verification(Incarnation known) {
    int node = nextNode();
    return CancellableFuture.of(
        finder(node).apply(List.of(known)),
        other ->
            other.get(0).isEmpty()
                ? CompletableFuture.completedFuture(true)
                : CancellableFuture.of(
                    left.ask(List.of(known)),
                    confirmed -> {
                      boolean isOther = confirmed.get(0).isPresent();
                      if (isOther) {
                        leave(known);
                      }
                      return CompletableFuture.completedFuture(!isOther);
                    }));
  }

  /** Asks that node: empty if the alias leads to the index that is known. */
  private Function<List<Incarnation>, CompletableFuture<List<Optional<Incarnation>>>> finder(
      int node) {
    return known ->
        givenUpInTime(
            node,
            request(
                node,
                known,
                READ_BYTES,
                (at, index, done) ->
                    cluster.find(
                        at,
                        found ->
                            done.accept(
                                index.equals(found) ? Optional.empty() : Optional.of(index)))));
  }

  /** Nothing is written to that incarnation any more, and those who listen are told. */
  private void leave(Incarnation incarnation) {
    replaced.add(incarnation);
    if (incarnation.equals(current)) {
      current = null;
    }
    IncarnationGoneException gone = isReplaced(incarnation);
    List.copyOf(listeners).forEach(listener -> listener.accept(gone));
  }

  // --- Reads

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    var unused = inUse();
    return CancellableFuture.of(
            reads.submit(lockId, READ_BYTES), CompletableFuture::completedFuture)
        .orElse(failure -> new ReadResult.Unavailable(failed(failure)));
  }

  private CompletableFuture<List<ReadResult>> ask(List<String> lockIds) {
    Incarnation known = current;
    CompletableFuture<List<ReadAnswer>> asked =
        request(
            lockIds,
            READ_BYTES * lockIds.size(),
            (node, lockId, done) ->
                cluster.read(
                    node, known, lockId, (index, doc) -> done.accept(new ReadAnswer(index, doc))));
    return CancellableFuture.of(
        asked,
        all -> {
          List<ReadResult> results = new ArrayList<>(all.size());
          all.forEach(each -> results.add(result(each)));
          return CompletableFuture.completedFuture(results);
        });
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
        request(List.of(""), READ_BYTES, (node, nothing, done) -> done.accept(cluster.all()));
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

  private int nextNode() {
    int node = nextNode;
    nextNode = (node + 1) % cluster.size();
    return node;
  }

  /** Sends a request to the next node, which answers when all of its operations have ended. */
  private <O, A> CompletableFuture<List<A>> request(
      List<O> operations, long bytes, NodeOperation<O, A> effect) {
    return request(nextNode(), operations, bytes, effect);
  }

  private <O, A> CompletableFuture<List<A>> request(
      int node, List<O> operations, long bytes, NodeOperation<O, A> effect) {
    if (operations.size() > 1) {
      witness.leftTogether(operations.size());
    }
    CompletableFuture<List<A>> answer = new Exchange<>();
    if (cluster.refusesConnections(node)) {
      IOException refused = new IOException("n" + node + " is down");
      host.execute(() -> answer.completeExceptionally(refused));
      return answer;
    }
    Network.IdleDrop drop = connectionDroppedBy(node);
    if (drop != null) {
      if (drop.resets()) {
        host.execute(() -> foundDead(answer));
      } else {
        simulation.after(DEAD_AFTER, () -> host.run(() -> foundDead(answer)));
      }
      return answer;
    }
    network.request(
        place,
        node,
        () -> {
          IOException rejection =
              bytes > network.maxBytes()
                  ? new TooLargeException()
                  : network.rejects() ? new IOException("429") : null;
          if (rejection != null) {
            network.reply(
                node, place, () -> host.run(() -> answer.completeExceptionally(rejection)));
            return;
          }
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

  /** Uses the connection to that node, or makes one; null if it is alive. */
  private Network.@Nullable IdleDrop connectionDroppedBy(int node) {
    long before = usedAt[node];
    usedAt[node] = simulation.now();
    return before == NOT_CONNECTED ? null : network.droppedBy(simulation.now() - before);
  }

  private void foundDead(CompletableFuture<?> answer) {
    if (!answer.isDone()) {
      closeIdle();
      answer.completeExceptionally(new DeadConnectionException());
    }
  }

  /** Where one connection is dead, so may the others be: what follows goes over new ones. */
  private void closeIdle() {
    if (!planted.keepsDeadConnections()) {
      Arrays.fill(usedAt, NOT_CONNECTED);
    }
  }

  /** One or more requests and their answer; giving it up closes connections that may be dead. */
  private final class Exchange<T> extends CompletableFuture<T> {
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      if (cancelled) {
        closeIdle();
      }
      return cancelled;
    }
  }

  /** Gathers the answers to all operations of a request, in their order. */
  private static final class Answers<A> {
    private final List<@Nullable A> byNumber;
    private final Consumer<List<A>> complete;
    private int missing;

    Answers(int size, Consumer<List<A>> complete) {
      this.byNumber = new ArrayList<>(Collections.nCopies(size, null));
      this.complete = complete;
      this.missing = size;
    }

    void add(int number, A answer) {
      if (byNumber.set(number, answer) == null && --missing == 0) {
        complete.accept(List.copyOf(byNumber));
      }
    }
  }

  @Override
  public String description() {
    return "a simulated cluster";
  }
}
