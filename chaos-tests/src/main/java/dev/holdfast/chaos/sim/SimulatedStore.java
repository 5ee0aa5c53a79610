package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Cluster.Answer;
import dev.holdfast.chaos.sim.Cluster.Expected;
import dev.holdfast.chaos.sim.Cluster.Write;
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
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's way to the simulated cluster. It asks a node by chance, remembers the incarnation as
 * the real store does, and is told of nothing but answers: what is lost on the way is silence.
 */
final class SimulatedStore implements LockStore {
  private final Cluster cluster;
  private final Network network;
  private final SplittableRandom random;
  private final Host host;
  private final int place;
  private @Nullable Incarnation current;

  /**
   * A way to the cluster.
   *
   * @param place the client's endpoint in the network
   */
  SimulatedStore(Simulation simulation, Cluster cluster, Network network, Host host, int place) {
    this.cluster = cluster;
    this.network = network;
    this.random = simulation.fork();
    this.host = host;
    this.place = place;
  }

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    CompletableFuture<WriteResult> result = new CompletableFuture<>();
    Incarnation known = current;
    if (known != null) {
      write(new Write(known, record.lockId(), record, null, record.token()), result);
    } else {
      findOrCreate(
          found -> write(new Write(found, record.lockId(), record, null, record.token()), result),
          result);
    }
    return result;
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    CompletableFuture<WriteResult> result = new CompletableFuture<>();
    write(
        new Write(
            expected.incarnation(),
            record.lockId(),
            record,
            new Expected(expected.primaryTerm(), expected.seqNo()),
            record.token()),
        result);
    return result;
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    CompletableFuture<WriteResult> result = new CompletableFuture<>();
    write(
        new Write(
            expected.incarnation(),
            lockId,
            null,
            new Expected(expected.primaryTerm(), expected.seqNo()),
            "client " + place),
        result);
    return result;
  }

  private void write(Write write, CompletableFuture<WriteResult> result) {
    int copies = network.duplicates() ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      write(write, random.nextInt(cluster.size()), true, result);
    }
  }

  /** As the real store, asks the next node too when one says that the index is gone. */
  private void write(Write write, int node, boolean again, CompletableFuture<WriteResult> result) {
    if (cluster.refusesConnections(node)) {
      refused(result, node);
      return;
    }
    Consumer<Cluster.Written> received =
        written -> {
          if (again && written.answer() == Answer.INDEX_GONE) {
            write(write, (node + 1) % cluster.size(), false, result);
          } else {
            result.complete(outcome(write, written));
          }
        };
    network.request(
        place,
        node,
        () ->
            cluster.write(
                node,
                write,
                written ->
                    network.reply(node, place, () -> host.run(() -> received.accept(written)))));
  }

  private void refused(CompletableFuture<WriteResult> result, int node) {
    host.execute(
        () -> result.complete(new WriteResult.Unknown(new IOException("n" + node + " is down"))));
  }

  private WriteResult outcome(Write write, Cluster.Written written) {
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
      case UNAVAILABLE -> new WriteResult.Unknown(new IOException(Answer.UNAVAILABLE.toString()));
    };
  }

  private void findOrCreate(Consumer<Incarnation> then, CompletableFuture<WriteResult> result) {
    int node = random.nextInt(cluster.size());
    if (cluster.refusesConnections(node)) {
      refused(result, node);
      return;
    }
    network.request(
        place,
        node,
        () ->
            cluster.createIndex(
                node,
                made ->
                    cluster.find(
                        node,
                        found ->
                            network.reply(
                                node,
                                place,
                                () ->
                                    host.run(
                                        () -> {
                                          if (found == null) {
                                            result.complete(
                                                new WriteResult.Unknown(
                                                    new IOException("no master")));
                                          } else {
                                            current = found;
                                            then.accept(found);
                                          }
                                        })))));
  }

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    CompletableFuture<ReadResult> result = new CompletableFuture<>();
    int node = random.nextInt(cluster.size());
    if (cluster.refusesConnections(node)) {
      host.execute(
          () ->
              result.complete(
                  new ReadResult.Unavailable(new IOException("n" + node + " is down"))));
      return result;
    }
    network.request(
        place,
        node,
        () ->
            cluster.read(
                node,
                lockId,
                (incarnation, doc) ->
                    network.reply(
                        node,
                        place,
                        () -> host.run(() -> result.complete(seen(incarnation, doc))))));
    return result;
  }

  private ReadResult seen(@Nullable Incarnation incarnation, Cluster.@Nullable Doc doc) {
    // As the real store, which asks its incarnation's alias: one that is gone is looked up anew.
    if (current != null && !current.equals(incarnation)) {
      current = null;
    }
    LockRecord record = doc == null ? null : doc.record();
    if (doc == null || record == null || incarnation == null) {
      return new ReadResult.Absent(incarnation);
    }
    return new ReadResult.Found(record, new Version(incarnation, doc.term(), doc.seqNo()));
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    CompletableFuture<ListResult> result = new CompletableFuture<>();
    int node = random.nextInt(cluster.size());
    network.request(
        place,
        node,
        () -> {
          List<ReadResult.Found> found = cluster.all();
          network.reply(
              node,
              place,
              () ->
                  host.run(
                      () ->
                          result.complete(
                              found.size() <= limit
                                  ? new ListResult.Listed(found)
                                  : new ListResult.Rejected(
                                      new IllegalStateException("more than " + limit)))));
        });
    return result;
  }

  @Override
  public String description() {
    return "a simulated cluster";
  }
}
