package dev.holdfast.chaos.threads;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.WovenLibrary;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each fault that is planted is found, by the requirement that is there for it. */
class ThreadFaultsTest {
  /** Threads need luck to meet; most faults show in the first round or two. */
  private static final int MAX_ROUNDS = 40;

  @ParameterizedTest
  @EnumSource
  @Tag("slow")
  void fault_inRandomRounds_isFoundByItsRequirement(ThreadFault fault) {
    WovenLibrary copy = new WovenLibrary(ThreadFaultsTest.class, fault::weave);
    Set<Requirement> found = EnumSet.noneOf(Requirement.class);
    int rounds = 0;
    String text = "";
    while (!found.contains(fault.mainRequirement()) && rounds < MAX_ROUNDS) {
      text = String.valueOf(copy.call(PlantedRounds.class, "findings", ++rounds, fault.name()));
      for (String finding : text.split(PlantedRounds.SEPARATOR, -1)) {
        if (!finding.isEmpty()) {
          found.add(Requirement.valueOf(finding.substring(0, finding.indexOf(':'))));
        }
      }
    }
    System.out.printf("[threads] %s: %s after %d rounds%n", fault, found, rounds);

    assertThat(found).as(text).contains(fault.mainRequirement()).isSubsetOf(fault.caughtBy());
  }

  @Test
  void everyRequirement_hasAFaultThatBreaksIt() {
    Set<Requirement> broken =
        Arrays.stream(ThreadFault.values())
            .flatMap(fault -> fault.caughtBy().stream())
            .collect(Collectors.toSet());

    assertThat(broken).containsExactlyInAnyOrder(Requirement.values());
  }
}
