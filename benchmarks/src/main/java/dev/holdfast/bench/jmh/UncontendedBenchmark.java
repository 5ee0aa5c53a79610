package dev.holdfast.bench.jmh;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.core.DeleteResponse;
import co.elastic.clients.transport.ElasticsearchTransport;
import dev.holdfast.bench.peers.RawRequests;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A lock that nobody else wants, acquired and released; beside it, the two raw requests that this
 * cannot be cheaper than, through the same transport.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Threads(1)
@Fork(2)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class UncontendedBenchmark {
  private static final LockOptions OPTIONS = LockOptions.defaults();

  private ElasticsearchTransport transport;
  private ElasticsearchClient client;
  private LockManager locks;
  private ElasticsearchLockStore ownStore;
  private LockManager ownLocks;

  /** Connects, and lets the store make its index. */
  @Setup(Level.Trial)
  public void connect() throws InterruptedException {
    transport = Server.transport();
    client = new ElasticsearchClient(transport);
    locks = LockManager.create(Server.store(transport));
    ReleaseResult unused = locks.acquire("warm-up", OPTIONS).release();
    ownStore = Server.ownStore();
    ownLocks = LockManager.create(ownStore);
  }

  /** Closes what {@link #connect} opened. */
  @TearDown(Level.Trial)
  public void disconnect() throws IOException {
    ownLocks.close();
    ownStore.close();
    locks.close();
    transport.close();
  }

  /** Holdfast on the transport that the raw requests use. */
  @Benchmark
  public ReleaseResult acquireAndRelease() throws InterruptedException {
    return acquireAndRelease(locks);
  }

  /** Holdfast on connections of its own, as the quick start has it. */
  @Benchmark
  public ReleaseResult onOwnConnections() throws InterruptedException {
    return acquireAndRelease(ownLocks);
  }

  private static ReleaseResult acquireAndRelease(LockManager locks) throws InterruptedException {
    Lease lease = locks.acquire("bench", OPTIONS);
    ReleaseResult result = lease.release();
    if (result != ReleaseResult.RELEASED) {
      throw new IllegalStateException("not released: " + result);
    }
    return result;
  }

  /** The two requests themselves. */
  @Benchmark
  public DeleteResponse rawCreateAndDelete() throws IOException {
    return RawRequests.createAndDelete(client, "raw");
  }
}
