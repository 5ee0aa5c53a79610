package dev.holdfast.lock.store;

import dev.holdfast.lock.internal.Texts;

/**
 * The index in which a lock was held has been deleted or replaced, and all locks in it with it; the
 * message says which. The cause of a {@link WriteResult.Rejected}.
 */
public final class IncarnationGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Incarnation incarnation;

  /** For the life of the index that has ended. */
  public IncarnationGoneException(Incarnation incarnation) {
    this(
        incarnation,
        "the lock index was deleted (its incarnation "
            + Texts.printable(incarnation.id())
            + " is gone), and every lock in it with it");
  }

  private IncarnationGoneException(Incarnation incarnation, String message) {
    super(message);
    this.incarnation = incarnation;
  }

  /**
   * For an index that may still exist, but in which no lock is kept any more: another one took its
   * place, or it was made unsafe.
   *
   * @param why the message, which becomes the reason of the leases that are lost
   */
  public static IncarnationGoneException replaced(Incarnation incarnation, String why) {
    return new IncarnationGoneException(incarnation, why);
  }

  /** The life of the index that has ended. */
  public Incarnation incarnation() {
    return incarnation;
  }
}
