package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.Scheduler;
import dev.holdfast.lock.Ticker;
import dev.holdfast.lock.store.LockStore;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
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

  /** Returns whether a request that left on a dead connection is sent again. */
  default boolean recognisesDeadConnections() {
    return true;
  }

  /** Returns whether connections stay in use that are as old as one that was dead. */
  default boolean keepsDeadConnections() {
    return false;
  }

  /** Returns whether a store looks again where the alias leads, while it is in use. */
  default boolean verifiesTheIndex() {
    return true;
  }

  /** Returns whether an operator deletes an index that was restored. */
  default boolean deletesWhatWasRestored() {
    return true;
  }

  /** Returns whether an operator raises the era with each index. */
  default boolean raisesTheEra() {
    return true;
  }

  /** Returns whether the clocks of a machine stay behind that was paused for long. */
  default boolean clocksStayBehind() {
    return false;
  }

  /** Returns at what rate clocks run that are slewed to this one. */
  default double slewed(double rate) {
    return rate;
  }

  /** Returns what runs timers that the user's scheduler rejects. */
  default Scheduler spareScheduler(Host host) {
    return host;
  }

  /** Returns what runs callbacks that the user's executor rejects. */
  default Executor spareExecutor(Host host) {
    return host;
  }

  /** Returns whether holders change how long they hold a lock. */
  default boolean limitsHolds() {
    return true;
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
