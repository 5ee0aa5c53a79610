package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.HistoryScript;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RenewalCheckerTest {

  @Test
  void check_renewedWhileHeld_isValid() {
    Result result = check(granted().renewed(500, 510, "c1", 1, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary()).isEqualTo("Each of 1 renewal that succeeded was of a lease held.");
  }

  @Test
  void check_neverGranted_isInvalid() {
    assertWrong(granted().renewed(500, 510, "c2", 1, 1000), "it had not been granted");
    assertWrong(
        new HistoryScript().renewed(0, 10, "c1", 1, 1000).acquired(20, 30, "c1", 1, 1000),
        "its lease was asked for only later");
  }

  @Test
  void check_perhapsGranted_isValid() {
    assertValid(
        new HistoryScript()
            .call(0, 10, INFO, "acquire", "lock", "a", "client", "c1")
            .renewed(20, 30, "c1", 1, 1000));
  }

  @Test
  void check_givenBack_isInvalid_butNotWhileThatGoesOn() {
    assertWrong(
        granted().released(100, 110, "c1", 1).renewed(111, 120, "c1", 1, 1000),
        "its lease had been released");
    assertValid(granted().released(100, 110, "c1", 1).renewed(110, 120, "c1", 1, 1000));
    assertValid(
        granted()
            .call(100, 110, FAIL, "release", "lock", "a", "client", "c1", "fence", 1)
            .renewed(120, 130, "c1", 1, 1000));
  }

  @Test
  void check_believedAfterItWasGivenBack_isInvalid() {
    assertWrong(
        granted().released(100, 110, "c1", 1).believed(111, 120, "c1", 1, 1000),
        "A client believed that it held the lock, though",
        "its lease had been released");
    assertValid(granted().released(100, 110, "c1", 1).believed(110, 120, "c1", 1, 1000));
    assertThat(check(granted().renewed(20, 30, "c1", 1, 9).believed(40, 50, "c1", 1, 9)).summary())
        .isEqualTo("Each of 1 renewal and 1 belief that succeeded was of a lease held.");
  }

  @Test
  void check_reportedLost_isInvalid() {
    assertWrong(
        granted().lost(900, "c1", 1).renewed(901, 910, "c1", 1, 1000), "had been reported lost");
    assertValid(granted().lost(905, "c1", 1).renewed(901, 910, "c1", 1, 1000));
  }

  @Test
  void check_grantedToAnother_isInvalid() {
    assertWrong(
        granted().acquired(990, 1010, "c2", 2, 1000).renewed(1011, 1020, "c1", 1, 1000),
        "its lock had been granted to c2");
    assertValid(granted().acquired(990, 1010, "c2", 2, 1000).renewed(999, 1020, "c1", 1, 1000));
  }

  /** What happens at one moment may have happened in either order. */
  @Test
  void check_renewalAtTheMomentOfTheEnd_isValid() {
    assertValid(granted().lost(901, "c1", 1).renewed(901, 910, "c1", 1, 1000));
    assertValid(granted().acquired(990, 1010, "c2", 2, 1000).renewed(1010, 1020, "c1", 1, 1000));
    HistoryScript last = granted().renewed(500, 510, "c1", 1, 1000).renewed(1510, 1520, "c1", 1, 1);
    assertThat(new RenewalChecker(true).check(last.build()).verdict()).isEqualTo(Verdict.VALID);
  }

  @Test
  void check_severalThatAreWrong_areCountedAsWhatTheyAre() {
    assertThat(check(released().renewed(111, 120, "c1", 1, 1000)).summary())
        .isEqualTo("1 renewal succeeded without a lease held.");
    assertThat(check(released().believed(111, 120, "c1", 1, 1000)).summary())
        .isEqualTo("1 renewal or belief succeeded without a lease held.");
  }

  @Test
  void check_otherGrantOverBeforeItWasHeardOf_isNoTakeover() {
    assertValid(
        new HistoryScript()
            .ok(0, 5000, "acquire", "lock", "a", "client", "c2", "ttl", 1000)
            .ok(3000, 3010, "acquire", "lock", "a", "client", "c1", "ttl", 9000)
            .ok(6000, 6010, "renew", "lock", "a", "client", "c1", "ttl", 9000));
  }

  @Test
  void check_answerThatSaysItIsOver_isNoSuccess() {
    assertThat(check(released().ok(120, 130, "renew", until(129))).verdict())
        .isEqualTo(Verdict.UNKNOWN);
    assertWrong(released().ok(120, 130, "renew", until(131)), "released");
  }

  @Test
  void check_longerThanATtlAfterTheLast_isInvalidWhereAllAreRecorded() {
    HistoryScript late = granted().renewed(500, 510, "c1", 1, 1000).renewed(1511, 1520, "c1", 1, 1);
    assertValid(late);
    Result result = new RenewalChecker(true).check(late.build());
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details()).singleElement().asString().contains("over at 1.510 s");
  }

  @Test
  void check_afterARenewalThatNobodyKnowsOf_theEndIsNotKnown() {
    HistoryScript unknown =
        granted()
            .call(500, 600, INFO, "renew", "lock", "a", "client", "c1", "fence", 1)
            .renewed(5000, 5010, "c1", 1, 1000);
    assertThat(new RenewalChecker(true).check(unknown.build()).verdict()).isEqualTo(Verdict.VALID);
  }

  @Test
  void check_noRenewalSucceeded_isUnknown() {
    assertThat(
            check(granted().call(20, 30, FAIL, "renew", "lock", "a", "client", "c1", "fence", 1))
                .verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  private static Object[] until(long millis) {
    return new Object[] {
      "lock", "a", "client", "c1", "fence", 1, "until", TimeUnit.MILLISECONDS.toNanos(millis)
    };
  }

  private static HistoryScript granted() {
    return new HistoryScript().acquired(0, 10, "c1", 1, 1000);
  }

  private static HistoryScript released() {
    return granted().released(100, 110, "c1", 1);
  }

  private static void assertValid(HistoryScript script) {
    assertThat(check(script).verdict()).isEqualTo(Verdict.VALID);
  }

  private static void assertWrong(HistoryScript script, String why) {
    assertWrong(script, "A renewal succeeded, though", why);
  }

  private static void assertWrong(HistoryScript script, String what, String why) {
    Result result = check(script);
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details()).singleElement().asString().contains(what, why);
  }

  private static Result check(HistoryScript script) {
    return new RenewalChecker().check(script.build());
  }
}
