package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TtlExpiryCheckerTest {

  @Test
  void check_takenOverAfterTheEnd_isValid() {
    Result result =
        check(new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(100, 990, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary())
        .isEqualTo("Of 2 leases, 1 taken over unreleased, none before its end.");
  }

  @Test
  void check_releasedEarly_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .invoked(50, "release", "lock", "a", "client", "c1", "fence", 1)
                        .acquired(20, 60, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_takenOverTooEarly_isInvalid() {
    Result result =
        check(new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(100, 970, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .singleElement()
        .asString()
        .startsWith(
            "Lock \"a\" was granted 0.010 s before an unreleased lease on it could have ended (at"
                + " 0.980 s)");
  }

  @Test
  void check_takenOverTooEarlyAfterARenewal_isInvalid() {
    HistoryScript script =
        new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(1100, 1200, "c2", 2, 1000);
    assertThat(check(script).verdict()).isEqualTo(Verdict.VALID);
    assertThat(check(script.renewed(500, 510, "c1", 1, 1000)).verdict()).isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_renewalThatNobodyConfirmed_doesNotCount() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .invoked(500, "renew", "lock", "a", "client", "c1", "fence", 1)
                        .acquired(900, 1000, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_concurrentGrantsAnsweredInTheOtherOrder_areCheckedByTheirFences() {
    // c1 had the lock first, gave it back, and c2 had it: the answer to c1 was slow.
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 300, "c1", 1, 1000)
                        .acquired(0, 1100, "c2", 2, 1000)
                        .released(1150, 1160, "c2", 2))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_leaseHandedOnOlderThanTheCall_endsWhenItsHolderWasTold() {
    assertThat(check(handedOn().acquired(600, 1000, "c2", 2, 1000)).verdict())
        .isEqualTo(Verdict.VALID);
    assertThat(check(handedOn().acquired(600, 940, "c2", 2, 1000)).verdict())
        .isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_holderStoodStillUntilItsLeaseWasOver_itsAnswerDoesNotTellTheEnd() {
    assertThat(
            check(
                    new HistoryScript()
                        .ok(0, 5000, "acquire", over("c1", 1))
                        .acquired(1000, 1600, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
    assertThat(renewedLate().acquired(100, 1100, "c2", 2, 1000)).matches(this::isValid);
    assertThat(renewedLate().acquired(100, 900, "c2", 2, 1000)).matches(h -> !isValid(h));
  }

  private boolean isValid(HistoryScript history) {
    return check(history).verdict() == Verdict.VALID;
  }

  private static HistoryScript renewedLate() {
    return new HistoryScript().acquired(0, 10, "c1", 1, 1000).ok(500, 5000, "renew", over("c1", 1));
  }

  /**
   * Returns what a process records that was paused beyond the end of its lease: that it ends now.
   */
  private static Object[] over(String client, long fence) {
    return new Object[] {
      "lock", "a", "client", client, "fence", fence, "ttl", 1000, "until", 4_999_999_999L
    };
  }

  @Test
  void check_grantedAfterALongWait_theHoldersOwnWaitIsNoWitness() {
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 5000, "c1", 1, 1000)
                        .acquired(50, 6050, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_renewalNeverAnswered_theEndIsNotKnown() {
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .invoked(500, "renew", "lock", "a", "client", "c1", "fence", 1)
                        .acquired(50, 1400, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_waiterServedWithinTheBound_isValid() {
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .acquired(50, 1090, "c2", 2, 1000))
                .summary())
        .endsWith("none before its end; nobody waited longer after that than 0.100 s.");
  }

  @Test
  void check_takeoverAndBounds_countToTheMillisecond() {
    for (int late : new int[] {0, 1}) {
      HistoryScript early =
          new HistoryScript()
              .acquired(0, 10, "c1", 1, 1000)
              .acquired(100, 1000 - late, "c2", 2, 1000);
      assertThat(new TtlExpiryChecker(0).check(early.build()).verdict())
          .as("granted %s ms before the end", late)
          .isEqualTo(late == 0 ? Verdict.VALID : Verdict.INVALID);
      HistoryScript served =
          new HistoryScript()
              .acquired(0, 10, "c1", 1, 1000)
              .acquired(50, 1110 + late, "c2", 2, 1000);
      assertThat(within(100, served).verdict())
          .as("granted %s ms after the bound", late)
          .isEqualTo(late == 0 ? Verdict.VALID : Verdict.INVALID);
      HistoryScript gaveUp =
          new HistoryScript()
              .acquired(0, 10, "c1", 1, 1000)
              .call(50, 1110 + late, FAIL, "acquire", "lock", "a", "client", "c2")
              .acquired(2000, 2010, "c3", 2, 1000);
      assertThat(within(100, gaveUp).verdict())
          .as("gave up %s ms after the bound", late)
          .isEqualTo(late == 0 ? Verdict.VALID : Verdict.INVALID);
    }
  }

  @Test
  void check_waiterServedTooLate_isInvalid() {
    Result result =
        within(
            100,
            new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(50, 1120, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .singleElement()
        .asString()
        .contains("granted to nobody", "0.100 s");
  }

  @Test
  void check_waiterThatCameLateOrLeftEarly_isNoWitness() {
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .call(50, 1050, FAIL, "acquire", "lock", "a", "client", "c2")
                        .acquired(1060, 1300, "c3", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_waiterThatGaveUpAfterTheBound_isInvalid() {
    assertThat(
            within(
                    100,
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .call(50, 1150, FAIL, "acquire", "lock", "a", "client", "c2"))
                .verdict())
        .isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_nothingGranted_isUnknown() {
    assertThat(
            check(new HistoryScript().call(0, 5, Operation.Type.INFO, "acquire", "lock", "a"))
                .verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void constructor_marginOfOne_isRefused() {
    assertThatThrownBy(() -> new TtlExpiryChecker(1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TtlExpiryChecker(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static HistoryScript handedOn() {
    return new HistoryScript()
        .ok(
            500,
            510,
            "acquire",
            "lock",
            "a",
            "client",
            "c1",
            "fence",
            1,
            "ttl",
            1000,
            "until",
            950_000_000L);
  }

  private static Result check(HistoryScript script) {
    return new TtlExpiryChecker(0.02).check(script.build());
  }

  private static Result within(long millis, HistoryScript script) {
    return new TtlExpiryChecker(0.02, Duration.ofMillis(millis)).check(script.build());
  }
}
