package dev.holdfast.bench.ttl;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Prints progress every few seconds. Not thread-safe. */
final class ProgressPrinter {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final PrintStream out;
  private String what = "";
  private String of = "";
  private long next;

  ProgressPrinter(PrintStream out) {
    this.out = out;
  }

  /** Begins an activity. */
  void begin(String activity) {
    begin(activity, Duration.ZERO);
  }

  /** Begins an activity of known duration. */
  void begin(String activity, Duration duration) {
    what = activity;
    of = duration.isZero() ? "" : " of " + duration.toSeconds();
    next = INTERVAL_NANOS;
    out.println(activity + (duration.isZero() ? "" : ", " + duration.toSeconds() + " s") + " ...");
  }

  /** Prints the progress if due; this much time has passed since the begin. */
  void at(long nanos) {
    if (nanos >= next) {
      next = nanos - nanos % INTERVAL_NANOS + INTERVAL_NANOS;
      out.println("  " + what + ": " + TimeUnit.NANOSECONDS.toSeconds(nanos) + of + " s");
    }
  }

  /** Prints a line. */
  void say(String text) {
    out.println(text);
  }
}
