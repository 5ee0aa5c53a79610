package dev.holdfast.bench.ttl;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Tells the user, every few seconds, that something goes on. To be used by one thread. */
final class ProgressPrinter {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final PrintStream out;
  private String what = "";
  private String of = "";
  private long next;

  ProgressPrinter(PrintStream out) {
    this.out = out;
  }

  /** From now on this is done. */
  void begin(String activity) {
    begin(activity, Duration.ZERO);
  }

  /** From now on this is done, which takes so long. */
  void begin(String activity, Duration duration) {
    what = activity;
    of = duration.isZero() ? "" : " of " + duration.toSeconds();
    next = INTERVAL_NANOS;
    out.println(activity + (duration.isZero() ? "" : ", " + duration.toSeconds() + " s") + " ...");
  }

  /** So much time has passed since its begin. */
  void at(long nanos) {
    if (nanos >= next) {
      next = nanos - nanos % INTERVAL_NANOS + INTERVAL_NANOS;
      out.println("  " + what + ": " + TimeUnit.NANOSECONDS.toSeconds(nanos) + of + " s");
    }
  }

  /** Says something, once. */
  void say(String text) {
    out.println(text);
  }
}
