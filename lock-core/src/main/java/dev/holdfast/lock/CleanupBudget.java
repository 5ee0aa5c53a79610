package dev.holdfast.lock;

import java.time.Duration;
import java.util.ArrayDeque;

/**
 * How often the clean-ups of all locks of a manager may look, together: the others wait in line.
 * While looks are not answered the interval between two of them grows: a store that does not answer
 * is not to be asked more. A token bucket, kept as the time at which it is full (the generic cell
 * rate algorithm of ITU-T I.371). Thread-safe.
 */
final class CleanupBudget {
  static final long MIN_INTERVAL_NANOS = Duration.ofMillis(50).toNanos();
  static final long MAX_INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  /** So many looks may follow one another at once, after a pause. */
  static final int BURST = 20;

  private final Ticker ticker;
  private final Scheduler timers;

  // Guarded by this.
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private long intervalNanos = MIN_INTERVAL_NANOS;
  private long fullAtNanos;
  private boolean armed;

  CleanupBudget(Ticker ticker, Scheduler timers) {
    this.ticker = ticker;
    this.timers = timers;
    this.fullAtNanos = ticker.nanos();
  }

  /**
   * Has the look begin as soon as it may: now, or later on a thread of the engine's, unless it is
   * {@linkplain #cancel cancelled} before.
   */
  void look(Runnable look) {
    synchronized (this) {
      if (!waiting.isEmpty() || take() > 0) {
        waiting.add(look);
        arm();
        return;
      }
    }
    look.run();
  }

  /** A look that may still wait is not needed any more. */
  synchronized void cancel(Runnable look) {
    waiting.remove(look);
  }

  /** A look has been answered, or has not. */
  synchronized void looked(boolean answered) {
    long before = intervalNanos;
    intervalNanos =
        answered
            ? Math.max(MIN_INTERVAL_NANOS, before / 2)
            : Math.min(MAX_INTERVAL_NANOS, before * 2);
    // So many looks are missing from a full bucket, whatever the interval was when they were taken:
    // else nobody could look for long after an outage.
    long now = ticker.nanos();
    long missing = fullAtNanos - now;
    if (missing > 0) {
      fullAtNanos = now + (long) ((double) missing / before * intervalNanos);
    }
  }

  /** Takes the right to one look; or how long it is until there is one. */
  private long take() {
    long now = ticker.nanos();
    if (now - fullAtNanos > 0) {
      fullAtNanos = now;
    }
    long wait = waitNanos(now);
    if (wait <= 0) {
      fullAtNanos += intervalNanos;
    }
    return wait;
  }

  private long waitNanos(long now) {
    return fullAtNanos - now - (BURST - 1) * intervalNanos;
  }

  private void arm() {
    if (!armed && !waiting.isEmpty()) {
      long wait = waitNanos(ticker.nanos());
      Scheduler.Timer unused = timers.schedule(this::tick, Math.max(0, wait));
      armed = true;
    }
  }

  private void tick() {
    try {
      Runnable next;
      synchronized (this) {
        armed = false;
        next = take() > 0 ? null : waiting.poll();
      }
      if (next != null) {
        next.run();
      }
    } finally {
      synchronized (this) {
        arm();
      }
    }
  }
}
