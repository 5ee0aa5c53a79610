package dev.holdfast.lock;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What {@link TimerThread} calls to sleep, to wake, and to begin, when faults are woven into it: a
 * thread that watches it does none of these, but learns which of them was called.
 */
public final class Parking {
  private static final ThreadLocal<@Nullable Parking> WATCHING = new ThreadLocal<>();

  /** Ends what would sleep, at the point where it would. */
  private static final class Parked extends Error {
    private static final long serialVersionUID = 1L;

    Parked() {
      super("", null, false, false);
    }
  }

  private boolean woke;

  private Parking() {}

  /** Whether this thread, running that, would fall asleep. */
  static boolean sleeps(Runnable task) {
    return watch(
        new Parking(),
        () -> {
          try {
            task.run();
            return false;
          } catch (Parked e) {
            return true;
          }
        });
  }

  /** Whether this thread, running that, would wake another. */
  static boolean wakes(Runnable task) {
    Parking parking = new Parking();
    return watch(
        parking,
        () -> {
          task.run();
          return parking.woke;
        });
  }

  private static boolean watch(Parking parking, BooleanSupplier task) {
    WATCHING.set(parking);
    try {
      return task.getAsBoolean();
    } finally {
      WATCHING.remove();
    }
  }

  /** In the place of {@link LockSupport#parkNanos(Object, long)}. */
  public static void parkNanos(Object blocker, long nanos) {
    if (WATCHING.get() != null) {
      throw new Parked();
    }
    LockSupport.parkNanos(blocker, nanos);
  }

  /** In the place of {@link LockSupport#unpark}. */
  public static void unpark(@Nullable Thread thread) {
    Parking watching = WATCHING.get();
    if (watching != null) {
      watching.woke = true;
    } else {
      LockSupport.unpark(thread);
    }
  }

  /** In the place of {@code Defaults.start}. */
  public static void start(String name, Runnable task) {
    if (WATCHING.get() == null) {
      Defaults.start(name, task);
    }
  }
}
