package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static dev.holdfast.history.Operation.Type.INVOKE;
import static dev.holdfast.history.Operation.Type.OK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
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
  void locks_areCheckedOneByOne() {
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
    Result result =
        new LinearizabilityChecker("register", Duration.ofMillis(50)).check(hard().build());

    assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(result.summary())
        .isEqualTo("Not checked: 1 lock, because the time limit of 0.050 s was hit.");
    assertThat(result.details())
        .containsExactly("Not checked: lock \"lock\": the time limit of 0.050 s was hit.");
  }

  /** Many that overlap, none of which can be explained: all orders would have to be tried. */
  private static HistoryScript hard() {
    HistoryScript script = script();
    for (int i = 0; i < 40; i++) {
      script.ok(i, 1_000, "write", "value", i);
    }
    // Each may have been written once more, but not twice.
    script.invoked(0, "write", "value", 5).invoked(0, "write", "value", 6);
    for (int i = 0; i < 4; i++) {
      script.ok(2_000 + 2 * i, 2_001 + 2 * i, "read", "value", 5 + i % 2);
    }
    return script;
  }

  @Test
  void memoryThatIsUsedUp_isUnknown_andSaysThatItWasTheMemory() {
    Result result =
        new LinearizabilityChecker("register", LIMIT, (locks, of) -> {}, 1_000)
            .check(hard().build());

    assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(result.summary())
        .isEqualTo("Not checked: 1 lock, because the memory limit of 1,000 states was hit.");
  }

  @Test
  void interrupt_isUnknown_andSaysSo() {
    Thread.currentThread().interrupt();
    try {
      Result result =
          new LinearizabilityChecker("register", Duration.ofMinutes(5)).check(hard().build());
      assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
      assertThat(result.summary()).isEqualTo("Not checked: 1 lock, because it was interrupted.");
    } finally {
      assertThat(Thread.interrupted()).as("the flag is the caller's").isTrue();
    }
  }

  // --- Seen at a glance, where a search would try all orders

  /** Writes that overlap, of which nothing tells the order: 2^40 sets of them. */
  private static HistoryScript writes() {
    HistoryScript script = script();
    for (int i = 0; i < 40; i++) {
      script.ok(i, 1_000, "write", "value", i);
    }
    return script;
  }

  private static void assertContradiction(String model, HistoryScript script, String why) {
    Result result = check(model, script);
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details().get(0)).contains(why);
  }

  @Test
  void read_ofWhatNobodyWrote_isInvalidAtOnce() {
    assertContradiction(
        "register", writes().ok(2_000, 2_001, "read", "value", 99), "nobody had written 99");
    assertContradiction(
        "cas-register",
        writes().ok(2_000, 2_001, "cas", "value", List.of(99, 3)),
        "nobody had written 99");
    assertContradiction(
        "register",
        writes().ok(2_000, 2_001, "read", "value", 99).ok(2_002, 2_003, "write", "value", 99),
        "nobody had written 99");
    assertContradiction(
        "register",
        writes().ok(2_000, 2_001, "read", "value", 99).call(1, 3_000, FAIL, "write", "value", 99),
        "nobody had written 99");
  }

  @Test
  void read_ofWhatHadBeenOverwritten_isInvalidAtOnce() {
    assertContradiction(
        "register",
        writes().ok(2_000, 2_001, "read"),
        "the value at the beginning had been overwritten");
    assertContradiction(
        "cas-register",
        script()
            .ok(0, 1, "write", "value", 7)
            .ok(2, 3, "write", "value", 8)
            .ok(4, 1_000, "read", "value", 8)
            .ok(2_000, 2_001, "read", "value", 7),
        "7 had been overwritten");
  }

  /** Which of them was the last is not known, but there was one. */
  @Test
  void reads_thatGoToAndFroAfterConcurrentWrites_areInvalidAtOnce() {
    HistoryScript script = script();
    for (int i = 1; i <= 40; i++) {
      script.ok(0, 10, "write", "value", i);
    }
    script.ok(20, 21, "read", "value", 1).ok(22, 23, "read", "value", 2);
    script.ok(24, 25, "read", "value", 1);
    assertContradiction("register", script, "had been overwritten");
  }

  @Test
  void read_ofWhatMayHaveBeenWrittenOrOverwritten_isLeftToTheSearch() {
    assertVerdict(
        Verdict.VALID,
        "register",
        script()
            .ok(0, 10, "write", "value", 1)
            .ok(5, 15, "write", "value", 2)
            .ok(20, 21, "read", "value", 1)
            .call(22, 23, INFO, "write", "value", 3)
            .ok(24, 25, "read", "value", 1)
            .ok(26, 27, "read", "value", 3));
    assertVerdict(
        Verdict.VALID,
        "cas-register",
        script()
            .ok(0, 1, "write", "value", 1)
            .ok(2, 3, "write", "value", 2)
            .ok(4, 5, "cas", "value", List.of(2, 1))
            .ok(6, 7, "read", "value", 1));
  }

  @Test
  void locks_heldOrGivenBackTooOften_areInvalidAtOnce() {
    // Forty clients want it at once and never hear: 2^40 sets of those that may have had it.
    HistoryScript wanted = script();
    for (int i = 0; i < 40; i++) {
      wanted.call(i, 5_000, INFO, "acquire", "lock", "a", "client", "c" + i, "ttl", 9_000);
      wanted.call(i, 5_000, INFO, "release", "lock", "a", "client", "c" + i);
    }
    HistoryScript twice =
        wanted
            .acquired(2_000, 2_001, "y", 7, 9_000)
            .released(2_002, 2_003, "y", 7)
            .released(2_004, 2_005, "y", 7);
    for (String model : List.of("owner-mutex", "fenced-mutex", "lease", "reentrant-mutex:2")) {
      assertThat(check(model, twice).verdict()).as(model).isEqualTo(Verdict.INVALID);
    }
    HistoryScript sameFence =
        wanted.acquired(3_000, 3_001, "z", 7, 9_000).acquired(3_002, 3_003, "z", 6, 9_000);
    for (String model : List.of("fenced-mutex", "lease")) {
      assertThat(check(model, sameFence).verdict()).as(model).isEqualTo(Verdict.INVALID);
    }
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
  void lease_believedIn_lastsOn() {
    HistoryScript granted = script().acquired(0, 5, "x", 1, 100);
    assertVerdict(Verdict.VALID, "lease", granted.acquired(120, 130, "y", 2, 100));
    HistoryScript believed = script().acquired(0, 5, "x", 1, 100).believed(60, 70, "x", 1, 100);
    assertVerdict(Verdict.INVALID, "lease", believed.acquired(120, 130, "y", 2, 100));
    HistoryScript after = script().acquired(0, 5, "x", 1, 100).acquired(120, 130, "y", 2, 100);
    assertVerdict(Verdict.INVALID, "lease", after.believed(140, 150, "x", 1, 100));
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

  // --- Threads that share a client, and calls that do not name their lease

  private static HistoryScript shared(
      HistoryScript script, long from, long to, String f, Object... more) {
    Object[] value = new Object[4 + more.length];
    System.arraycopy(new Object[] {"lock", "a", "client", "c"}, 0, value, 0, 4);
    System.arraycopy(more, 0, value, 4, more.length);
    return script.ok(from, to, f, value);
  }

  @Test
  void lease_releaseWithoutFence_isNotOfAnAcquisitionThatWasStillPending() {
    HistoryScript script = script();
    shared(script, 0, 2, "acquire", "ttl", 10, "fence", 1);
    shared(script, 2, 15, "acquire", "ttl", 10, "fence", 3);
    shared(script, 3, 8, "release");
    assertVerdict(Verdict.VALID, "lease", script.acquired(24, 28, "d", 9, 10));
    assertVerdict(Verdict.INVALID, "lease", script.acquired(29, 30, "d", 10, 10));
  }

  @Test
  void lease_releaseWithoutFence_isOfEitherOfTwoGrants() {
    // Both are over before the next: one by its release, one by its TTL, whichever came first.
    HistoryScript script = script();
    shared(script, 0, 30, "acquire", "ttl", 10, "fence", 1);
    shared(script, 0, 30, "acquire", "ttl", 10, "fence", 2);
    shared(script, 1, 30, "release");
    assertVerdict(Verdict.VALID, "lease", script.acquired(11, 31, "d", 3, 10));
    shared(script, 2, 30, "release");
    assertVerdict(Verdict.VALID, "lease", script);
    assertVerdict(Verdict.INVALID, "lease", shared(script, 3, 30, "release"));
  }

  @Test
  void lease_renewalWithoutFence_isNotOfAnAcquisitionThatWasStillPending() {
    HistoryScript script = script();
    shared(script, 0, 3, "acquire", "ttl", 5, "fence", 5);
    shared(script, 2, 6, "acquire", "ttl", 5, "fence", 7);
    shared(script, 3, 4, "renew", "ttl", 5);
    // Only the first can have been renewed by 4, and lasts until 8; the second was granted by 6.
    assertVerdict(Verdict.INVALID, "lease", script);
  }

  @Test
  void lease_renewalWithoutFence_mayBeOfTheSecondOfTwoGrants() {
    HistoryScript script = script();
    shared(script, 0, 1, "acquire", "ttl", 5, "fence", 5);
    shared(script, 2, 9, "acquire", "ttl", 5, "fence", 7);
    shared(script, 4, 9, "renew", "ttl", 50);
    assertVerdict(Verdict.VALID, "lease", script);
    assertVerdict(Verdict.INVALID, "lease", script.acquired(20, 21, "d", 8, 5));
  }

  @Test
  void lease_renewalThatTellsTheFenceOfAnUnansweredAcquisition_prolongsIt() {
    HistoryScript script =
        script()
            .call(0, 1, INFO, "acquire", "lock", "a", "client", "c", "ttl", 10)
            .renewed(8, 9, "c", 4, 10);
    assertVerdict(Verdict.VALID, "lease", script.acquired(12, 18, "d", 5, 100));
    HistoryScript tooEarly =
        script()
            .call(0, 1, INFO, "acquire", "lock", "a", "client", "c", "ttl", 10)
            .renewed(8, 9, "c", 4, 10)
            .acquired(12, 17, "d", 5, 10);
    assertVerdict(Verdict.INVALID, "lease", tooEarly);
  }

  @Test
  void lease_renewalThatTellsTheFenceOfAGrantWithoutOne_prolongsIt() {
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .ok(0, 1, "acquire", "lock", "a", "client", "c", "ttl", 10)
            .renewed(8, 9, "c", 4, 10)
            .acquired(12, 17, "d", 5, 10));
  }

  @Test
  void lease_renewalThatIsNotKnown_prolongsNothing() {
    for (Operation.Type type : List.of(INFO, FAIL)) {
      assertVerdict(
          Verdict.VALID,
          "lease",
          script()
              .acquired(0, 1, "c", 1, 10)
              .call(8, 9, type, "renew", "lock", "a", "client", "c", "fence", 1, "ttl", 10)
              .acquired(10, 11, "d", 2, 10));
    }
  }

  @Test
  void lease_releaseThatFailedOrIsNotKnown_leavesTheEndOfTheLease() {
    for (Operation.Type type : List.of(INFO, FAIL)) {
      assertVerdict(
          Verdict.VALID,
          "lease",
          script()
              .acquired(0, 1, "c", 1, 10)
              .call(2, 3, type, "release", "lock", "a", "client", "c")
              .acquired(10, 11, "d", 2, 10));
      assertVerdict(
          type == INFO ? Verdict.VALID : Verdict.INVALID,
          "lease",
          script()
              .acquired(0, 1, "c", 1, 10)
              .call(2, 3, type, "release", "lock", "a", "client", "c")
              .acquired(4, 5, "d", 2, 10));
    }
  }

  @Test
  void lease_unknownReleaseWithoutFence_endsOneGrantOnly() {
    HistoryScript script =
        script()
            .acquired(0, 1, "c", 1, 10)
            .acquired(2, 20, "c", 2, 10)
            .call(3, 4, INFO, "release", "lock", "a", "client", "c");
    assertVerdict(Verdict.VALID, "lease", script.acquired(21, 22, "d", 3, 100));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 100)
            .acquired(2, 20, "c", 2, 100)
            .call(3, 4, INFO, "release", "lock", "a", "client", "c")
            .acquired(21, 22, "d", 3, 100));
  }

  @Test
  void lease_noticeWithoutFence_endsOneLeaseOfThatClient() {
    HistoryScript lost =
        script().acquired(0, 1, "c", 1, 100).notice(5, "lost", "lock", "a", "client", "c");
    assertVerdict(Verdict.VALID, "lease", lost.acquired(6, 7, "c", 2, 100));
    assertVerdict(Verdict.INVALID, "lease", lost.acquired(8, 9, "d", 3, 100));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 100)
            .notice(5, "expire", "lock", "a", "client", "d")
            .acquired(6, 7, "d", 2, 100));
  }

  @Test
  void lease_noticeWithoutFence_isOfWhicheverGrantExplains() {
    // The second acquisition was under way; it may have been the first lease that was lost.
    assertVerdict(
        Verdict.VALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 100)
            .acquired(2, 10, "c", 2, 100)
            .notice(5, "lost", "lock", "a", "client", "c"));
  }

  @Test
  void lease_notice_endsNoLeaseThatWasAskedForOnlyLater() {
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 2)
            .notice(5, "lost", "lock", "a", "client", "c")
            .acquired(6, 7, "c", 2, 100)
            .acquired(8, 9, "d", 3, 100));
  }

  @Test
  void lease_expiryThatIsAnsweredWithoutFence_mayBeOfAnEarlierLease() {
    HistoryScript expired =
        script()
            .acquired(0, 1, "c", 1, 2)
            .acquired(5, 6, "c", 2, 100)
            .ok(7, 8, "expire", "lock", "a", "client", "c");
    assertVerdict(
        Verdict.VALID, "lease", expired.ok(9, 10, "renew", "lock", "a", "client", "c", "fence", 2));
    assertVerdict(
        Verdict.INVALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 100)
            .ok(7, 8, "expire", "lock", "a", "client", "c", "fence", 1)
            .renewed(9, 10, "c", 1, 100));
  }

  @Test
  void lease_severalProcessesOfOneClient_shareItsLease() {
    assertVerdict(
        Verdict.VALID,
        "lease",
        script()
            .acquired(0, 1, "c", 1, 10)
            .ok(5, 6, "renew", "lock", "a", "client", "c", "ttl", 10)
            .ok(12, 13, "release", "lock", "a", "client", "c")
            .acquired(14, 15, "d", 2, 10));
  }

  @Test
  void lease_renewalsThatOverlap_lastFromTheOneThatWasInvokedLast() {
    HistoryScript script = script().acquired(0, 1, "c", 1, 10);
    script.renewed(2, 9, "c", 1, 10).renewed(6, 8, "c", 1, 10);
    assertVerdict(Verdict.INVALID, "lease", script.acquired(12, 15, "d", 2, 10));
  }

  @Test
  void client_thatIsNotWritten_isTheNumberOfItsProcess() {
    HistoryScript script =
        script()
            .add(0, INVOKE, 3, "acquire", "lock", "a", "ttl", 10)
            .add(1, OK, 3, "acquire", "lock", "a", "ttl", 10, "fence", 1)
            .add(2, INVOKE, 4, "release", "lock", "a", "client", 3)
            .add(3, OK, 4, "release", "lock", "a", "client", 3);
    for (String model : List.of("lease", "owner-mutex", "fenced-mutex")) {
      assertVerdict(Verdict.VALID, model, script);
    }
    assertVerdict(
        Verdict.INVALID,
        "owner-mutex",
        script()
            .add(0, INVOKE, 3, "acquire")
            .add(1, OK, 3, "acquire")
            .add(2, INVOKE, 4, "release")
            .add(3, OK, 4, "release"));
  }

  // --- One process does one thing after the other, also if no time passes

  @Test
  void register_callsOfOneProcessAtOneTime_keepTheirOrder() {
    HistoryScript script = script();
    for (Object[] call : new Object[][] {{"write", 1}, {"write", 2}, {"read", 1}}) {
      script.add(5, INVOKE, 0, (String) call[0], "value", call[1]);
      script.add(5, OK, 0, (String) call[0], "value", call[1]);
    }
    assertVerdict(Verdict.INVALID, "register", script);
  }

  @Test
  void register_callsOfSeveralProcessesAtOneTime_mayComeInAnyOrder() {
    HistoryScript script = script();
    for (int i = 1; i <= 2; i++) {
      script.add(5, INVOKE, i, "write", "value", i).add(5, OK, i, "write", "value", i);
    }
    assertVerdict(
        Verdict.VALID,
        "register",
        script.add(5, INVOKE, 3, "read").add(5, OK, 3, "read", "value", 1));
    // But not after its own write, and before the other that came between.
    assertVerdict(
        Verdict.INVALID,
        "register",
        script
            .add(6, INVOKE, 3, "read")
            .add(6, OK, 3, "read", "value", 2)
            .add(6, INVOKE, 3, "read")
            .add(6, OK, 3, "read", "value", 1));
  }

  @Test
  void mutex_unansweredCallOfAProcess_comesAfterWhatItHadDoneBefore() {
    assertVerdict(
        Verdict.INVALID,
        "owner-mutex",
        script()
            .add(5, INVOKE, 0, "acquire", "client", "x")
            .add(5, OK, 0, "acquire", "client", "x")
            .add(5, INVOKE, 0, "release", "client", "x")
            .add(5, INFO, 0, "release", "client", "x")
            .add(3, INVOKE, 1, "acquire", "client", "y")
            .add(4, OK, 1, "acquire", "client", "y"));
  }
}
