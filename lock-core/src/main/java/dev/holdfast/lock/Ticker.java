package dev.holdfast.lock;

/**
 * A monotonic clock: it never goes back, and has nothing to do with the time of day. Thread-safe.
 */
@FunctionalInterface
public interface Ticker {
  /** Nanoseconds since some moment that stays the same; only differences mean anything. */
  long nanos();

  /** The clock of this JVM, {@link System#nanoTime()}. */
  static Ticker system() {
    return System::nanoTime;
  }
}
