package dev.holdfast.lock;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Time that passes only when a test says so. One object holds the clocks, the timers and the
 * callback executors of all {@linkplain Machine machines} of a test, and runs everything in the
 * test's thread, one task after the other, in an order that depends on nothing but the seed.
 *
 * <p>True time is what {@link #now} says and what {@link #advance} moves. Each machine has clocks
 * of its own, which a test can set, slow down, or put to sleep. Threads other than the test's may
 * schedule and read, but only the test's thread runs tasks.
 */
final class VirtualTime {
  /** What the wall clocks show at the start. */
  static final Instant EPOCH = Instant.parse("2030-01-01T00:00:00Z");

  /** The monotonic clocks overflow a minute after the start: only differences mean anything. */
  private static final long FIRST_TICK = Long.MAX_VALUE - Duration.ofMinutes(1).toNanos();

  private static final long MILLION = 1_000_000;
  private static final int MAX_STEPS = 5_000_000;

  private final long seed;
  private final List<Machine> machines = new ArrayList<>();
  private final List<Runnable> checks = new ArrayList<>();
  private final Map<String, Integer> forks = new HashMap<>();
  private long now;
  private long scheduled;
  private long steps;

  VirtualTime(long seed) {
    this.seed = seed;
  }

  /** A machine whose clocks agree with true time. */
  synchronized Machine machine(String name) {
    Machine machine = new Machine(name);
    machines.add(machine);
    return machine;
  }

  /**
   * A source of randomness for one component: another's draws change nothing in it. The same name
   * gives another source each time.
   */
  synchronized RandomGenerator fork(String component) {
    int number = forks.merge(component, 1, Integer::sum);
    return new Random((seed * 31 + component.hashCode()) * 31 + number);
  }

  /** True time since the start. */
  synchronized Duration now() {
    return Duration.ofNanos(now);
  }

  /** Has the check run after each task: for what must hold always. */
  void afterEachStep(Runnable check) {
    checks.add(check);
  }

  /** Lets so much true time pass, and runs what falls due. */
  void advance(Duration duration) {
    long end = now().plus(duration).toNanos();
    boolean more;
    do {
      more = step(end);
    } while (more);
    setNow(end);
  }

  /** Runs what is due now, without letting time pass. */
  void settle() {
    advance(Duration.ZERO);
  }

  /**
   * Lets time pass until the condition holds, at most for the limit.
   *
   * @return whether it holds
   */
  boolean runUntil(BooleanSupplier condition, Duration limit) {
    long end = now().plus(limit).toNanos();
    while (!condition.getAsBoolean()) {
      if (!step(end)) {
        setNow(end);
        return condition.getAsBoolean();
      }
    }
    return true;
  }

  /** How many timers and callbacks wait, on all machines. */
  synchronized int pending() {
    return machines.stream().mapToInt(m -> m.timers.size() + m.ready.size()).sum();
  }

  private synchronized void setNow(long nanos) {
    now = Math.max(now, nanos);
  }

  /** Runs the task that is due first, unless that is later than the end. */
  private boolean step(long end) {
    Runnable task = next(end);
    if (task == null) {
      return false;
    }
    if (++steps > MAX_STEPS) {
      throw new AssertionError("no rest after " + MAX_STEPS + " steps");
    }
    task.run();
    checks.forEach(Runnable::run);
    return true;
  }

  private synchronized @Nullable Runnable next(long end) {
    for (Machine machine : machines) {
      if (!machine.paused && !machine.ready.isEmpty()) {
        return machine.ready.remove(0);
      }
    }
    Due first = null;
    long firstDue = 0;
    for (Machine machine : machines) {
      for (Due timer : machine.timers) {
        long due = machine.trueTime(timer.nanos);
        if (first == null || due < firstDue || (due == firstDue && timer.order < first.order)) {
          first = timer;
          firstDue = due;
        }
      }
    }
    if (first == null || firstDue > end) {
      return null;
    }
    now = Math.max(now, firstDue);
    first.machine.timers.remove(first);
    return first.task;
  }

  /** A timer, due when its machine's monotonic clock has got so far. */
  private record Due(Machine machine, long nanos, long order, Runnable task) {}

  /**
   * The clocks, the timers and the callback executor of one process. Callbacks never run inside the
   * call that brings them.
   */
  final class Machine implements Ticker, InstantSource, Scheduler, Executor {
    private final String name;
    private final List<Due> timers = new ArrayList<>();
    private final List<Runnable> ready = new ArrayList<>();

    /** The monotonic clock showed this, at that true time, and has run at that rate since. */
    private long knownNanos;

    private long knownAt;
    private long partsPerMillion = MILLION;

    private Duration wallError = Duration.ZERO;
    private boolean paused;
    private boolean suspended;
    private boolean cancelsTooLate;

    private Machine(String name) {
      this.name = name;
      this.knownAt = now;
    }

    @Override
    public long nanos() {
      synchronized (VirtualTime.this) {
        return FIRST_TICK + monotonic();
      }
    }

    @Override
    public Instant instant() {
      synchronized (VirtualTime.this) {
        return EPOCH.plusNanos(now).plus(wallError);
      }
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
      if (delayNanos < 0) {
        throw new IllegalArgumentException("a delay must be 0 or more, but is " + delayNanos);
      }
      synchronized (VirtualTime.this) {
        Due timer = new Due(this, Times.plus(monotonic(), delayNanos), scheduled++, task);
        timers.add(timer);
        return () -> cancel(timer);
      }
    }

    private void cancel(Due timer) {
      synchronized (VirtualTime.this) {
        if (!cancelsTooLate) {
          timers.remove(timer);
        }
      }
    }

    @Override
    public void execute(Runnable callback) {
      synchronized (VirtualTime.this) {
        ready.add(callback);
      }
    }

    /** Sets the wall clock forward, or back. */
    void stepWallClock(Duration by) {
      synchronized (VirtualTime.this) {
        wallError = wallError.plus(by);
      }
    }

    /** From now on the monotonic clock runs so much faster, or slower. */
    void drift(double fraction) {
      synchronized (VirtualTime.this) {
        rate(MILLION + Math.round(fraction * MILLION));
      }
    }

    /** The process stands still: its clocks go on, but no timer or callback runs. */
    void pause() {
      synchronized (VirtualTime.this) {
        paused = true;
      }
    }

    /** The whole machine sleeps: its wall clock goes on, its monotonic clock stands still. */
    void suspend() {
      synchronized (VirtualTime.this) {
        knownNanos = monotonic();
        knownAt = now;
        paused = true;
        suspended = true;
      }
    }

    /** Ends a pause or a sleep. */
    void resume() {
      synchronized (VirtualTime.this) {
        if (suspended) {
          knownAt = now;
        }
        paused = false;
        suspended = false;
      }
    }

    /** From now on a timer is cancelled just too late: it runs all the same. */
    void cancelTooLate(boolean tooLate) {
      synchronized (VirtualTime.this) {
        cancelsTooLate = tooLate;
      }
    }

    /** How many timers wait. */
    int pendingTimers() {
      synchronized (VirtualTime.this) {
        return timers.size();
      }
    }

    private void rate(long newPartsPerMillion) {
      knownNanos = monotonic();
      knownAt = now;
      partsPerMillion = newPartsPerMillion;
    }

    /** What the monotonic clock has counted. */
    private long monotonic() {
      long passed = suspended ? 0 : now - knownAt;
      return knownNanos
          + passed / MILLION * partsPerMillion
          + passed % MILLION * partsPerMillion / MILLION;
    }

    /** When, in true time, a task runs that is due at that monotonic time. */
    private long trueTime(long due) {
      if (paused) {
        return Long.MAX_VALUE;
      }
      long left = due - knownNanos;
      if (left <= 0) {
        return knownAt;
      }
      long rest = left % partsPerMillion * MILLION;
      long restRoundedUp = (rest + partsPerMillion - 1) / partsPerMillion;
      return Times.plus(knownAt, left / partsPerMillion * MILLION + restRoundedUp);
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
