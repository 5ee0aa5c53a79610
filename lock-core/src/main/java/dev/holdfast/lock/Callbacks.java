package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs users' code where it may block and throw: never on a thread of the engine, whatever the
 * user's executor does. That executor is called from threads of the manager's own, so it may run
 * tasks in its caller, or keep the caller waiting. What it rejects, or has not begun after a
 * second, because its threads are blocked or it is shut down, runs on one of the own threads. Each
 * task runs once. Thread-safe.
 */
final class Callbacks implements Executor, AutoCloseable {
  /** How long a task may wait for a thread of the user's executor. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** How long until a thread is asked for again that could not be made. */
  private static final Duration RETRY = Duration.ofMillis(100);

  private static final Logger LOG = LoggerFactory.getLogger(Callbacks.class);

  private final @Nullable Executor given;
  private final boolean driven;
  private final Timers timers;
  private final ThreadPoolExecutor own = Defaults.pool("holdfast-callback");
  private final Executor spare;

  /** Tasks that the user's executor has not begun. */
  private final Set<Once> watched = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  /** Tasks for which no thread could be made yet. */
  private final Queue<Runnable> stranded = new ConcurrentLinkedQueue<>();

  /**
   * For a manager.
   *
   * @param given the user's executor; null for none
   * @param driven whether the engine runs on the user's scheduler and clock, as in a simulation:
   *     then the user's executor is called at once, and time passes only as that scheduler says
   * @param spare runs what the user's executor does not; null for threads of its own. For a
   *     simulator, in which no thread may run
   */
  Callbacks(@Nullable Executor given, boolean driven, Timers timers, @Nullable Executor spare) {
    this.spare = spare == null ? own : spare;
    this.given = given;
    this.driven = driven;
    this.timers = timers;
  }

  /** Has the task run soon, on a thread that is not this one. Throws nothing that a user causes. */
  @Override
  public void execute(Runnable task) {
    if (given == null || (closed && !driven)) {
      onOwnThread(task);
      return;
    }
    Once once = new Once(task);
    if (driven) {
      once.handTo(given);
    } else {
      once.watch();
      onOwnThread(() -> once.handTo(given));
    }
  }

  private void onOwnThread(Runnable task) {
    try {
      spare.execute(task);
      if (!stranded.isEmpty()) {
        // There are threads again; the timer that was to find out may not have been set.
        retryLater();
      }
    } catch (Throwable e) {
      // Such as "unable to create native thread": that may be over soon.
      stranded.add(task);
      Logs.quietly(() -> LOG.error("No thread for a callback; trying again", e));
      retryLater();
    }
  }

  private void retryLater() {
    Logs.quietly(() -> timers.onOwnThread(this::retry, RETRY));
  }

  private void retry() {
    Runnable task = stranded.poll();
    while (task != null) {
      int before = stranded.size();
      onOwnThread(task);
      if (stranded.size() > before) {
        return;
      }
      task = stranded.poll();
    }
  }

  /** Ends the idle threads; what is still to run does run, on them if nowhere else. */
  @Override
  public void close() {
    closed = true;
    // No timer runs from now on.
    List.copyOf(watched).forEach(once -> onOwnThread(once::begin));
    own.setKeepAliveTime(1, TimeUnit.MILLISECONDS);
  }

  /**
   * A task that is given to the user's executor, and to a thread of the manager's own if need be.
   */
  private final class Once implements Runnable {
    private final Runnable task;
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile Scheduler.@Nullable Timer watch;

    /** Who is in the executor's {@code execute} for this task; only compared with itself. */
    private volatile @Nullable Thread handing;

    Once(Runnable task) {
      this.task = task;
    }

    void handTo(Executor executor) {
      handing = Thread.currentThread();
      try {
        executor.execute(this);
      } catch (Throwable e) {
        Logs.quietly(
            () -> LOG.debug("The callback executor rejected a callback; it runs elsewhere", e));
        onOwnThread(this::begin);
      } finally {
        handing = null;
      }
    }

    @Override
    public void run() {
      if (driven && handing == Thread.currentThread()) {
        // The executor runs it in its caller, which is the engine.
        onOwnThread(this::begin);
      } else {
        begin();
      }
    }

    private void begin() {
      if (begun.compareAndSet(false, true)) {
        watched.remove(this);
        Scheduler.Timer timer = watch;
        if (timer != null) {
          timer.cancel();
        }
        task.run();
      }
    }

    private void watch() {
      watched.add(this);
      Logs.quietly(() -> watch = timers.onOwnThread(() -> onOwnThread(this::begin), PATIENCE));
      if (begun.get()) {
        watched.remove(this);
      } else if (closed) {
        onOwnThread(this::begin);
      }
    }
  }
}
