package dev.holdfast.lock;

import java.time.Duration;

/** Delays after failures in a row, each twice as long as the one before. Not thread-safe. */
final class Backoff {
  static final Duration FIRST = Duration.ofSeconds(1);
  static final Duration MAX = Duration.ofSeconds(30);

  private Duration last = Duration.ZERO;

  /** The delay after one more failure. */
  Duration next() {
    Duration doubled = last.isZero() ? FIRST : last.multipliedBy(2);
    last = doubled.compareTo(MAX) > 0 ? MAX : doubled;
    return last;
  }

  /** Something has succeeded. */
  void reset() {
    last = Duration.ZERO;
  }
}
