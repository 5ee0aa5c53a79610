package dev.holdfast.bench.scenarios;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Threads that each do one thing again and again until this is stopped, counted together. */
final class Load implements AutoCloseable {
  private final ExecutorService pool;
  private final List<Future<?>> futures;
  private final LongAdder done = new LongAdder();
  private volatile boolean over;

  /** One call of a thread, which repeats it; when it throws, that thread ends. */
  interface LoadCall {
    void run() throws Exception;
  }

  /**
   * Starts.
   *
   * @param call what the thread of that number, from 0, calls each time
   */
  Load(int threads, IntFunction<LoadCall> call) {
    List<LoadCall> calls = IntStream.range(0, threads).mapToObj(call).toList();
    pool = Executors.newFixedThreadPool(threads);
    futures = calls.stream().<Future<?>>map(each -> pool.submit(() -> repeat(each))).toList();
  }

  private boolean repeat(LoadCall each) throws Exception {
    while (!over) {
      each.run();
      done.increment();
    }
    return true;
  }

  /** Returns how many calls have returned. */
  long done() {
    return done.sum();
  }

  /** Returns how many calls return in a second, seen for so long from now. */
  double perSecond(Duration duration) throws InterruptedException {
    long before = done();
    long begin = System.nanoTime();
    Thread.sleep(duration.toMillis());
    return (done() - before) / ((System.nanoTime() - begin) / 1e9);
  }

  /** From now on no call begins. Does not wait for those that are under way. */
  void stop() {
    over = true;
  }

  /**
   * Stops, and waits until all threads have ended.
   *
   * @throws ExecutionException if calls threw, with what they threw
   */
  @Override
  public void close() throws ExecutionException {
    stop();
    pool.shutdown();
    @Nullable ExecutionException failure = null;
    for (Future<?> future : futures) {
      try {
        Object unused = future.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while a load ended", e);
      } catch (ExecutionException e) {
        failure = both(failure, e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The first failure, which tells of the next one too. */
  static <E extends Exception> E both(@Nullable E first, E next) {
    if (first == null) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }
}
