package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The simulated cluster beside a real node, operation by operation: the same random operations must
 * end alike, down to the primary term and the sequence number of each version.
 */
@Tag("slow")
class SimulatedClusterIT {
  private static final int ROUNDS = 8;
  private static final int OPERATIONS = 250;
  private static final int LOCKS = 3;
  private static final int NODES = 3;
  private static final Instant NOON = Instant.parse("2026-11-23T12:00:00Z");

  @Test
  void operations_random_endAsOnARealNode() throws Exception {
    String url = SharedNodes.get(ElasticsearchVersion.V8).httpUri().toString();
    int applied = 0;
    int conflicts = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String index = "differential-" + Long.toHexString(System.nanoTime()) + "-" + round;
      try (ElasticsearchLockStore real =
          ElasticsearchLockStore.builder(url).indexNames(index, index + "-alias").build()) {
        Pair pair = new Pair(real, new SplittableRandom(round));
        for (int i = 0; i < OPERATIONS; i++) {
          pair.doTheSame();
        }
        applied += pair.applied;
        conflicts += pair.conflicts;
      }
    }
    System.out.printf(
        "simulated and real cluster, side by side: %,d operations, of which %,d writes applied and"
            + " %,d conflicts%n",
        ROUNDS * OPERATIONS, applied, conflicts);
    assertThat(applied).isGreaterThan(ROUNDS * 20);
    assertThat(conflicts).isGreaterThan(ROUNDS * 20);
  }

  /** Both stores, and the versions that they have shown so far. */
  private static final class Pair {
    private final LockStore real;
    private final SplittableRandom random;
    private final Simulation simulation =
        new Simulation(1, EnumSet.allOf(InvariantViolation.Invariant.class), false);
    private final LockStore simulated;
    private final List<Version> realVersions = new ArrayList<>();
    private final List<Version> simulatedVersions = new ArrayList<>();
    private int tokens;
    int applied;
    int conflicts;

    Pair(LockStore real, SplittableRandom random) {
      this.real = real;
      this.random = random;
      Network network = new Network(simulation, Faults.none(), NODES + 1);
      SimCluster cluster =
          new SimCluster(
              simulation, network, NODES, Planted.NOTHING, (write, index, there, rightful) -> {});
      simulated =
          new SimulatedStore(
              simulation,
              cluster,
              network,
              Planted.NOTHING,
              Host.withRightClocks(simulation),
              NODES,
              SimulatedStore.StoreObserver.NOBODY);
    }

    void doTheSame() throws Exception {
      String lock = "lock-" + random.nextInt(LOCKS);
      LockRecord record =
          new LockRecord(
              lock, "token-" + tokens++, "o", NOON, NOON.plusSeconds(9), 9_000, 5L, Map.of());
      // Of versions, mostly the latest ones, which are the ones that may match.
      int back = Math.min(realVersions.size(), random.nextInt(6)) + 1;
      int which = realVersions.size() - back;
      int kind = which < 0 ? 0 : random.nextInt(5);
      switch (kind) {
        case 0 -> alike(real.create(record), simulated.create(record));
        case 1 ->
            alike(
                real.replace(record, realVersions.get(which)),
                simulated.replace(record, simulatedVersions.get(which)));
        case 2 ->
            alike(
                real.delete(lock, realVersions.get(which)),
                simulated.delete(lock, simulatedVersions.get(which)));
        case 3 ->
            alike(
                real.replace(record, ofNoIndex(realVersions.get(which))),
                simulated.replace(record, ofNoIndex(simulatedVersions.get(which))));
        default -> readAlike(lock);
      }
    }

    private static Version ofNoIndex(Version version) {
      Incarnation other = new Incarnation(version.incarnation().id() + "-of-old", 0);
      return new Version(other, version.primaryTerm(), version.seqNo());
    }

    private void alike(CompletableFuture<WriteResult> reals, CompletableFuture<WriteResult> sims)
        throws Exception {
      WriteResult real = reals.get(60, TimeUnit.SECONDS);
      WriteResult sim = awaited(sims);
      assertThat(sim.getClass()).as("%s and %s", real, sim).isEqualTo(real.getClass());
      if (real instanceof WriteResult.Applied there && sim instanceof WriteResult.Applied here) {
        assertSame(there.version(), here.version());
        realVersions.add(there.version());
        simulatedVersions.add(here.version());
        applied++;
      } else if (real instanceof WriteResult.Conflict) {
        conflicts++;
      } else if (real instanceof WriteResult.Rejected there
          && sim instanceof WriteResult.Rejected here) {
        assertThat(here.cause().getClass()).isEqualTo(there.cause().getClass());
      }
    }

    private void readAlike(String lock) throws Exception {
      ReadResult real = this.real.read(lock).get(60, TimeUnit.SECONDS);
      ReadResult sim = awaited(simulated.read(lock));
      assertThat(sim.getClass()).as("%s and %s", real, sim).isEqualTo(real.getClass());
      if (real instanceof ReadResult.Found there && sim instanceof ReadResult.Found here) {
        assertThat(here.record()).isEqualTo(there.record());
        assertSame(there.version(), here.version());
      }
    }

    private static void assertSame(Version real, Version simulated) {
      assertThat(simulated.primaryTerm()).isEqualTo(real.primaryTerm());
      assertThat(simulated.seqNo()).isEqualTo(real.seqNo());
    }

    private <T> T awaited(CompletableFuture<T> answer) {
      simulation.runUntil(simulation.now() + Simulation.SECOND);
      assertThat(answer).isDone();
      return answer.join();
    }
  }
}
