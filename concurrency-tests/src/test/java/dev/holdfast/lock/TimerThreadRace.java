package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.util.concurrent.atomic.AtomicInteger;

/** A timer is set far off, then two that are due, while the thread starts and falls asleep. */
public final class TimerThreadRace implements Race {
  private static final long HOUR = 3_600_000_000_000L;

  private final TimerThread timers = new TimerThread();
  private final AtomicInteger ran = new AtomicInteger();

  @Override
  public void first() {
    Scheduler.Timer far = timers.schedule(() -> ran.addAndGet(100), HOUR);
    Scheduler.Timer unused = timers.schedule(ran::incrementAndGet, 0);
    far.cancel();
  }

  @Override
  public void second() {
    Scheduler.Timer unused = timers.schedule(ran::incrementAndGet, 0);
  }

  @Override
  public String verdict() {
    // Lincheck reports a thread that waits here while all others sleep.
    while (ran.get() < 2) {
      Thread.onSpinWait();
    }
    timers.close();
    return ran.get() == 2 ? "both timers ran" : BROKEN + "a timer ran that was cancelled";
  }
}
