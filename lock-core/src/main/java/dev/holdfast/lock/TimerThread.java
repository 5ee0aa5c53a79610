package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.lang.invoke.VarHandle;
import java.util.Iterator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
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
 *
 * <p>No lock is held: with many threads and few processors, one that is preempted while it holds
 * one keeps all others waiting, the thread that reads answers among them.
 */
final class TimerThread implements Scheduler, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TimerThread.class);

  /** Far off, and no sum of it and the time that passes overflows. */
  private static final long NEVER = Long.MAX_VALUE / 4;

  private static final long AWAKE = Long.MIN_VALUE;

  private final long origin = System.nanoTime();
  private final ConcurrentSkipListSet<Entry> entries = new ConcurrentSkipListSet<>();
  private final AtomicLong sequence = new AtomicLong();
  private final AtomicBoolean started = new AtomicBoolean();
  private volatile @Nullable Thread thread;
  private volatile boolean closed;

  /**
   * When the thread wakes up by itself, in nanoseconds from the origin; {@link #AWAKE} if it is.
   */
  private volatile long wakeAtNanos = AWAKE;

  private record Entry(long atNanos, long order, Runnable task) implements Comparable<Entry> {
    @Override
    public int compareTo(Entry other) {
      int byTime = Long.compare(atNanos, other.atNanos);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
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
    if (closed) {
      throw new RejectedExecutionException("the lock manager is closed");
    }
    long at = now() + Math.min(Math.max(delayNanos, 0), NEVER);
    Entry entry = new Entry(at, sequence.getAndIncrement(), task);
    entries.add(entry);
    if (!started.get() && started.compareAndSet(false, true)) {
      start(entry);
    }
    // Pairs with the one before the thread's last look: either that shows it the new timer, or this
    // read shows until when it sleeps (Dekker). The set's own reads are too weak for that.
    VarHandle.fullFence();
    if (at < wakeAtNanos) {
      LockSupport.unpark(thread);
    }
    return () -> entries.remove(entry);
  }

  /** Throws what keeps the thread from starting; then this timer is not set, and the next tries. */
  private void start(Entry first) {
    boolean running = false;
    try {
      Defaults.start("holdfast-timer", this::run);
      running = true;
    } finally {
      if (!running) {
        entries.remove(first);
        started.set(false);
      }
    }
  }

  /** Nanoseconds from the origin, which do not wrap around. */
  private long now() {
    return System.nanoTime() - origin;
  }

  private @Nullable Entry first() {
    Iterator<Entry> all = entries.iterator();
    return all.hasNext() ? all.next() : null;
  }

  private void run() {
    thread = Thread.currentThread();
    while (!closed) {
      try {
        runFirst();
      } catch (Throwable e) {
        // Of a timer, or for want of memory between two: the others are to run all the same.
        Logs.quietly(() -> LOG.error("A timer failed", e));
      }
    }
  }

  private void runFirst() {
    Entry first = first();
    if (first == null || first.atNanos() > now()) {
      sleepUntil(first == null ? NEVER : first.atNanos());
    } else if (entries.remove(first)) {
      first.task().run();
    }
  }

  /** Until then, or until an earlier timer is set, or for no reason. */
  private void sleepUntil(long atNanos) {
    wakeAtNanos = atNanos;
    VarHandle.fullFence();
    Entry first = first();
    if (!closed && (first == null || first.atNanos() >= atNanos)) {
      LockSupport.parkNanos(this, atNanos - now());
    }
    wakeAtNanos = AWAKE;
    if (Thread.interrupted()) {
      // Nobody interrupts this thread but a task that misbehaves; timers must go on.
      Logs.quietly(() -> LOG.warn("The timer thread was interrupted"));
    }
  }

  /** Drops all timers, and ends the thread when the task that runs has ended. */
  @Override
  public void close() {
    closed = true;
    entries.clear();
    LockSupport.unpark(thread);
  }
}
