package dev.holdfast.chaos.fault;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops a process again and again for a moment, as long garbage collections or a quota of processor
 * time do. Runs in a thread of its own until it is ended.
 */
final class Pulses {
  private final Runnable resume;
  private final Thread thread;
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicLong pauses = new AtomicLong();

  Pulses(String name, Runnable pause, Runnable resume, long pausedMillis, long runningMillis) {
    this.resume = resume;
    this.thread =
        new Thread(
            () -> {
              while (!over.get()) {
                pause.run();
                park(pausedMillis);
                resume.run();
                pauses.incrementAndGet();
                park(runningMillis);
              }
            },
            "pulses-" + name);
    thread.setDaemon(true);
    // That a process died is noticed elsewhere.
    thread.setUncaughtExceptionHandler((which, failure) -> System.err.println(failure));
    thread.start();
  }

  private static void park(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** Returns how many pauses have ended. */
  long pauses() {
    return pauses.get();
  }

  /** Ends the pauses; the process goes on. */
  void end() throws InterruptedException {
    over.set(true);
    thread.join();
    resume.run();
  }
}
