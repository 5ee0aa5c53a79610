package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.FencingToken;
import io.micrometer.observation.Observation;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One blocking call for a lock, as conventions and handlers see it. Not thread-safe. */
public final class LockObservationContext extends Observation.Context {
  private final String lockId;
  private @Nullable FencingToken fencingToken;
  private @Nullable Outcome outcome;

  /** Outcome of a call. */
  public enum Outcome {
    /** The lock was acquired. The body, if there is one, returned, and the lease was not lost. */
    COMPLETED,
    /** Another held the lock, until the wait timed out. */
    CONTENDED,
    /** The store did not answer or rejected the request. */
    UNAVAILABLE,
    /** The lease was lost before the body had ended. */
    LOST,
    /** The body threw, or the call was interrupted or not valid. */
    FAILED
  }

  LockObservationContext(String lockId) {
    this.lockId = lockId;
  }

  /** The lock's id. */
  public String lockId() {
    return lockId;
  }

  /** The fencing token of the lease; empty unless the lock was acquired. */
  public Optional<FencingToken> fencingToken() {
    return Optional.ofNullable(fencingToken);
  }

  /** Returns the outcome of the call; empty until it has ended. */
  public Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome);
  }

  void acquired(FencingToken token) {
    fencingToken = token;
  }

  void ended(Outcome ending) {
    outcome = ending;
  }
}
