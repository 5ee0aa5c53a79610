package dev.holdfast.lock.store;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Outcome of a read. A read proves nothing: any copy may have answered, also one that is behind, or
 * one that shows a write which was never committed.
 */
public sealed interface ReadResult {

  /**
   * There is a record.
   *
   * @param record what it says
   * @param version the version it had
   */
  record Found(LockRecord record, Version version) implements ReadResult {
    /** Checks the parts. */
    public Found {
      Objects.requireNonNull(record, "record");
      Objects.requireNonNull(version, "version");
    }
  }

  /**
   * There is no record.
   *
   * @param incarnation the life of the index that was asked, or null when there is no index
   */
  record Absent(@Nullable Incarnation incarnation) implements ReadResult {}

  /**
   * The store rejected the request, and will reject it again until somebody changes something.
   *
   * @param cause why
   */
  record Rejected(Throwable cause) implements ReadResult {
    /** Checks the parts. */
    public Rejected {
      Objects.requireNonNull(cause, "cause");
    }
  }

  /**
   * The store did not answer, or not in a way that tells anything.
   *
   * @param cause what is known
   */
  record Unavailable(Throwable cause) implements ReadResult {
    /** Checks the parts. */
    public Unavailable {
      Objects.requireNonNull(cause, "cause");
    }
  }
}
