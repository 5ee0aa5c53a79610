package dev.holdfast.history.check;

import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether the times of a history are good enough to measure leases by: where they go back, the
 * reader moves them, and a lease may then seem to last longer or shorter than it did. Stateless.
 */
final class ClockDoubt {

  /** Of a lease, the part that is small: half of what clocks are commonly allowed to drift. */
  private static final int SMALL_PART = 100;

  private ClockDoubt() {}

  /**
   * The result of a checker that measures leases, if the times do not allow it.
   *
   * @return unknown, with the reason; null if leases can be measured, or there are none that end
   */
  static @Nullable Result of(String checker, History history) {
    if (history.movedNanos() == 0) {
      return null;
    }
    long shortest = Long.MAX_VALUE;
    for (Operation operation : history.operations()) {
      shortest = Math.min(shortest, leaseNanos(operation));
    }
    if (shortest == Long.MAX_VALUE || history.movedNanos() <= shortest / SMALL_PART) {
      return null;
    }
    return new Result(
        checker,
        Verdict.UNKNOWN,
        "Not checked: times go back by up to "
            + Formats.seconds(history.movedNanos())
            + ", which is not small against a lease of "
            + Formats.seconds(shortest)
            + ".",
        List.of());
  }

  private static long leaseNanos(Operation operation) {
    OptionalLong ttl = operation.number(Vocabulary.TTL);
    OptionalLong until = operation.number(Vocabulary.UNTIL);
    long nanos = Long.MAX_VALUE;
    if (ttl.isPresent()) {
      nanos = TimeUnit.MILLISECONDS.toNanos(ttl.getAsLong());
    } else if (until.isPresent()) {
      nanos = until.getAsLong() - operation.time();
    }
    return nanos > 0 ? nanos : Long.MAX_VALUE;
  }
}
