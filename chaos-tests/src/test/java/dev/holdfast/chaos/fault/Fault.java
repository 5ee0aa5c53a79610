package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** A kind of fault. Immutable; may be injected many times. */
public interface Fault {

  /** Returns its name in histories, in words joined by hyphens. */
  String name();

  /**
   * Chooses its target, now.
   *
   * @return the fault, not yet begun; empty if there is no possible target at the moment
   */
  Optional<Injection> aim(FaultContext context) throws Exception;

  /** Returns for how long a storm waits for a target, and injects nothing else. */
  default Duration patience() {
    return Duration.ZERO;
  }

  /** Returns why this machine does not allow it; empty if it does. */
  default Optional<String> missing(Arena arena) {
    return Optional.empty();
  }

  /** One fault, to be begun once and ended once. */
  interface Injection {

    /** Returns its target. */
    String target();

    /** Begins it. */
    void begin() throws Exception;

    /** Ends it. A node or client that comes back may not be up yet when this returns. */
    void end() throws Exception;

    /** Returns how often it hit something, if it counts that. Asked for after its end. */
    default OptionalLong hits() {
      return OptionalLong.empty();
    }
  }
}
