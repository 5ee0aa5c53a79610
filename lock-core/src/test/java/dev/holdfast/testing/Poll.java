package dev.holdfast.testing;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what will happen soon, and not for ever. */
public final class Poll {
  /** Generous: a JVM is started meanwhile, or a TTL passes. */
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private static final Duration PAUSE = Duration.ofMillis(10);

  private Poll() {}

  /** Returns when it is true; fails when that takes too long. */
  public static void until(String what, BooleanSupplier condition) {
    Object unused =
        forValue(what, () -> condition.getAsBoolean() ? Optional.of(what) : Optional.empty());
  }

  /** Returns when the wall clock shows a later millisecond. */
  public static void untilTheClockHasMovedOn() {
    Instant begin = Instant.now();
    until("a later time", () -> Instant.now().isAfter(begin.plusMillis(2)));
  }

  /** Returns the first value that is there; fails when that takes too long. */
  public static <T> T forValue(String what, Supplier<Optional<T>> values) {
    long begin = System.nanoTime();
    while (true) {
      Optional<T> value = values.get();
      if (value.isPresent()) {
        return value.get();
      }
      if (System.nanoTime() - begin > LIMIT.toNanos()) {
        throw new AssertionError("not within " + LIMIT.toSeconds() + " s: " + what);
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }
}
