package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.HistoryScript;
import org.junit.jupiter.api.Test;

class FencingCheckerTest {

  @Test
  void check_risingFencesAndRefusedStaleWrite_isValid() {
    Result result =
        check(
            new HistoryScript()
                .acquired(0, 10, "c1", 1, 100)
                .wrote(20, 30, "c1", 1)
                .acquired(200, 210, "c2", 5, 100)
                .wrote(220, 230, "c2", 5)
                .call(240, 250, FAIL, "write", "lock", "a", "client", "c1", "fence", 1)
                .wrote(260, 270, "c2", 5));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary())
        .isEqualTo("The fences of 2 grants rose, and 3 accepted writes never went back.");
  }

  @Test
  void check_concurrentGrantsInAnyOrder_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 100, "c1", 2, 100)
                        .acquired(100, 110, "c2", 1, 100))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_fenceGoesBack_isInvalid() {
    Result result =
        check(
            new HistoryScript()
                .acquired(0, 10, "c1", 7, 100)
                .acquired(20, 30, "c2", 8, 100)
                .acquired(40, 50, "c3", 7 - 1, 100));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .singleElement()
        .asString()
        .contains("c2", "c3", "fence 8", "fence 6");
  }

  @Test
  void check_oneFenceTwice_isInvalid() {
    assertThat(
            check(new HistoryScript().acquired(0, 100, "c1", 7, 100).acquired(0, 100, "c2", 7, 100))
                .details())
        .singleElement()
        .asString()
        .startsWith("Two grants have one fence");
  }

  @Test
  void check_staleWriteAccepted_isInvalid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 100)
                        .acquired(20, 30, "c2", 2, 100)
                        .wrote(40, 50, "c2", 2)
                        .wrote(60, 70, "c1", 1))
                .details())
        .singleElement()
        .asString()
        .startsWith("A stale write was accepted");
  }

  @Test
  void check_staleWriteAcceptedBesideAWriteThatTakesLong_isInvalid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 1, "c1", 1, 100)
                        .wrote(10, 500, "c3", 9)
                        .wrote(20, 30, "c2", 2)
                        .wrote(40, 50, "c1", 1))
                .details())
        .singleElement()
        .asString()
        .startsWith("A stale write was accepted");
  }

  @Test
  void check_nothingGrantedWithAFence_isUnknown() {
    assertThat(check(new HistoryScript().ok(0, 10, "acquire", "lock", "a")).verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  private static Result check(HistoryScript script) {
    return new FencingChecker().check(script.build());
  }
}
