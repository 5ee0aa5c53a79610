package dev.holdfast.lock.store;

/**
 * The index in which a lock was held has been deleted, and all locks in it with it. The cause of a
 * {@link WriteResult.Rejected}.
 */
public final class IncarnationGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Incarnation incarnation;

  /** For the life of the index that has ended. */
  public IncarnationGoneException(Incarnation incarnation) {
    super(
        "the lock index was deleted (its incarnation "
            + incarnation.id()
            + " is gone), and every lock in it with it");
    this.incarnation = incarnation;
  }

  /** The life of the index that has ended. */
  public Incarnation incarnation() {
    return incarnation;
  }
}
