package dev.holdfast.bench.jmh;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.DeleteResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.transport.ElasticsearchTransport;
import dev.holdfast.bench.peers.RawRequests;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Many threads, each with a lock of its own; beside it the same number of raw requests one by one,
 * and as {@code _bulk} requests that have as many operations as there are threads, two at a time,
 * and those in one piece too: what this server can do at best.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Threads(OwnLocksBenchmark.THREADS)
@Fork(1)
@Warmup(iterations = 8, time = 5) // until most is compiled, beside the node
@Measurement(iterations = 5, time = 5)
public class OwnLocksBenchmark {
  public static final int THREADS = 64;

  /** Raw operations in one invocation; two run at a time, with as many as there are threads. */
  public static final int PER_INVOCATION = THREADS / 2;

  private ElasticsearchTransport transport;
  private ElasticsearchClient client;

  /** The number of this thread, from 0. */
  @State(Scope.Thread)
  public static class Own {
    private static final AtomicInteger THREADS_SEEN = new AtomicInteger();

    private final int number = THREADS_SEEN.getAndIncrement();
    private final String id = "own-" + number;
  }

  /** The manager under measurement; {@code -p} gives other values, {@code -t} other threads. */
  @State(Scope.Benchmark)
  public static class Holdfast {
    /**
     * "elasticsearch", on the transport that the raw requests use; "own", on connections of its
     * own; or "memory" for what the library itself takes.
     */
    @Param("elasticsearch")
    private String store = "elasticsearch";

    /** The number of locks that the threads share; by default one for each thread. */
    @Param("" + THREADS)
    private int locks = THREADS;

    @Param("30")
    private int ttlSeconds = 30;

    /** How long a lock stays with the manager after its release. */
    @Param("0")
    private int lingerMillis;

    private LockManager manager;
    private LockOptions options;
    private @Nullable ElasticsearchLockStore ownStore;

    /** What is measured by default. */
    public Holdfast() {}

    /** On another store. */
    public Holdfast(String store) {
      this.store = store;
    }

    /** Connects. */
    @Setup(Level.Trial)
    public void connect(OwnLocksBenchmark benchmark) throws InterruptedException {
      if (locks < 1) {
        throw new IllegalArgumentException("locks must be 1 or more, but is " + locks);
      }
      options =
          LockOptions.defaults()
              .withTtl(Duration.ofSeconds(ttlSeconds))
              .withWaitTimeout(Duration.ofMinutes(5))
              .withLinger(Duration.ofMillis(lingerMillis));
      manager =
          LockManager.create(
              switch (store) {
                case "elasticsearch" -> Server.store(benchmark.transport);
                case "own" -> own();
                case "memory" -> new InMemoryLockStore();
                default ->
                    throw new IllegalArgumentException(
                        "store must be elasticsearch, own or memory, but is " + store);
              });
    }

    private LockStore own() {
      ownStore = Server.ownStore();
      return ownStore;
    }

    /** Closes what {@link #connect} opened. */
    @TearDown(Level.Trial)
    public void disconnect() {
      manager.close();
      if (ownStore != null) {
        ownStore.close();
      }
    }
  }

  /** The batches in which raw operations are sent. */
  @State(Scope.Benchmark)
  public static class Batch {
    /** Operations in one request, which divide {@value #PER_INVOCATION}. */
    @Param("" + PER_INVOCATION)
    private int batch = PER_INVOCATION;

    /** Refuses what does not divide it. */
    @Setup(Level.Trial)
    public void check() {
      if (batch < 1 || PER_INVOCATION % batch != 0) {
        throw new IllegalArgumentException(
            "batch must divide " + PER_INVOCATION + ", but is " + batch);
      }
    }
  }

  /** Connects, and lets the store make its index. */
  @Setup(Level.Trial)
  public void connect() throws InterruptedException {
    transport = Server.transport();
    client = new ElasticsearchClient(transport);
    try (LockManager locks = LockManager.create(Server.store(transport))) {
      ReleaseResult unused = locks.acquire("warm-up").release();
    }
  }

  /** Closes what {@link #connect} opened. */
  @TearDown(Level.Trial)
  public void disconnect() throws IOException {
    transport.close();
  }

  /** Holdfast. */
  @Benchmark
  public ReleaseResult acquireAndRelease(Own own, Holdfast holdfast) throws InterruptedException {
    String lockId = "own-" + own.number % holdfast.locks;
    ReleaseResult result = holdfast.manager.acquire(lockId, holdfast.options).release();
    if (result != ReleaseResult.RELEASED) {
      throw new IllegalStateException("not released: " + result);
    }
    return result;
  }

  /** One request for each operation. */
  @Benchmark
  public DeleteResponse rawOneByOne(Own own) throws IOException {
    return RawRequests.createAndDelete(client, "raw-" + own.id);
  }

  /** Many operations in one request, two requests at a time, as the client itself sends them. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(PER_INVOCATION)
  public int rawBulk(Own own, Batch batch) throws IOException {
    return bulks(own, batch, client::bulk);
  }

  /** The same in one piece each, as Holdfast sends them. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(PER_INVOCATION)
  public int rawBulkInOnePiece(Own own, Batch batch) throws IOException {
    return bulks(own, batch, request -> RawRequests.bulkInOnePiece(transport, request));
  }

  private static int bulks(Own own, Batch batch, Sender sender) throws IOException {
    int requests = PER_INVOCATION / batch.batch;
    for (int request = 0; request < requests; request++) {
      BulkResponse created =
          bulk(
              sender,
              batch.batch,
              i ->
                  BulkOperation.of(
                      op ->
                          op.create(
                              create ->
                                  create.id(own.id + "-" + i).document(RawRequests.document()))));
      BulkResponse unused =
          bulk(
              sender,
              batch.batch,
              i ->
                  BulkOperation.of(
                      op ->
                          op.delete(
                              delete ->
                                  delete
                                      .id(own.id + "-" + i)
                                      .ifSeqNo(created.items().get(i).seqNo())
                                      .ifPrimaryTerm(created.items().get(i).primaryTerm()))));
    }
    return requests;
  }

  private static BulkResponse bulk(
      Sender sender, int operations, IntFunction<BulkOperation> operation) throws IOException {
    BulkResponse response;
    try {
      response =
          sender.send(
              BulkRequest.of(
                  bulk ->
                      bulk.index(Server.ALIAS)
                          .operations(
                              IntStream.range(0, operations).mapToObj(operation).toList())));
    } catch (ElasticsearchException e) {
      // Which JMH could not send from the forked JVM, as it is not serializable.
      throw new IllegalStateException("a raw request failed: " + e.getMessage());
    }
    if (response.errors()) {
      throw new IllegalStateException("a raw operation failed: " + response);
    }
    return response;
  }

  /** A way to send a bulk request. */
  private interface Sender {
    BulkResponse send(BulkRequest request) throws IOException;
  }
}
