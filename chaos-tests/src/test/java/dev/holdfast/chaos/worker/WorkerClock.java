package dev.holdfast.chaos.worker;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * The clocks of a worker: a monotonic one and a wall clock, which is wrong by a constant. Both can
 * be slewed, as a daemon does that corrects them. Thread-safe.
 */
final class WorkerClock {
  private static final double MILLION = 1e6;

  private final long wallOffsetMillis;
  private long fromNanos = System.nanoTime();
  private long ticksThen = fromNanos;
  private double rate = 1;

  WorkerClock(long wallOffsetMillis) {
    this.wallOffsetMillis = wallOffsetMillis;
  }

  /** From now on the clocks are fast by that, or slow if it is negative. */
  synchronized void slew(long ppm) {
    long now = System.nanoTime();
    ticksThen += Math.round((now - fromNanos) * rate);
    fromNanos = now;
    rate = 1 + ppm / MILLION;
  }

  /** Reads the monotonic clock. */
  synchronized long nanos() {
    return ticksThen + Math.round((System.nanoTime() - fromNanos) * rate);
  }

  private synchronized long offNanos() {
    long since = System.nanoTime() - fromNanos;
    return ticksThen - fromNanos + Math.round(since * rate) - since;
  }

  /** Returns by how much the clocks have gone off. */
  long offMillis() {
    return TimeUnit.NANOSECONDS.toMillis(offNanos());
  }

  /** Reads the wall clock. */
  Instant instant() {
    return Instant.now().plusMillis(wallOffsetMillis).plusNanos(offNanos());
  }

  /** Returns how long that takes in true time, if the clocks are not slewed otherwise meanwhile. */
  synchronized long trueNanos(long nanos) {
    return rate == 1 ? nanos : (long) (nanos / rate);
  }
}
