package dev.holdfast.chaos.sim;

import dev.holdfast.lock.Scheduler;
import dev.holdfast.lock.Ticker;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * A machine with one process on it: clocks that may be wrong, timers, a callback executor. It can
 * pause (the clocks go on), sleep (the machine is suspended: its monotonic clock stops too), be
 * frozen by its hypervisor (both clocks stop), and crash (nothing of it ever runs again).
 */
final class Host implements Ticker, InstantSource, Scheduler, Executor {
  private static final Instant EPOCH = Instant.parse("2030-01-01T00:00:00Z");

  private final Simulation simulation;
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private final Set<Due> dues = new LinkedHashSet<>();
  private final long wallBase;
  private final long maxWallOffset;
  private double rate;
  private long monotonicAt;
  private long monotonicThen;
  private long wallOffset;

  /** Since when the wall clock is adjusted as the monotonic one is. */
  private long wallOffsetAt;

  /** By how much the wall clock is behind since the machine was frozen. */
  private long wallBehind;

  private long frozenAt;
  private boolean paused;
  private boolean suspended;
  private boolean frozen;
  private int rejecting;
  private boolean crashed;
  private int stops;

  /**
   * A machine.
   *
   * @param monotonicStart what its monotonic clock shows at first
   * @param rate how fast that clock runs, 1 is right
   * @param wallBase by how many nanoseconds its wall clock is wrong for good
   * @param wallOffset by how many more at the moment
   * @param maxWallOffset at most how many those may be; what slews the monotonic clock slews the
   *     wall clock too, until then
   */
  Host(
      Simulation simulation,
      long monotonicStart,
      double rate,
      long wallBase,
      long wallOffset,
      long maxWallOffset) {
    this.simulation = simulation;
    this.monotonicThen = monotonicStart;
    this.monotonicAt = simulation.now();
    this.rate = rate;
    this.wallBase = wallBase;
    this.wallOffset = wallOffset;
    this.wallOffsetAt = simulation.now();
    this.maxWallOffset = maxWallOffset;
  }

  /** A machine whose clocks are right. */
  static Host withRightClocks(Simulation simulation) {
    return new Host(simulation, 0, 1, 0, 0, 0);
  }

  // --- Clocks

  @Override
  public long nanos() {
    return suspended
        ? monotonicThen
        : monotonicThen + (long) ((simulation.now() - monotonicAt) * rate);
  }

  @Override
  public Instant instant() {
    return EPOCH.plusNanos(simulation.now() + wallBase + wallOffset() - wallBehind);
  }

  /** Returns what a clock would show that is never wrong. */
  Instant trueTime() {
    return EPOCH.plusNanos(simulation.now());
  }

  /** Sets the wall clock wrong by this many nanoseconds, in addition to its constant offset. */
  void setWallOffset(long nanos) {
    wallOffset = nanos;
    wallOffsetAt = simulation.now();
  }

  long wallOffset() {
    // While the machine sleeps, nothing is adjusted.
    long slewed = suspended ? 0 : (long) ((simulation.now() - wallOffsetAt) * (rate - 1));
    return Math.max(-maxWallOffset, Math.min(wallOffset + slewed, maxWallOffset));
  }

  /** From now on both clocks run at another rate, as when a daemon corrects them gradually. */
  void slew(double newRate) {
    setClocks();
    rate = newRate;
    List.copyOf(dues).forEach(Due::rearm);
  }

  /** Restarts the clocks from what they show now. */
  private void setClocks() {
    setWallOffset(wallOffset());
    monotonicThen = nanos();
    monotonicAt = simulation.now();
  }

  /** The wall clock shows the time again that it missed while the machine was frozen. */
  void catchUp() {
    wallBehind = 0;
  }

  // --- Timers and callbacks

  /** The scheduler as a user's: it rejects timers for a while. */
  Timer scheduleUnlessRejecting(Runnable task, long delayNanos) {
    rejectIfRejecting();
    return schedule(task, delayNanos);
  }

  /** The callback executor as a user's: it rejects callbacks for a while. */
  void executeUnlessRejecting(Runnable callback) {
    rejectIfRejecting();
    execute(callback);
  }

  private void rejectIfRejecting() {
    if (rejecting > 0) {
      throw new RejectedException();
    }
  }

  /** Without a stack trace, which the library would log for each task. */
  private static final class RejectedException extends RejectedExecutionException {
    private static final long serialVersionUID = 1L;

    RejectedException() {
      super("for a while");
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /** From now on tasks are rejected, or not any more; there may be several reasons at a time. */
  void reject(boolean begins) {
    rejecting += begins ? 1 : -1;
  }

  @Override
  public Timer schedule(Runnable task, long delayNanos) {
    Due due = new Due(task, nanos() + delayNanos);
    dues.add(due);
    due.arm(delayNanos);
    return due::cancel;
  }

  private final class Due {
    private final Runnable task;
    private final long at;
    private boolean over;

    /** Tells the event that is meant from those of the rates before. */
    private int armed;

    Due(Runnable task, long at) {
      this.task = task;
      this.at = at;
    }

    void arm(long delay) {
      int arming = ++armed;
      simulation.after(
          (long) Math.ceil(delay / rate), () -> fire(arming), () -> isPointless(arming));
    }

    void rearm() {
      arm(Math.max(0, at - nanos()));
    }

    private boolean isPointless(int arming) {
      return over || crashed || arming != armed;
    }

    private void fire(int arming) {
      if (isPointless(arming)) {
        return;
      }
      long left = at - nanos();
      if (left > 0) {
        // The machine slept meanwhile; while it sleeps, look again from time to time.
        arm(Math.max(left, suspended ? 10 * Simulation.MILLI : 1));
        return;
      }
      run(
          () -> {
            if (!over) {
              end();
              task.run();
            }
          });
    }

    void cancel() {
      if (!over) {
        end();
      }
    }

    private void end() {
      over = true;
      dues.remove(this);
    }
  }

  /** Runs it now, or when the process goes on, or never. */
  void run(Runnable task) {
    if (crashed) {
      return;
    }
    if (paused) {
      waiting.add(task);
    } else {
      task.run();
    }
  }

  @Override
  public void execute(Runnable callback) {
    simulation.after(0, () -> run(callback), this::isCrashed);
  }

  /** Returns how many timers are set. */
  int timers() {
    return dues.size();
  }

  /** Returns how often it has stood still so far. */
  int stops() {
    return stops;
  }

  // --- What can happen to it

  boolean isRunning() {
    return !paused && !crashed;
  }

  boolean isCrashed() {
    return crashed;
  }

  /** Pauses the process. */
  void pause() {
    stops++;
    paused = true;
  }

  /** The machine sleeps. */
  void suspend() {
    setClocks();
    suspended = true;
    stops++;
    paused = true;
  }

  /** The machine's hypervisor pauses it: both clocks stand still, and do not notice. */
  void freeze() {
    suspend();
    frozen = true;
    frozenAt = simulation.now();
  }

  /** Returns whether it was frozen less than so long ago. */
  boolean wasFrozenWithin(long nanos) {
    return frozenAt > 0 && simulation.now() - frozenAt < nanos;
  }

  /** The process goes on: first with what has become due. */
  void resume() {
    if (frozen) {
      frozen = false;
      wallBehind += simulation.now() - frozenAt;
    }
    if (suspended) {
      setClocks();
      suspended = false;
    }
    paused = false;
    while (!waiting.isEmpty() && !paused) {
      waiting.remove().run();
    }
  }

  void crash() {
    crashed = true;
    waiting.clear();
  }
}
