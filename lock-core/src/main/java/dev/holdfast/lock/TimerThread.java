package dev.holdfast.lock;

import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The scheduler that a manager has by default: one daemon thread, started with the first timer.
 * Thread-safe.
 *
 * <p>Nearly all timers of this library are deadlines that are cancelled soon. A {@code
 * ScheduledThreadPoolExecutor} wakes its thread for each that is set while no earlier one is
 * pending, which costs an uncontended lock 5 % of its latency. Here a cancelled timer leaves the
 * thread asleep until the moment that it was set for, and a later one does not wake it before.
 */
final class TimerThread implements Scheduler, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TimerThread.class);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by lock.
  private final TreeSet<Entry> entries = new TreeSet<>();
  private long wakeAtNanos;
  private boolean asleep;
  private long sequence;
  private boolean closed;
  private boolean started;

  private record Entry(long atNanos, long order, Runnable task) implements Comparable<Entry> {
    @Override
    public int compareTo(Entry other) {
      // By difference: the clock may wrap around.
      long difference = atNanos - other.atNanos;
      return difference != 0 ? Long.signum(difference) : Long.compare(order, other.order);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(order);
    }
  }

  @Override
  public Timer schedule(Runnable task, long delayNanos) {
    lock.lock();
    try {
      if (closed) {
        throw new RejectedExecutionException("the lock manager is closed");
      }
      // Bounded, so that differences of two moments never overflow.
      long at = System.nanoTime() + Math.min(Math.max(delayNanos, 0), Long.MAX_VALUE / 4);
      Entry entry = new Entry(at, sequence++, task);
      entries.add(entry);
      if (!started) {
        started = true;
        Defaults.start("holdfast-timer", this::run);
      } else if (asleep && at - wakeAtNanos < 0) {
        changed.signal();
      }
      return () -> cancel(entry);
    } finally {
      lock.unlock();
    }
  }

  private void cancel(Entry entry) {
    lock.lock();
    try {
      entries.remove(entry);
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    for (Runnable task = next(); task != null; task = next()) {
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        LOG.error("A timer failed", e);
      }
    }
  }

  /** Waits for the next task that is due; null when closed. */
  private @Nullable Runnable next() {
    lock.lock();
    try {
      while (!closed) {
        long now = System.nanoTime();
        Entry first = entries.isEmpty() ? null : entries.first();
        if (first != null && first.atNanos() - now <= 0) {
          entries.remove(first);
          return first.task();
        }
        long pause = first == null ? Long.MAX_VALUE / 4 : first.atNanos() - now;
        wakeAtNanos = now + pause;
        asleep = true;
        try {
          long unused = changed.awaitNanos(pause);
        } catch (InterruptedException e) {
          // Nobody interrupts this thread but a task that misbehaves; timers must go on.
          LOG.warn("The timer thread was interrupted", e);
        } finally {
          asleep = false;
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** Drops all timers, and ends the thread when the task that runs has ended. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      entries.clear();
      changed.signal();
    } finally {
      lock.unlock();
    }
  }
}
