package dev.holdfast.lock;

/** Logging that changes nothing for whoever logs, whatever the logger and its appenders do. */
final class Logs {
  private Logs() {}

  /**
   * Runs what writes to a log, or what tells somebody who is only to be told. What it throws goes
   * nowhere: there is no place left to report a failure of the place where failures are reported.
   */
  @SuppressWarnings("EmptyCatch")
  static void quietly(Runnable logging) {
    try {
      logging.run();
    } catch (Throwable e) {
      // An appender that throws, or no memory or stack left to format a line.
    }
  }
}
