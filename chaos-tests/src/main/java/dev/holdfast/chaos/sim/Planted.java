package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.Ticker;
import dev.holdfast.lock.store.LockStore;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Replacements for parts of the library's surroundings in a run; by default none. That is how bugs
 * are planted: the library itself knows nothing of them.
 */
interface Planted {
  /** The library as it is. */
  Planted NOTHING = new Planted() {};

  /** Returns what the manager talks to instead of its store. */
  default LockStore store(LockStore real, Host host) {
    return real;
  }

  /** Its monotonic clock. */
  default Ticker ticker(Host host) {
    return host;
  }

  /** Its wall clock. */
  default InstantSource wallClock(Host host) {
    return host;
  }

  /** Its tokens. */
  default Supplier<String> tokens(Supplier<String> real) {
    return real;
  }

  /** Returns whether the cluster acknowledges a write before its replicas have it. */
  default boolean acknowledgesEarly() {
    return false;
  }

  /** Returns whether the cluster compares sequence numbers only, and not primary terms. */
  default boolean ignoresTerms() {
    return false;
  }

  /** Returns whether operations that gather while requests are out leave together. */
  default boolean gathers() {
    return true;
  }

  /** Returns whether a request that is not answered counts as applied. */
  default boolean trustsSilence() {
    return false;
  }

  /** Returns whether the resource takes a write under any token. */
  default boolean resourceIgnoresTokens() {
    return false;
  }

  /** Returns what is made of the answers to the operations of one request. */
  default List<SimCluster.Written> answers(List<SimCluster.Written> real) {
    return real;
  }

  /** As users write it. */
  default String text() {
    return "nothing";
  }

  /** Under which faults it shows. */
  default SimScenario scenario() {
    return SimScenario.ALL;
  }

  /** Returns the invariants that are checked. */
  default Set<Invariant> checkedInvariants() {
    return EnumSet.allOf(Invariant.class);
  }

  /** Returns what clients ask for locks. */
  default LockProtocol protocol(
      LockManager real, LockStore store, Host host, Supplier<String> tokens) {
    return real::acquireAsync;
  }

  /** Its settings. */
  default LockManager.Builder settings(LockManager.Builder builder) {
    return builder;
  }
}
