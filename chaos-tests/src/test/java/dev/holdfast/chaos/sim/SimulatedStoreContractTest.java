package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.LockStoreContract;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** When nothing goes wrong, the simulated cluster is a store like any other. */
class SimulatedStoreContractTest extends LockStoreContract {
  private static final int NODES = 3;

  /** Of simulated time; no request takes more than a few milliseconds. */
  private static final long PATIENCE = 10 * Simulation.SECOND;

  private final Simulation simulation =
      new Simulation(1, EnumSet.allOf(InvariantViolation.Invariant.class), false);
  private final Network network = new Network(simulation, Faults.none(), NODES + 1);
  private final SimCluster cluster =
      new SimCluster(
          simulation, network, NODES, Planted.NOTHING, (write, index, there, rightful) -> {});
  private final LockStore store =
      new SimulatedStore(
          simulation,
          cluster,
          network,
          Planted.NOTHING,
          Host.withRightClocks(simulation),
          NODES,
          SimulatedStore.StoreObserver.NOBODY);

  @Override
  protected LockStore store() {
    return store;
  }

  @Override
  protected <T> T await(CompletableFuture<T> answer) {
    long end = simulation.now() + PATIENCE;
    while (!answer.isDone() && simulation.now() < end) {
      simulation.runUntil(simulation.now() + Simulation.MILLI);
    }
    assertThat(answer).isDone();
    return answer.join();
  }

  /** All requests are sent at the same moment, and travel at different speeds. */
  @Override
  protected <T> List<T> race(List<Supplier<CompletableFuture<T>>> calls) {
    List<CompletableFuture<T>> answers = new ArrayList<>();
    calls.forEach(call -> answers.add(call.get()));
    return answers.stream().map(this::await).toList();
  }
}
