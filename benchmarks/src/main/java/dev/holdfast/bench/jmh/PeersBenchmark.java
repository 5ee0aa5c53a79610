package dev.holdfast.bench.jmh;

import dev.holdfast.bench.peers.Peer;
import dev.holdfast.bench.peers.PeerClient;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** One acquisition and its release, by Holdfast and by its {@link Peer}s. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 5)
@Measurement(iterations = 2, time = 3)
public class PeersBenchmark {
  private static final AtomicInteger THREADS_SEEN = new AtomicInteger();

  /** A {@link Peer}, in lower case. */
  @Param({"holdfast", "curator", "etcd", "redis", "shedlock", "dynamodb"})
  private String peer = "holdfast";

  private PeerClient client;

  /** A lock of each thread's own. */
  @State(Scope.Thread)
  public static class Own {
    private final String id = "own-lock-" + THREADS_SEEN.incrementAndGet();
  }

  /** Connects. */
  @Setup(Level.Trial)
  public void connect() throws Exception {
    client = Peer.valueOf(peer.toUpperCase(Locale.ROOT)).connect();
  }

  /** Disconnects. */
  @TearDown(Level.Trial)
  public void disconnect() throws Exception {
    client.close();
  }

  /** Nobody else wants it. */
  @Benchmark
  @BenchmarkMode(Mode.SampleTime)
  @OutputTimeUnit(TimeUnit.MICROSECONDS)
  @Threads(1)
  public void uncontended() throws Exception {
    client.acquire("uncontended").release();
  }

  /** Many threads, each with a lock of its own. */
  @Benchmark
  @Threads(64)
  public void ownLocks(Own own) throws Exception {
    client.acquire(own.id).release();
  }

  /** Many threads that want the same lock. */
  @Benchmark
  @Threads(16)
  public void oneLock() throws Exception {
    client.acquire("one-lock").release();
  }
}
