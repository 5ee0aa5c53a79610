package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import java.time.Duration;
import java.util.Optional;

/** A kind of fault. Immutable; may be injected many times. */
public interface Fault {

  /** Returns what a history calls it, in words joined by hyphens. */
  String name();

  /**
   * Chooses to what it is to be done, now.
   *
   * @return the fault, not yet begun; empty if there is nothing at the moment to which it could be
   *     done
   */
  Optional<Injection> aim(FaultContext context) throws Exception;

  /** Returns for how long a storm waits for what it could be done to, and breaks nothing else. */
  default Duration patience() {
    return Duration.ZERO;
  }

  /** Returns why this machine does not allow it; empty if it does. */
  default Optional<String> missing(Arena arena) {
    return Optional.empty();
  }

  /** One fault, to be begun once and ended once. */
  interface Injection {

    /** Returns to what it is done. */
    String target();

    /** Begins it. */
    void begin() throws Exception;

    /** Ends it. A node or client that comes back may not be up yet when this returns. */
    void end() throws Exception;
  }
}
