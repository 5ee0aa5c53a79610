package dev.holdfast.history.report;

import java.math.BigDecimal;

/** Round numbers along an axis. Stateless. */
final class Ticks {

  private Ticks() {}

  /** The smallest of 1, 2 or 5 times a power of ten that is at least that large, and at least 1. */
  static long step(double atLeast) {
    double power = Math.pow(10, Math.floor(Math.log10(Math.max(1, atLeast))));
    for (int factor : new int[] {1, 2, 5}) {
      if (atLeast <= factor * power) {
        return (long) (factor * power);
      }
    }
    return (long) (10 * power);
  }

  /** Without more digits than it needs. */
  static String seconds(long nanos) {
    return BigDecimal.valueOf(nanos, 9).stripTrailingZeros().toPlainString() + " s";
  }
}
