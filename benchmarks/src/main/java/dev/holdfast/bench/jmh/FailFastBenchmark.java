package dev.holdfast.bench.jmh;

import co.elastic.clients.transport.ElasticsearchTransport;
import dev.holdfast.bench.peers.Server;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import java.io.IOException;
import java.util.Optional;
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

/** A call that does not wait, for a lock that is held in the same manager: no request is sent. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Threads(1)
@Fork(1)
@Warmup(iterations = 1, time = 5)
@Measurement(iterations = 2, time = 3)
public class FailFastBenchmark {
  private ElasticsearchTransport transport;
  private LockManager locks;
  private Lease held;

  /** Holds the lock. */
  @Setup(Level.Trial)
  public void hold() throws InterruptedException {
    transport = Server.transport();
    locks = LockManager.create(Server.store(transport));
    held = locks.acquire("fail-fast");
  }

  /** Gives it back. */
  @TearDown(Level.Trial)
  public void release() throws IOException {
    held.close();
    locks.close();
    transport.close();
  }

  /** Refused at once. */
  @Benchmark
  public Optional<Lease> heldHere() throws InterruptedException {
    Optional<Lease> lease = locks.tryAcquire("fail-fast");
    if (lease.isPresent()) {
      throw new IllegalStateException("granted twice");
    }
    return lease;
  }
}
