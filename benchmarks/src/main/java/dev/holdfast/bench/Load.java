package dev.holdfast.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;

/** Threads that each do one thing again and again until this is closed, counted together. */
final class Load implements AutoCloseable {
  private final ExecutorService pool;
  private final List<Future<?>> threads = new ArrayList<>();
  private final LongAdder done = new LongAdder();
  private volatile boolean over;

  /**
   * Starts.
   *
   * @param call what the thread of that number, from 0, calls each time; one that throws ends its
   *     thread, which {@link #close} tells
   */
  Load(int threads, IntFunction<Callable<?>> call) {
    pool = Executors.newFixedThreadPool(threads);
    for (int number = 0; number < threads; number++) {
      Callable<?> each = call.apply(number);
      this.threads.add(pool.submit(() -> repeat(each)));
    }
  }

  private boolean repeat(Callable<?> each) throws Exception {
    while (!over) {
      Object unused = each.call();
      done.increment();
    }
    return true;
  }

  /** How many calls have returned. */
  long done() {
    return done.sum();
  }

  /** How many calls return in a second, seen for so long from now. */
  double perSecond(Duration duration) throws InterruptedException {
    long before = done();
    long begin = System.nanoTime();
    Thread.sleep(duration.toMillis());
    return (done() - before) / ((System.nanoTime() - begin) / 1e9);
  }

  /**
   * Lets the calls that are under way return, and ends the threads.
   *
   * @throws ExecutionException if a call threw, with what it threw
   */
  @Override
  public void close() throws ExecutionException {
    over = true;
    pool.shutdown();
    try {
      for (Future<?> thread : threads) {
        Object unused = thread.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a load ended", e);
    }
  }
}
