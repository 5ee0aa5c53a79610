package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * Any topology and workload (a seed), any mixture of message and clock faults, any schedule of
 * scheduled faults. jqwik shrinks a failure to the fewest of all three.
 */
@PropertyDefaults(tries = 300, shrinking = ShrinkingMode.FULL)
class SimulationPropertyTest {

  @Property
  void library_underAnyPlan_keepsEveryInvariant(@ForAll("plans") Plan plan) {
    SimRun.SimResult result = SimRun.of(plan, Planted.NOTHING, false);

    if (result.violation() != null) {
      throw new AssertionError(
          String.join("\n", SimRun.of(plan, Planted.NOTHING, true).trace())
              + "\nAgain: "
              + plan.command());
    }
  }

  @Property(tries = 100)
  void plan_any_isReplayedByItsCommand(@ForAll("plans") Plan plan) {
    Plan parsed =
        new Plan(
            plan.seed(),
            Faults.parse(plan.faults().text()),
            ScheduledFault.parse(ScheduledFault.text(plan.schedule())));

    assertThat(parsed).isEqualTo(plan);
  }

  @Property(tries = 20)
  void run_anyPlan_isDeterministic(@ForAll("plans") Plan plan) {
    assertThat(SimRun.of(plan, Planted.NOTHING, false).hash())
        .isEqualTo(SimRun.of(plan, Planted.NOTHING, true).hash());
  }

  @Property(tries = 30)
  void shrinking_aPlanThatFails_givesASmallerOneThatFailsAlike(@ForAll("plans") Plan plan) {
    InvariantViolation violation =
        SimRun.of(plan, PlantedBug.MONOTONIC_CLOCK_ALONE, false).violation();
    Plan smallest = plan.shrunk(PlantedBug.MONOTONIC_CLOCK_ALONE);

    if (violation == null) {
      assertThat(smallest).isEqualTo(plan);
    } else {
      assertThat(SimRun.of(smallest, PlantedBug.MONOTONIC_CLOCK_ALONE, false).violation())
          .extracting("invariant")
          .isEqualTo(violation.invariant());
      assertThat(plan.schedule()).containsAll(smallest.schedule());
    }
  }

  @Provide
  Arbitrary<Plan> plans() {
    return Combinators.combine(
            Arbitraries.longs().between(0, 1_000_000), faults(), schedule().list().ofMaxSize(40))
        .as(Plan::new);
  }

  private static Arbitrary<Faults> faults() {
    Arbitrary<Set<FaultKind>> kinds =
        Arbitraries.of(
                Arrays.stream(FaultKind.values()).filter(kind -> !kind.isScheduled()).toList())
            .set();
    return kinds.map(set -> Faults.of(set.toArray(FaultKind[]::new)));
  }

  private static Arbitrary<ScheduledFault> schedule() {
    List<FaultKind> kinds =
        Arrays.stream(FaultKind.values()).filter(FaultKind::isScheduled).toList();
    return Combinators.combine(
            Arbitraries.longs().between(0, Plan.FAULTY_MILLIS - 1),
            Arbitraries.of(kinds),
            Arbitraries.longs().between(0, Integer.MAX_VALUE))
        .as(ScheduledFault::new);
  }
}
