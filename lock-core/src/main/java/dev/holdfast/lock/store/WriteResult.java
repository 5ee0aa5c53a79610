package dev.holdfast.lock.store;

import java.util.Objects;

/** Outcome of a write. A write that was not answered is {@link Unknown}, never "failed". */
public sealed interface WriteResult {

  /**
   * The store acknowledged the write: it is durable, survives failover, and had its condition
   * fulfilled.
   *
   * @param version the version that the write was given
   */
  record Applied(Version version) implements WriteResult {
    /** Checks the parts. */
    public Applied {
      Objects.requireNonNull(version, "version");
    }
  }

  /**
   * The condition was not fulfilled. Possibly because an earlier sending of this very write had
   * been applied: a transport may send twice.
   */
  record Conflict() implements WriteResult {}

  /**
   * Certainly not applied, now or later: rejected before it was sent, or by the store itself.
   *
   * @param cause why; an {@link IncarnationGoneException} when the index it was meant for is gone
   */
  record Rejected(Throwable cause) implements WriteResult {
    /** Checks the parts. */
    public Rejected {
      Objects.requireNonNull(cause, "cause");
    }
  }

  /**
   * May have been applied, or may be yet.
   *
   * @param cause what is known: a timeout, a lost connection, an answer that tells nothing
   */
  record Unknown(Throwable cause) implements WriteResult {
    /** Checks the parts. */
    public Unknown {
      Objects.requireNonNull(cause, "cause");
    }
  }
}
