package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timers of one manager, which run whatever becomes of the scheduler that it was given: one
 * that rejects a task is replaced for that task by a thread of the manager's own; and on the
 * system's clock that thread also runs what the scheduler has not run a second after it was due,
 * because it was shut down or its threads are blocked. Runs each task once. Thread-safe.
 */
final class Timers implements Scheduler, AutoCloseable {
  /** How late a scheduler may be before its task is run by another thread. */
  private static final long GRACE_NANOS = Duration.ofSeconds(1).toNanos();

  private static final Timer NONE = () -> {};

  private static final Logger LOG = LoggerFactory.getLogger(Timers.class);

  private final @Nullable Scheduler given;
  private final boolean realTime;
  private final TimerThread own = new TimerThread();
  private final Scheduler spare;
  private volatile boolean closed;

  /**
   * For a manager.
   *
   * @param given the user's scheduler; null for none
   * @param realTime whether the manager's clock is the system's, which the own thread goes by
   * @param spare runs what the user's scheduler rejects or is late with; null for the own thread.
   *     For a simulator, in which no thread may run
   */
  Timers(@Nullable Scheduler given, boolean realTime, @Nullable Scheduler spare) {
    this.given = given;
    this.realTime = realTime;
    this.spare = spare == null ? own : spare;
  }

  /** Runs the task later, once; never if this is closed before. */
  @Override
  public Timer schedule(Runnable task, long delayNanos) {
    if (closed) {
      return NONE;
    }
    try {
      return given == null
          ? own.schedule(task, delayNanos)
          : new Watched(task).on(given, delayNanos);
    } catch (RejectedExecutionException e) {
      if (closed) {
        return NONE;
      }
      throw e;
    }
  }

  /** Runs the task later on the own thread, on real time. */
  Timer onOwnThread(Runnable task, Duration delay) {
    return own.schedule(task, delay.toNanos());
  }

  @Override
  public void close() {
    closed = true;
    own.close();
  }

  /** A task on the user's scheduler, and on the own thread in case that one fails. */
  private final class Watched implements Runnable, Timer {
    private final Runnable task;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile Timer first = NONE;
    private volatile Timer second = NONE;

    Watched(Runnable task) {
      this.task = task;
    }

    Timer on(Scheduler scheduler, long delayNanos) {
      boolean accepted = false;
      try {
        first = scheduler.schedule(this, delayNanos);
        accepted = true;
      } catch (Throwable e) {
        Logs.quietly(() -> LOG.warn("The scheduler rejected a timer", e));
      }
      if (!accepted || realTime) {
        second = spare.schedule(this, accepted ? Times.plus(delayNanos, GRACE_NANOS) : delayNanos);
      }
      return this;
    }

    @Override
    public void run() {
      if (over.compareAndSet(false, true)) {
        second.cancel();
        task.run();
      }
    }

    @Override
    public void cancel() {
      over.set(true);
      second.cancel();
      try {
        first.cancel();
      } catch (Throwable e) {
        Logs.quietly(() -> LOG.warn("The scheduler failed to cancel a timer", e));
      }
    }
  }
}
