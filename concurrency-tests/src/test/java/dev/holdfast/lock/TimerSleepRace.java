package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * The handshake of {@link TimerThread}: one thread sets a timer that is due, another does what the
 * timer thread does to fall asleep. Only on a class with {@link Parking} woven in.
 */
public final class TimerSleepRace implements Race {
  private static final long HOUR = 3_600_000_000_000L;
  private static final MethodHandle SLEEP_UNTIL = sleepUntil();

  private final TimerThread timers = new TimerThread();
  private boolean woke;
  private boolean sleeps;

  private static MethodHandle sleepUntil() {
    try {
      return MethodHandles.privateLookupIn(TimerThread.class, MethodHandles.lookup())
          .findVirtual(
              TimerThread.class, "sleepUntil", MethodType.methodType(void.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("TimerThread has changed", e);
    }
  }

  @Override
  public void first() {
    woke =
        Parking.wakes(
            () -> {
              Scheduler.Timer unused = timers.schedule(() -> {}, 0);
            });
  }

  @Override
  public void second() {
    sleeps = Parking.sleeps(this::sleep);
  }

  private void sleep() {
    try {
      SLEEP_UNTIL.invokeExact(timers, HOUR);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public String verdict() {
    if (!sleeps) {
      return "the thread saw the timer";
    }
    return woke ? "the thread is woken" : BROKEN + "the thread sleeps though a timer is due";
  }
}
