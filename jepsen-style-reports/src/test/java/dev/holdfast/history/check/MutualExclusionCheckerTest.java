package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.HistoryScript;
import org.junit.jupiter.api.Test;

class MutualExclusionCheckerTest {

  @Test
  void check_oneAfterTheOther_isValid() {
    Result result =
        check(
            new HistoryScript()
                .acquired(0, 10, "c1", 1, 1000)
                .released(100, 110, "c1", 1)
                .acquired(90, 100, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary())
        .isEqualTo("Nobody held a lock while another did: 2 leases on 1 lock.");
  }

  @Test
  void check_takeoverAfterTheEnd_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .acquired(900, 1001, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_differentLocks_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .ok(0, 10, "acquire", "lock", "a", "client", "c1")
                        .ok(0, 10, "acquire", "lock", "b", "client", "c2"))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_twoAtOnce_isInvalidAndNamesBoth() {
    Result result =
        check(new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(500, 600, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .containsExactly(
            "c1 and c2 both held lock \"a\" from 0.600 s to 1.000 s: acquire of \"a\" by c1"
                + " (operations 0 and 1, fence 1, 0.000 s to 0.010 s), and acquire of \"a\" by c2"
                + " (operations 2 and 3, fence 2, 0.500 s to 0.600 s).");
  }

  @Test
  void check_renewedAfterTheTakeover_isInvalid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .acquired(1100, 1110, "c2", 2, 1000)
                        .renewed(1200, 1210, "c1", 1, 1000))
                .verdict())
        .isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_aLongLeaseOverTwoShortOnes_isInvalidTwice() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 10_000)
                        .acquired(100, 110, "c2", 2, 100)
                        .acquired(300, 310, "c3", 3, 100))
                .details())
        .hasSize(2);
  }

  @Test
  void check_nothingGranted_isUnknown() {
    assertThat(check(new HistoryScript().invoked(0, "acquire", "lock", "a")).verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  private static Result check(HistoryScript script) {
    return new MutualExclusionChecker().check(script.build());
  }
}
