package dev.holdfast.history.check;

import dev.holdfast.history.History;

/**
 * Checks one property of a history. Stateless, so that one checker may check many histories at the
 * same time.
 */
@FunctionalInterface
public interface Checker {

  /**
   * Checks a history. An exception means that nothing is known; {@link Checkers#compose} turns it
   * into such a result.
   *
   * @param history the history
   * @return the verdict and the reasons
   */
  Result check(History history);

  /**
   * Returns the name that results carry.
   *
   * @return a short name, in words joined by hyphens
   */
  default String name() {
    return getClass().getSimpleName();
  }
}
