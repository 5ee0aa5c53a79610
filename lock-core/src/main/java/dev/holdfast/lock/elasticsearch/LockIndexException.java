package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.internal.Texts;

/**
 * The lock index is not as it must be. Holdfast changed nothing; the message says what to do.
 * Nothing is remembered of it: the next call looks again.
 */
public final class LockIndexException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LockIndexException(String message) {
    super(Texts.printable(message));
  }
}
