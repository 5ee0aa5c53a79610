package dev.holdfast.bench.ttl;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Measures how long this JVM and its machine stall: a thread that sleeps a millisecond at a time,
 * and notes how much longer it took, for whatever reason. A stop of n milliseconds counts for each
 * of the n times at which a thread could have been held up by it. In the way of Gil Tene's jHiccup
 * (https://github.com/giltene/jHiccup).
 */
final class HiccupMeter implements AutoCloseable {
  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long HIGHEST_NANOS = TimeUnit.HOURS.toNanos(1);

  private final Histogram histogram = new Histogram(HIGHEST_NANOS, 3);
  private final Thread thread = new Thread(this::run, "hiccup-meter");

  private HiccupMeter() {}

  static HiccupMeter start() {
    HiccupMeter meter = new HiccupMeter();
    meter.thread.setDaemon(true);
    meter.thread.start();
    return meter;
  }

  private void run() {
    long shortest = Long.MAX_VALUE;
    try {
      while (!Thread.currentThread().isInterrupted()) {
        long before = System.nanoTime();
        TimeUnit.NANOSECONDS.sleep(INTERVAL_NANOS);
        long took = System.nanoTime() - before;
        // What even the best sleep takes is the timer's own matter.
        shortest = Math.min(shortest, took);
        histogram.recordValueWithExpectedInterval(
            Math.min(HIGHEST_NANOS, took - shortest), INTERVAL_NANOS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the end
    }
  }

  /** Ends the measurement, and returns it, in nanoseconds. */
  Histogram stop() throws InterruptedException {
    close();
    thread.join();
    return histogram;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
