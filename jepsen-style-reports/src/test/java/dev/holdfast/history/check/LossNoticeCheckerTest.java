package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LossNoticeCheckerTest {

  @Test
  void check_toldInTime_isValid() {
    Result result = check(takenOver().lost(980, "c1", 1));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary())
        .isEqualTo("1 holder told of the loss in time; 0 more dead or stopped at that moment.");
  }

  @Test
  void check_released_needsNoNotice() {
    assertThat(check(takenOver().released(500, 510, "c1", 1)).summary())
        .isEqualTo("None of 2 leases was taken over unreleased.");
  }

  @Test
  void check_toldTooLate_isInvalid() {
    Result result = check(takenOver().lost(1150, "c1", 1));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .singleElement()
        .asString()
        .startsWith(
            "c1 was told only at 1.150 s that it had lost lock \"a\", which was granted to c2 at 1.100 s");
  }

  @Test
  void check_toldWithinTheGrace_isValid() {
    assertThat(
            new LossNoticeChecker(Duration.ofMillis(50))
                .check(takenOver().lost(1150, "c1", 1).build())
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_neverTold_isInvalid() {
    assertThat(check(takenOver().released(2000, 2010, "c1", 1)).details())
        .singleElement()
        .asString()
        .startsWith("c1 was told never");
  }

  @Test
  void check_deadHolder_cannotBeTold() {
    assertThat(check(takenOver()).summary())
        .isEqualTo("0 holders told of the loss in time; 1 more dead or stopped at that moment.");
  }

  @Test
  void check_oneTold_andOneDead_countsBoth() {
    HistoryScript script = takenOver().lost(1100, "c1", 1).acquired(3000, 3100, "c3", 3, 1000);
    assertThat(check(script).summary())
        .isEqualTo("1 holder told of the loss in time; 1 more dead or stopped at that moment.");
  }

  @Test
  void check_holderThatStopsOrGoesOnAtTheTakeover_isToldLater() {
    for (int begin : new int[] {500, 1100}) {
      int end = begin == 500 ? 1100 : 1500;
      HistoryScript script =
          takenOver()
              .nemesis(begin, "start-pause", "target", "c1")
              .nemesis(end, "stop-pause", "target", "c1")
              .lost(1600, "c1", 1);
      assertThat(check(script).verdict()).as("stopped from %s ms", begin).isEqualTo(Verdict.VALID);
    }
  }

  @Test
  void check_stoppedHolder_isToldLater() {
    assertThat(
            check(
                    takenOver()
                        .nemesis(500, "start-pause", "target", "c1")
                        .nemesis(1500, "stop-pause", "target", "c1")
                        .lost(1501, "c1", 1))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_nothingGranted_isUnknown() {
    assertThat(check(new HistoryScript()).verdict()).isEqualTo(Verdict.UNKNOWN);
  }

  private static HistoryScript takenOver() {
    return new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(1000, 1100, "c2", 2, 1000);
  }

  private static Result check(HistoryScript script) {
    return new LossNoticeChecker().check(script.build());
  }
}
