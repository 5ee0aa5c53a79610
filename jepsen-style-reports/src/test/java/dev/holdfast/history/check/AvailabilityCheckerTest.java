package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class AvailabilityCheckerTest {

  @Test
  void check_enoughSucceeded_isValidAndTellsRatesAndLatencies() {
    Result result = new AvailabilityChecker(0.5, null).check(half().build());
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary()).isEqualTo("Of 4 acquisitions 50.0 % succeeded.");
    assertThat(result.details())
        .containsExactly(
            "acquire: 2 of 4 succeeded (50.0 %), 1 failed, 1 unknown; latency 10.0 ms (median),"
                + " 90.0 ms (90 %), 90.0 ms (99 %), 90.0 ms (longest).",
            "release: 0 of 1 succeeded (0.0 %), 0 failed, 1 unknown.");
  }

  @Test
  void check_tooLittleSucceeded_isInvalid() {
    Result result = new AvailabilityChecker(0.51, null).check(half().build());
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .first()
        .isEqualTo("Of all acquisitions 50.0 % succeeded, less than 51.0 %.");
  }

  @Test
  void check_beliefs_askNothingOfTheService_andDoNotCount() {
    Result result =
        within(100, faulty().acquired(450, 500, "c1", 2, 10).believed(501, 502, "c1", 2, 9));
    assertThat(result.details()).noneMatch(detail -> detail.contains("belief"));
  }

  @Test
  void check_grantedSoonAfterAFault_isValidAndTellsHowSoon() {
    Result result = within(100, faulty().acquired(450, 500, "c1", 2, 10));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.details())
        .contains("partition (n1) was over at 0.400 s, and a lock granted 0.100 s later.");
  }

  @Test
  void check_grantedTooLateAfterAFault_isInvalid() {
    Result result = within(100, faulty().acquired(450, 501, "c1", 2, 10));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .first()
        .isEqualTo("partition (n1) was over at 0.400 s, and no lock was granted within 0.100 s.");
  }

  @Test
  void check_nobodyGrantedEver_isInvalidIfTheHistoryIsLongEnough() {
    HistoryScript asked = faulty().call(450, 490, INFO, "acquire", "lock", "a", "client", "c1");
    assertThat(within(100, asked).verdict()).isEqualTo(Verdict.VALID);
    Result result = within(100, asked.nemesis(500, "kill", "target", "c9"));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID); // another fault was there meanwhile
    assertThat(within(90, asked).verdict()).isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_nobodyAskedOrNotEnded_isNotChecked() {
    assertThat(within(100, faulty().released(900, 910, "c1", 1)).verdict())
        .isEqualTo(Verdict.VALID);
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 10)
                        .nemesis(200, "start-partition", "target", "n1")
                        .acquired(300, 900, "c1", 2, 10))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_manyFaultsOfAKind_areToldOfTogether() {
    HistoryScript script = new HistoryScript();
    for (long i = 0; i < 30; i++) {
      script.nemesis(100 * i, "kill", "target", "n" + i);
      script.acquired(100 * i + 10, 100 * i + 20, "c1", i, 10);
    }
    script.nemesis(3_000, "kill", "target", "n");
    assertThat(new AvailabilityChecker().check(script.build()).details())
        .last()
        .isEqualTo(
            "kill was over 31 times, and a lock granted 0.020 s (median), 0.020 s (longest)"
                + " later, after 1 of them not any more.");
  }

  @Test
  void check_nothingGranted_isUnknown() {
    assertThat(
            new AvailabilityChecker()
                .check(new HistoryScript().call(0, 5, FAIL, "acquire", "lock", "a").build())
                .verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void constructor_nonsense_isRefused() {
    assertThatThrownBy(() -> new AvailabilityChecker(1.1, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new AvailabilityChecker(Double.NaN, null))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static HistoryScript half() {
    return new HistoryScript()
        .acquired(0, 10, "c1", 1, 1000)
        .acquired(10, 100, "c1", 2, 1000)
        .call(20, 30, FAIL, "acquire", "lock", "a", "client", "c2")
        .call(40, 50, INFO, "acquire", "lock", "a", "client", "c3")
        .invoked(60, "release", "lock", "a", "client", "c1", "fence", 1);
  }

  private static HistoryScript faulty() {
    return new HistoryScript()
        .acquired(0, 10, "c1", 1, 10)
        .nemesis(200, "start-partition", "target", "n1")
        .nemesis(400, "stop-partition", "target", "n1");
  }

  private static Result within(long millis, HistoryScript script) {
    return new AvailabilityChecker(0, Duration.ofMillis(millis)).check(script.build());
  }
}
