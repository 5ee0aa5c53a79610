package dev.holdfast.lock.internal;

import org.jspecify.annotations.Nullable;

/** Logging that changes nothing for its caller, whatever the logger and its appenders do. */
public final class Logs {
  private Logs() {}

  /**
   * Runs what writes to a log, or what tells somebody who is only to be told. What it throws goes
   * nowhere: there is no place left to report a failure of the place where failures are reported.
   */
  @SuppressWarnings("EmptyCatch")
  public static void quietly(Runnable logging) {
    try {
      logging.run();
    } catch (Throwable e) {
      // An appender that throws, or no memory or stack left to format a line.
    }
  }

  /**
   * In the place of a text that others chose, such as a lock's id, an owner, or what a store says:
   * a line that it is written to shows it with control characters escaped. Costs nothing where the
   * line is not written.
   */
  public static Object shown(@Nullable Object text) {
    return new Shown(text);
  }

  private record Shown(@Nullable Object text) {
    @Override
    public String toString() {
      return Texts.printable(text);
    }
  }
}
