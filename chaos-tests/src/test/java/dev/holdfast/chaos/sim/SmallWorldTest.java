package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.chaos.sim.ScheduleSearch.Explored;
import dev.holdfast.chaos.sim.SmallWorld.Beginning;
import dev.holdfast.chaos.sim.SmallWorld.Footprint;
import dev.holdfast.chaos.sim.SmallWorld.Part;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All schedules of a small world, but fewer choices of each than in the chaos profile. */
class SmallWorldTest {
  private static final int FREE = 5;

  /** Few enough that every sequence can be tried too. */
  private static final int FREE_OF_ALL = 4;

  /** Every sequence of choices is a schedule of its own. */
  private static boolean never(Footprint a, Footprint b) {
    return false;
  }

  @ParameterizedTest
  @EnumSource(Beginning.class)
  void library_inEverySchedule_keepsEveryInvariant(Beginning beginning) {
    Explored explored = ScheduleSearch.of(beginning, FREE, 1, Planted.NOTHING).explore();

    System.out.printf(
        "%s: %,d schedules, %,d left, %d steps at most%n",
        beginning, explored.schedules(), explored.left(), explored.longest());
    assertThat(explored.violation()).as("%s", explored.trace()).isNull();
    assertThat(explored.schedules()).isGreaterThan(100);
  }

  @Test
  void explored_withoutFaults_countsEverySequenceOnce() {
    // One of two creates arrives, or one of two clients finds that its request is not answered.
    ScheduleSearch search = ScheduleSearch.of(Beginning.NOTHING, 1, 0, Planted.NOTHING);

    assertThat(search.explore().schedules()).isEqualTo(4);
  }

  // --- The reduction

  @ParameterizedTest
  @EnumSource(Beginning.class)
  void reduction_losesNoOutcome(Beginning beginning) {
    Set<String> all = ConcurrentHashMap.newKeySet();
    Set<String> reduced = ConcurrentHashMap.newKeySet();
    ScheduleSearch search = ScheduleSearch.of(beginning, FREE_OF_ALL, 1, Planted.NOTHING);

    Explored every =
        search.withIndependence(SmallWorldTest::never).withOutcomes(all::add).explore();
    Explored distinct = search.withOutcomes(reduced::add).explore();

    System.out.printf(
        "%s: %,d sequences and %,d schedules have %,d outcomes%n",
        beginning, every.schedules(), distinct.schedules(), all.size());
    // Not the sets themselves: a failure would print them.
    assertThat(reduced.equals(all)).as("the reduction loses or invents outcomes").isTrue();
    assertThat(distinct.schedules()).isLessThan(every.schedules());
  }

  /** Steps that have only that in common are taken for independent, and outcomes are missing. */
  @ParameterizedTest
  @EnumSource(Part.class)
  void reduction_thatIgnoresAPart_losesOutcomes(Part part) {
    ScheduleSearch search = ScheduleSearch.of(Beginning.NOTHING, FREE + 1, 0, Planted.NOTHING);

    int tooFew = outcomes(search.withIndependence(ignoring(part))).size();
    System.out.printf("without %s: %,d outcomes are found%n", part, tooFew);
    assertThat(tooFew).isLessThan(outcomes(search).size());
  }

  private static Set<String> outcomes(ScheduleSearch search) {
    Set<String> outcomes = ConcurrentHashMap.newKeySet();
    assertThat(search.withOutcomes(outcomes::add).explore().violation()).isNull();
    return outcomes;
  }

  private static BiPredicate<Footprint, Footprint> ignoring(Part part) {
    return (a, b) -> a.without(part).isIndependentOf(b.without(part));
  }

  // --- Planted bugs

  @Test
  void library_thatBelievesReads_isCaught() {
    Explored explored =
        ScheduleSearch.of(Beginning.NOTHING, FREE, 1, PlantedBug.READ_IS_PROOF).explore();

    assertThat(explored.violation()).extracting("invariant").isEqualTo(Invariant.BELIEF);
    assertThat(explored.trace()).last().asString().contains("VIOLATION");
  }

  /** Its record is deleted at its release, and it is granted again in memory. */
  @Test
  void library_thatLingersWithoutItsRecord_isCaught() {
    BuggyLibrary library = new BuggyLibrary(EngineBug.LINGERING_RECORD_IS_DELETED);

    assertThat(library.explore(Beginning.LINGERING, FREE + 3))
        .matches("(MUTUAL_EXCLUSION|TOKENS_RISE): .*");
  }

  @Test
  void library_thatHandsOffWithoutANewToken_isCaught() {
    BuggyLibrary library = new BuggyLibrary(EngineBug.HANDOFF_WITHOUT_A_NEW_TOKEN);

    assertThat(library.explore(Beginning.HANDOFF, FREE)).startsWith("TOKENS_RISE");
    assertThat(library.explore(Beginning.HELD, FREE)).isNull();
  }

  @Test
  void library_thatOverwrites_isCaught() {
    assertThat(
            ScheduleSearch.of(Beginning.HELD, FREE, 0, PlantedBug.CREATE_OVERWRITES)
                .explore()
                .violation())
        .isNotNull();
  }

  @Test
  void library_thatWaitsForOneHolderOnly_isCaughtWithThreeClients() {
    Planted bug = new WaitsForOneHolderOnly();

    Explored two = ScheduleSearch.of(Beginning.HELD, FREE + 2, 1, bug).explore();
    Explored three = ScheduleSearch.of(Beginning.HELD_OF_THREE, FREE + 2, 0, bug).explore();

    assertThat(two.violation()).as("%s", two.trace()).isNull();
    assertThat(three.violation())
        .extracting("invariant")
        .isIn(Invariant.RECORD_OF_ANOTHER, Invariant.TOKENS_RISE);
  }

  /**
   * A client whose turn has come when the holder that it waits for has gone, though another may
   * have got the lock meanwhile. Two clients cannot show it.
   */
  private static final class WaitsForOneHolderOnly implements Planted {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        private @Nullable String holder;

        @Override
        public CompletableFuture<ReadResult> read(String lockId) {
          return real.read(lockId).thenApply(this::judged);
        }

        private ReadResult judged(ReadResult read) {
          if (!(read instanceof ReadResult.Found found)) {
            return read;
          }
          LockRecord record = found.record();
          if (holder == null || holder.equals(record.owner())) {
            holder = record.owner();
            return read;
          }
          LockRecord past =
              new LockRecord(
                  record.lockId(),
                  record.token(),
                  record.owner(),
                  record.createdAt(),
                  Instant.EPOCH,
                  record.ttlMillis(),
                  record.maxClockSkewMillis(),
                  record.metadata());
          return new ReadResult.Found(past, found.version());
        }
      };
    }
  }
}
