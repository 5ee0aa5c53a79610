package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinearizabilityCheckerTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private static Result check(String model, HistoryScript script) {
    return new LinearizabilityChecker(model, LIMIT).check(script.build());
  }

  private static void assertVerdict(Verdict verdict, String model, HistoryScript script) {
    assertThat(check(model, script).verdict())
        .as("%s: %s", model, script.build().operations())
        .isEqualTo(verdict);
  }

  private static HistoryScript script() {
    return new HistoryScript();
  }

  // --- Written by hand, for each model

  @Test
  void mutex_oneAfterTheOther_isValid_twoAtOnce_isNot() {
    assertVerdict(
        Verdict.VALID,
        "mutex",
        script().acquired(0, 1, "x", 1, 9).released(2, 3, "y", 1).acquired(4, 5, "y", 2, 9));
    assertVerdict(
        Verdict.INVALID, "mutex", script().acquired(0, 1, "x", 1, 9).acquired(2, 3, "y", 2, 9));
  }

  @Test
  void mutex_callsAtTheSameTime_mayComeInAnyOrder() {
    assertVerdict(
        Verdict.VALID,
        "mutex",
        script().acquired(0, 1, "x", 1, 9).acquired(2, 10, "y", 2, 9).released(3, 9, "x", 1));
    // The release begins in the very moment in which the grant was answered.
    assertVerdict(
        Verdict.VALID,
        "mutex",
        script().acquired(0, 1, "x", 1, 9).acquired(2, 5, "y", 2, 9).released(5, 9, "x", 1));
    assertVerdict(
        Verdict.INVALID,
        "mutex",
        script().acquired(0, 1, "x", 1, 9).acquired(2, 5, "y", 2, 9).released(6, 9, "x", 1));
  }

  @Test
  void unknownRelease_mayTakeEffectAtAnyTime_andAFailedOneNever() {
    assertVerdict(
        Verdict.VALID,
        "owner-mutex",
        script()
            .acquired(0, 1, "x", 1, 9)
            .call(2, 3, INFO, "release", "lock", "a", "client", "x")
            .acquired(50, 51, "y", 2, 9));
    assertVerdict(
        Verdict.INVALID,
        "owner-mutex",
        script()
            .acquired(0, 1, "x", 1, 9)
            .call(2, 3, FAIL, "release", "lock", "a", "client", "x")
            .acquired(50, 51, "y", 2, 9));
    assertVerdict(
        Verdict.INVALID,
        "owner-mutex",
        script()
            .acquired(0, 1, "x", 1, 9)
            .acquired(50, 51, "y", 2, 9)
            .call(60, 61, INFO, "release", "lock", "a", "client", "x"));
  }

  @Test
  void unknownAcquisition_mayHaveHappened_orNot() {
    HistoryScript script =
        script().call(0, 1, INFO, "acquire", "lock", "a", "client", "x").acquired(2, 3, "y", 2, 9);
    assertVerdict(Verdict.VALID, "owner-mutex", script);
    assertVerdict(
        Verdict.VALID, "owner-mutex", script.released(4, 5, "y", 2).released(6, 7, "x", 0));
    assertVerdict(Verdict.INVALID, "owner-mutex", script.released(8, 9, "x", 0));
  }

  @Test
  void ownerMutex_releaseByAnother_isInvalid() {
    assertVerdict(
        Verdict.INVALID, "owner-mutex", script().acquired(0, 1, "x", 1, 9).released(2, 3, "y", 1));
  }

  @Test
  void reentrantMutex_upToItsNumber_isValid() {
    HistoryScript twice = script().acquired(0, 1, "x", 1, 9).acquired(2, 3, "x", 1, 9);
    assertVerdict(Verdict.VALID, "reentrant-mutex:2", twice);
    assertVerdict(Verdict.INVALID, "reentrant-mutex:1", twice);
    assertVerdict(
        Verdict.INVALID,
        "reentrant-mutex:2",
        twice.released(4, 5, "x", 1).acquired(6, 7, "y", 2, 9));
  }

  @Test
  void semaphore_upToItsPermits_isValid() {
    HistoryScript two = script().acquired(0, 1, "x", 1, 9).acquired(2, 3, "y", 2, 9);
    assertVerdict(Verdict.VALID, "semaphore:2", two);
    assertVerdict(Verdict.INVALID, "semaphore:2", two.acquired(4, 5, "z", 3, 9));
  }

  @Test
  void fencedMutex_tokensThatDoNotRise_areInvalid() {
    assertVerdict(
        Verdict.VALID,
        "fenced-mutex",
        script().acquired(0, 1, "x", 1, 9).released(2, 3, "x", 1).acquired(4, 5, "y", 2, 9));
    assertVerdict(
        Verdict.INVALID,
        "fenced-mutex",
        script().acquired(0, 1, "x", 2, 9).released(2, 3, "x", 2).acquired(4, 5, "y", 2, 9));
  }

  @Test
  void lease_takenOverAfterItsTtl_isValid_beforeIt_isNot() {
    assertVerdict(
        Verdict.VALID,
        "lease",
        script().acquired(0, 5, "x", 1, 100).acquired(90, 101, "y", 2, 100));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script().acquired(0, 5, "x", 1, 100).acquired(80, 99, "y", 2, 100));
  }

  @Test
  void lease_renewed_endsATtlAfterTheRenewal() {
    HistoryScript renewed = script().acquired(0, 5, "x", 1, 100).renewed(60, 70, "x", 1, 100);
    assertVerdict(Verdict.INVALID, "lease", renewed.acquired(120, 130, "y", 2, 100));
    assertVerdict(
        Verdict.VALID,
        "lease",
        script()
            .acquired(0, 5, "x", 1, 100)
            .renewed(60, 70, "x", 1, 100)
            .acquired(120, 165, "y", 2, 100));
  }

  @Test
  void lease_renewedOrReleasedByWhomItIsNot_isInvalid() {
    HistoryScript taken = script().acquired(0, 5, "x", 1, 100).acquired(110, 120, "y", 2, 100);
    assertVerdict(Verdict.INVALID, "lease", taken.renewed(130, 140, "x", 1, 100));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 5, "x", 1, 100)
            .acquired(110, 120, "y", 2, 100)
            .released(130, 140, "x", 1));
  }

  @Test
  void lease_anExpiryThatComesLate_endsNobodyElsesLease() {
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 5, "x", 1, 100)
            .acquired(110, 120, "y", 2, 10_000)
            .acquired(130, 140, "z", 3, 100));
  }

  @Test
  void lease_lostAndGivenBackBeforeItsEnd_isValid_butNotBeforeItsLoss() {
    assertVerdict(
        Verdict.VALID,
        "lease",
        script().acquired(0, 5, "x", 1, 100).lost(40, "x", 1).acquired(45, 50, "y", 2, 100));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script().acquired(0, 5, "x", 1, 100).acquired(30, 35, "y", 2, 100).lost(40, "x", 1));
  }

  @Test
  void register_readsWhatWasWritten() {
    assertVerdict(
        Verdict.VALID,
        "register",
        script().ok(0, 1, "write", "value", 3).ok(2, 3, "read", "value", 3));
    assertVerdict(
        Verdict.INVALID,
        "register",
        script().ok(0, 1, "write", "value", 3).ok(2, 3, "read", "value", 4));
  }

  @Test
  void casRegister_changesOnlyWhatItExpects() {
    HistoryScript written = script().ok(0, 1, "write", "value", 3);
    assertVerdict(
        Verdict.VALID,
        "cas-register",
        written.ok(2, 3, "cas", "value", List.of(3, 4)).ok(4, 5, "read", "value", 4));
    assertVerdict(Verdict.INVALID, "cas-register", written.ok(6, 7, "cas", "value", List.of(3, 5)));
  }

  @Test
  void locks_areJudgedOneByOne() {
    assertVerdict(
        Verdict.VALID,
        "mutex",
        script()
            .ok(0, 1, "acquire", "lock", "a", "client", "x")
            .ok(2, 3, "acquire", "lock", "b", "client", "x"));
  }

  // --- Unknown

  @Test
  void nothingThatSucceeded_isUnknown() {
    assertVerdict(Verdict.UNKNOWN, "mutex", script());
    assertVerdict(
        Verdict.UNKNOWN, "mutex", script().call(0, 1, FAIL, "acquire", "lock", "a", "client", "x"));
  }

  @Test
  void timeThatIsOver_isUnknown() {
    // Many that overlap, none of which can be explained: all orders would have to be tried.
    HistoryScript script = script();
    for (int i = 0; i < 40; i++) {
      script.ok(i, 1_000, "write", "value", i);
    }
    script.ok(2_000, 2_001, "read", "value", 99);

    Result result =
        new LinearizabilityChecker("register", Duration.ofMillis(50)).check(script.build());

    assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(result.summary()).contains("Not judged within");
  }

  @Test
  void model_unknown_namesTheOthers() {
    assertThatThrownBy(() -> new LinearizabilityChecker("mutex:3", LIMIT))
        .hasMessageContaining("no model \"mutex:3\"; there are mutex, owner-mutex");
  }

  // --- What is wrong, in words

  @Test
  void violation_namesTheFirstThatCannotBe_andTheStateBefore() {
    Result result =
        check(
            "owner-mutex",
            script()
                .acquired(0, 1, "x", 1, 9)
                .released(2, 3, "x", 1)
                .acquired(4, 5, "y", 2, 9)
                .acquired(6, 7, "z", 3, 9)
                .released(8, 9, "z", 3));

    assertThat(result.details()).hasSize(2);
    assertThat(result.details().get(0))
        .contains("Nothing explains acquire of \"a\" by z (operations 6 and 7", "[held by y]");
    assertThat(result.details().get(1))
        .startsWith("The smallest failing prefix has 4 calls on lock \"a\": acquire of \"a\" by x")
        .endsWith("acquire of \"a\" by z (operations 6 and 7, fence 3, 0.006 s to 0.007 s): ok.");
  }

  @Test
  void violation_whatIsToldLater_isOpenInThePrefix() {
    Result result =
        check(
            "owner-mutex",
            script()
                .acquired(0, 1, "x", 1, 9)
                .call(2, 20, FAIL, "release", "lock", "a", "client", "x")
                .acquired(3, 4, "y", 2, 9)
                .released(30, 31, "y", 2));

    // As long as the release was not answered, it may have happened.
    assertThat(result.details().get(0))
        .startsWith("Nothing explains that there failed the release of \"a\" by x")
        .contains("[held by y]");
  }

  @Test
  void violation_noTimeToFindThePrefix_isInvalidAllTheSame() {
    // Refuted in a few steps, too few to look at the clock. The first half is explained in many.
    HistoryScript script =
        script()
            .acquired(0, 1, "x", 1, 9)
            .call(2, 90_000, FAIL, "release", "lock", "a", "client", "x");
    for (long i = 0; i < 4_000; i++) {
      script.acquired(10 * i + 3, 10 * i + 4, "y", i, 9).released(10 * i + 5, 10 * i + 6, "y", i);
    }
    Result result =
        new LinearizabilityChecker("owner-mutex", Duration.ofNanos(1)).check(script.build());

    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .singleElement()
        .asString()
        .endsWith("whether something before it is to blame was not found out in time.");
  }

  @Test
  void unknownOperation_hidesNoViolationOfAnotherLock() {
    HistoryScript script =
        script()
            .ok(0, 1, "renew", "lock", "a", "client", "x")
            .ok(2, 3, "acquire", "lock", "b", "client", "x");
    Result unknown = check("mutex", script);
    assertThat(unknown.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(unknown.details())
        .singleElement()
        .asString()
        .contains("lock \"a\"", "the model does not know renew");
    assertVerdict(Verdict.INVALID, "mutex", script.ok(4, 5, "acquire", "lock", "b", "client", "y"));
  }

  @Test
  void lease_endOfAGrantThatNobodyWasTold_endsNoOtherGrant() {
    HistoryScript script =
        script()
            .call(0, 1, INFO, "acquire", "lock", "a", "client", "x", "ttl", 100)
            .acquired(1_000, 1_001, "x", 2, 10_000);
    assertVerdict(Verdict.VALID, "lease", script);
    assertVerdict(Verdict.INVALID, "lease", script.acquired(1_100, 1_101, "y", 3, 100));
  }

  @Test
  void lease_renewedWithoutAFence_prolongsTheLastGrant() {
    HistoryScript renewed =
        script()
            .acquired(0, 5, "x", 1, 100)
            .ok(60, 70, "renew", "lock", "a", "client", "x", "ttl", 100);
    assertVerdict(Verdict.INVALID, "lease", renewed.acquired(120, 130, "y", 2, 100));
  }

  @Test
  void lease_expiryThatIsRecorded_endsItsOwnersLeaseAndNobodyElses() {
    HistoryScript expired =
        script()
            .acquired(0, 5, "x", 1, 100)
            .ok(40, 45, "expire", "lock", "a", "client", "x", "fence", 1)
            .acquired(46, 50, "y", 2, 1_000);
    assertVerdict(Verdict.VALID, "lease", expired);
    assertVerdict(
        Verdict.INVALID,
        "lease",
        expired
            .ok(60, 65, "expire", "lock", "a", "client", "x", "fence", 1)
            .acquired(66, 70, "z", 3, 100));
  }

  @Test
  void lease_fenceToldByARenewal_mustBeHigherThanThoseBefore() {
    HistoryScript script =
        script()
            .acquired(0, 5, "x", 7, 100)
            .released(6, 7, "x", 7)
            .call(10, 11, INFO, "acquire", "lock", "a", "client", "y", "ttl", 1_000);
    assertVerdict(Verdict.VALID, "lease", script);
    assertVerdict(Verdict.INVALID, "lease", script.renewed(20, 21, "y", 6, 1_000));
  }
}
