package dev.holdfast.chaos.threads;

import java.util.SplittableRandom;

/** What injected parts throw: executors, listeners, callbacks, bodies, and the store. */
final class Injected {
  private static final String MESSAGE = "injected";

  private Injected() {}

  /** A checked exception, as a body may throw. */
  static final class BodyException extends Exception {
    private static final long serialVersionUID = 1L;

    BodyException() {
      super(MESSAGE);
    }
  }

  private static final class InjectedError extends Error {
    private static final long serialVersionUID = 1L;

    InjectedError() {
      super(MESSAGE);
    }
  }

  /** Throws an error of some kind. */
  static Error error(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0 -> new OutOfMemoryError(MESSAGE);
      case 1 -> new StackOverflowError(MESSAGE);
      case 2 -> new NoClassDefFoundError(MESSAGE);
      default -> new InjectedError();
    };
  }

  static RuntimeException exception() {
    return new IllegalStateException(MESSAGE);
  }

  /** Throws an error or an exception. */
  static void fail(SplittableRandom random) {
    if (random.nextBoolean()) {
      throw error(random);
    }
    throw exception();
  }

  /** Whether it is one of these. */
  static boolean is(Throwable thrown) {
    return MESSAGE.equals(thrown.getMessage());
  }
}
