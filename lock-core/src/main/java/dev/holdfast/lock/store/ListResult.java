package dev.holdfast.lock.store;

import java.util.List;
import java.util.Objects;

/** Outcome of a listing of all records. */
public sealed interface ListResult {

  /**
   * The records that were found.
   *
   * @param records each with its version, in no particular order
   */
  record Listed(List<ReadResult.Found> records) implements ListResult {
    /** Copies the list. */
    public Listed {
      records = List.copyOf(records);
    }
  }

  /**
   * The store rejected the request, and will reject it again until somebody changes something.
   *
   * @param cause why
   */
  record Rejected(Throwable cause) implements ListResult {
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
  record Unavailable(Throwable cause) implements ListResult {
    /** Checks the parts. */
    public Unavailable {
      Objects.requireNonNull(cause, "cause");
    }
  }
}
