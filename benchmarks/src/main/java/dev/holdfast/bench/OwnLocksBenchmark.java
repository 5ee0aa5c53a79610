package dev.holdfast.bench;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.CreateResponse;
import co.elastic.clients.elasticsearch.core.DeleteResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.transport.ElasticsearchTransport;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Many threads, each with a lock of its own; beside it the same number of raw requests one by one,
 * and as {@code _bulk} requests as large as there are threads, two at a time: what this server can
 * do at best.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Threads(OwnLocksBenchmark.THREADS)
@Fork(1)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class OwnLocksBenchmark {
  static final int THREADS = 64;

  private static final String ALIAS = "holdfast-bench";
  static final Map<String, Object> DOCUMENT =
      Map.of(
          "token", "00000000-0000-0000-0000-000000000000",
          "owner", "raw-host/12345/0123abcd",
          "createdAt", "2026-01-01T00:00:00.000Z",
          "expiresAt", "2026-01-01T00:00:30.000Z",
          "ttlMillis", 30_000L,
          "maxClockSkewMillis", 2_000L,
          "metadata", Map.of());

  private ElasticsearchTransport transport;
  private ElasticsearchClient client;
  private LockManager locks;

  /** Each thread's lock. */
  @State(Scope.Thread)
  public static class Own {
    private static final AtomicInteger THREADS_SEEN = new AtomicInteger();

    private final String id = "own-" + THREADS_SEEN.incrementAndGet();
  }

  /** Connects, and lets the store make its index. */
  @Setup(Level.Trial)
  public void connect() throws InterruptedException {
    transport = Server.transport();
    client = new ElasticsearchClient(transport);
    locks =
        LockManager.create(
            ElasticsearchLockStore.builder(transport).indexNames(ALIAS + "-1", ALIAS).build());
    ReleaseResult unused = locks.acquire("warm-up").release();
  }

  /** Closes what {@link #connect} opened. */
  @TearDown(Level.Trial)
  public void disconnect() throws IOException {
    locks.close();
    transport.close();
  }

  /** Holdfast. */
  @Benchmark
  public ReleaseResult acquireAndRelease(Own own) throws InterruptedException {
    ReleaseResult result = locks.acquire(own.id, LockOptions.defaults()).release();
    if (result != ReleaseResult.RELEASED) {
      throw new IllegalStateException("not released: " + result);
    }
    return result;
  }

  /** One request for each operation. */
  @Benchmark
  public DeleteResponse rawOneByOne(Own own) throws IOException {
    CreateResponse created =
        client.create(create -> create.index(ALIAS).id("raw-" + own.id).document(DOCUMENT));
    return client.delete(
        delete ->
            delete
                .index(ALIAS)
                .id("raw-" + own.id)
                .ifSeqNo(created.seqNo())
                .ifPrimaryTerm(created.primaryTerm()));
  }

  /** As many operations in one request as there are threads above. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(THREADS / 2)
  public BulkResponse rawBulk(Own own) throws IOException {
    BulkResponse created =
        bulk(
            i ->
                BulkOperation.of(
                    op -> op.create(create -> create.id(own.id + "-" + i).document(DOCUMENT))));
    return bulk(
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

  private BulkResponse bulk(IntFunction<BulkOperation> operation) throws IOException {
    BulkResponse response =
        client.bulk(
            bulk ->
                bulk.index(ALIAS)
                    .operations(IntStream.range(0, THREADS / 2).mapToObj(operation).toList()));
    if (response.errors()) {
      throw new IllegalStateException("a raw operation failed: " + response);
    }
    return response;
  }
}
