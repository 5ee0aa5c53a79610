package dev.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.scenario.Schedule.PlannedFault;
import dev.holdfast.chaos.worker.Defect;
import dev.holdfast.chaos.worker.Workload;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The catalogue of scenarios. */
class ScenariosTest {

  private static final Duration HOUR = Duration.ofHours(1);

  private static Schedule storm(long seed) {
    return Scenarios.select(Scenarios.all(HOUR), "storm")
        .get(0)
        .schedule(new SplittableRandom(seed));
  }

  @Test
  void storm_hasFaultsOfAllKinds_inOrder() {
    Schedule storm = storm(1);

    assertThat(storm.steps().stream().map(step -> step.what().name()).collect(Collectors.toSet()))
        .containsExactlyInAnyOrder(
            "answers-broken-off",
            "answers-cut",
            "answers-delayed",
            "answers-reset",
            "bandwidth",
            "client-killed",
            "client-paused",
            "cluster-stopped",
            "connections-refused",
            "cut-off",
            "index-deleted",
            "majority-killed",
            "node-inbound-cut",
            "node-inbound-partitioned",
            "node-killed",
            "node-outbound-partitioned",
            "node-partitioned",
            "node-paused",
            "node-stopped",
            "overload",
            "requests-broken-off",
            "requests-cut",
            "rolling-restart",
            "sliced");
    assertThat(storm.steps()).isSortedAccordingTo(java.util.Comparator.comparing(PlannedFault::at));
    assertThat(storm.steps()).allMatch(step -> step.at().compareTo(HOUR) < 0);
    assertThat(storm.steps().get(0).what().name()).isEqualTo("index-deleted");
    // What is asked for while an index is being deleted is not checked.
    assertThat(storm.steps())
        .allMatch(step -> step.what().name().equals("index-deleted") == step.lasting().isZero());
  }

  @Test
  void soak_hasNoDeletions_forLocksThatLingerMustNotMeetThem() {
    Scenario soak = Scenarios.select(Scenarios.all(HOUR), "soak").get(0);

    assertThat(soak.schedule(new SplittableRandom(1)).steps())
        .hasSizeGreaterThan(500)
        .noneMatch(step -> step.what().name().equals("index-deleted"));
    assertThat(soak.workload().lingerers()).isPositive();
  }

  @Test
  void storm_ofTheSameSeed_isTheSame() {
    assertThat(times(storm(7))).isEqualTo(times(storm(7))).isNotEqualTo(times(storm(8)));
  }

  private static List<String> times(Schedule schedule) {
    return schedule.steps().stream()
        .map(step -> step.at() + " " + step.what().name() + " " + step.lasting())
        .toList();
  }

  @Test
  void scenarios_areManyAndDiffer_eachWithItsPurposeAndItsBound() {
    List<Scenario> all = Scenarios.all(HOUR);

    assertThat(all).hasSizeGreaterThanOrEqualTo(20);
    assertThat(all).extracting(Scenario::name).doesNotHaveDuplicates();
    assertThat(all).allMatch(each -> !each.purpose().isBlank() && !each.bound().isBlank());
    assertThat(all)
        .filteredOn(each -> each.schedule(new SplittableRandom(1)).keepsTime())
        .extracting(Scenario::name)
        .containsExactly("storm", "soak");
  }

  @Test
  void broken_hasEveryDefectOnce() {
    assertThat(Scenarios.broken())
        .extracting(each -> each.workload().defect())
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Defect.values()).filter(each -> each != Defect.NONE).toList());
  }

  @Test
  void select_nameThatThereIsNot_namesAll() {
    assertThatThrownBy(() -> Scenarios.select(Scenarios.all(HOUR), "baseline,strom"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no scenario \"strom\"")
        .hasMessageContaining("storm");
  }

  @Test
  void select_group_isOfThoseThatRunByDefaultOrNot() {
    List<Scenario> all = Scenarios.all(HOUR);

    assertThat(Scenarios.select(all, "")).isNotEmpty().noneMatch(Scenario::isNightly);
    assertThat(Scenarios.select(all, "nightly")).isNotEmpty().allMatch(Scenario::isNightly);
    assertThat(Scenarios.select(all, "all")).isEqualTo(all);
    assertThat(Scenarios.select(all, "clocks-slewed")).hasSize(1);
  }

  @Test
  void workers_knowHowManyThereAre() {
    assertThat(Workload.CLIENTS).isEqualTo(Arena.CLIENTS);
  }

  @Test
  void noLockLingers_andNobodyCampaigns_whereTheIndexMayBeDeleted_butElsewhere() {
    assertThat(Scenarios.all(HOUR))
        .allSatisfy(
            scenario -> {
              assertThat(scenario.workload().rules().lingering())
                  .as(scenario.name())
                  .isEqualTo(!scenario.isAcrossDeletion());
              assertThat(scenario.workload().election() == Workload.Election.NONE)
                  .as(scenario.name())
                  .isEqualTo(scenario.isAcrossDeletion());
            })
        .anyMatch(Scenario::isAcrossDeletion)
        .anyMatch(scenario -> !scenario.isAcrossDeletion());
  }
}
