package dev.holdfast.history.check;

import java.util.Locale;

/** The verdict on a property of a history. Invalid beats unknown, which beats valid. */
public enum Verdict {
  /** It was looked at, and it held. */
  VALID,
  /** It could not be checked: the history shows nothing of it, or the checker gave up. */
  UNKNOWN,
  /** It was broken, and the result says where. */
  INVALID;

  /**
   * Returns the verdict on two properties together.
   *
   * @param other the verdict on the other one
   * @return the one of the two that beats the other
   */
  public Verdict and(Verdict other) {
    return compareTo(other) >= 0 ? this : other;
  }

  /**
   * Returns the verdict in lower case.
   *
   * @return {@code valid}, {@code unknown} or {@code invalid}
   */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
