/**
 * The real lock library in a deterministic simulation: many processes and an Elasticsearch cluster
 * in one thread, on virtual time, under faults, with every invariant checked after every event. All
 * that happens depends on nothing but a seed.
 *
 * <p>{@link dev.holdfast.chaos.sim.Simulation} is time and chance, {@link
 * dev.holdfast.chaos.sim.Host} a machine with its clocks, {@link dev.holdfast.chaos.sim.Network}
 * what is between machines, {@link dev.holdfast.chaos.sim.SimCluster} the store, {@link
 * dev.holdfast.chaos.sim.SimClient} a process with a real {@code LockManager}, {@link
 * dev.holdfast.chaos.sim.InvariantChecker} the invariants, {@link dev.holdfast.chaos.sim.Nemesis}
 * the faults, and {@link dev.holdfast.chaos.sim.SimRun} one run of all of it.
 *
 * <p>After FoundationDB's simulator (Zhou et al., "FoundationDB: A Distributed Unbundled
 * Transactional Key Value Store", SIGMOD 2021, section 4).
 */
@NullMarked
package dev.holdfast.chaos.sim;

import org.jspecify.annotations.NullMarked;
