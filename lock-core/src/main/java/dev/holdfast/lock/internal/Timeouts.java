package dev.holdfast.lock.internal;

import java.time.Duration;
import java.util.Objects;

/** The range of all timeouts that users may set. */
public final class Timeouts {
  private static final Duration MIN = Duration.ofMillis(1);
  private static final Duration MAX = Duration.ofHours(1);

  private Timeouts() {}

  /**
   * Returns the timeout if it is in range.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException if it is shorter than 1 ms or longer than 1 h
   */
  public static Duration checked(Duration timeout, String name) {
    Objects.requireNonNull(timeout, name);
    if (timeout.compareTo(MIN) < 0 || timeout.compareTo(MAX) > 0) {
      throw new IllegalArgumentException(name + " must be from 1 ms to 1 h, but is " + timeout);
    }
    return timeout;
  }
}
