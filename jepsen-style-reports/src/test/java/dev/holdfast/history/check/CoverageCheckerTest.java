package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.HistoryScript;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CoverageCheckerTest {

  @Test
  void check_allSeen_isValid() {
    Result result =
        check(
            new HistoryScript()
                .acquired(0, 1, "c1", 1, 10)
                .released(2, 3, "c1", 1)
                .nemesis(1, "kill"));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary()).isEqualTo("What succeeded: acquire 1, release 1, under 1 fault.");
  }

  @Test
  void check_somethingNeverSucceeded_isInvalid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 1, "c1", 1, 10)
                        .invoked(2, "release", "lock", "a")
                        .nemesis(1, "stop-partition"))
                .details())
        .containsExactly("No release ever succeeded.", "The nemesis never acted.");
  }

  @Test
  void check_nothingSucceeded_isUnknown() {
    assertThat(check(new HistoryScript().nemesis(1, "kill").invoked(1, "acquire")).verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  private static Result check(HistoryScript script) {
    return new CoverageChecker(Set.of("acquire", "release"), true).check(script.build());
  }
}
