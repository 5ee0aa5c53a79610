package dev.holdfast.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.check.ExpectedEffectChecker.ExpectedEffect;
import dev.holdfast.chaos.fault.ClientFaults;
import dev.holdfast.chaos.fault.IndexFaults;
import dev.holdfast.chaos.fault.NodeFaults;
import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.time.Duration;
import java.util.Set;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Each checker of chaos runs says valid, invalid and unknown of histories where it must. */
class ChaosCheckersTest {
  private static final long TTL = 3_000;

  private final HistoryScript script = new HistoryScript();

  private void assertVerdict(Checker checker, Verdict verdict, String why) {
    Result result = checker.check(script.build());
    assertThat(result.verdict()).as("%s", result).isEqualTo(verdict);
    assertThat(result.summary()).contains(why);
  }

  /** The majority is away from 1 s to 9 s. */
  @Nested
  class NoMajority {
    private final Checker checker = NoGrantsChecker.withoutMajority(Duration.ofMillis(TTL));

    NoMajority() {
      script.nemesis(1_000, "start-" + NodeFaults.NO_MAJORITY, "target", "cluster");
      script.nemesis(9_000, "stop-" + NodeFaults.NO_MAJORITY, "target", "cluster");
      script.acquired(500, 510, "c1", 1, TTL);
    }

    @Test
    void leasesThatEnd_andOneThatIsHandedOverByItsHolder_areValid() {
      script.released(1_400, 1_410, "c1", 1);
      script.acquired(1_200, 1_410, "c1", 2, 2_000);
      script.acquired(9_100, 9_110, "c2", 3, TTL);
      assertVerdict(checker, Verdict.VALID, "1 lease ended in time");
    }

    @Test
    void requestThatWasSentBefore_isValid() {
      script.released(700, 710, "c1", 1);
      script.acquired(990, 1_010, "c2", 2, TTL);
      assertVerdict(checker, Verdict.VALID, "Nothing was granted");
    }

    @Test
    void grantToAnother_evenWithinTheTtl_isInvalid() {
      script.released(1_400, 1_410, "c1", 1);
      script.acquired(1_200, 1_410, "c2", 2, 2_000);
      assertVerdict(checker, Verdict.INVALID, "1 lease granted or believed in");
    }

    @Test
    void grantAfterTheTtl_evenToTheSame_isInvalid() {
      script.acquired(4_500, 4_600, "c1", 2, TTL);
      assertVerdict(checker, Verdict.INVALID, "1 lease granted or believed in");
    }

    @Test
    void leaseThatIsBelievedInForLonger_isInvalid() {
      script.acquired(800, 810, "c2", 2, 2 * TTL);
      assertVerdict(checker, Verdict.INVALID, "1 lease granted or believed in");
    }
  }

  @Test
  void noMajority_whereItWasNeverAway_isUnknown() {
    script.acquired(500, 510, "c1", 1, TTL);
    assertVerdict(
        NoGrantsChecker.withoutMajority(Duration.ofMillis(TTL)), Verdict.UNKNOWN, "never lasted");
  }

  /** The index is blocked from 1 s to 9 s. */
  @Nested
  class Blocked {
    private final Checker checker = NoGrantsChecker.whileBlocked(Duration.ofMillis(TTL));

    Blocked() {
      script.nemesis(1_000, "start-" + IndexFaults.NO_WRITES, "target", "cluster");
      script.nemesis(9_000, "stop-" + IndexFaults.NO_WRITES, "target", "cluster");
      script.acquired(500, 510, "c1", 1, TTL);
    }

    @Test
    void nothingIsGranted_isValid() {
      assertVerdict(checker, Verdict.VALID, "Nothing was granted while the index was blocked");
    }

    @Test
    void grant_isInvalid() {
      script.acquired(4_500, 4_600, "c2", 2, TTL);
      assertVerdict(checker, Verdict.INVALID, "believed in while the index was blocked");
    }

    @Test
    void aMajorityThatIsAway_isAnotherChecker() {
      assertVerdict(
          NoGrantsChecker.withoutMajority(Duration.ofMillis(TTL)), Verdict.UNKNOWN, "never lasted");
    }
  }

  /** Something is broken from 1 s to 9 s. */
  @Nested
  class LeasesKept {
    private final Checker checker = new LeasesKeptChecker(Duration.ofMillis(TTL));

    LeasesKept() {
      script.nemesis(1_000, "start-bodies-limited", "target", "all");
      script.nemesis(9_000, "stop-bodies-limited", "target", "all");
    }

    private void acquired(long at, long fence, boolean renewed) {
      script.ok(
          at,
          at + 10,
          "acquire",
          "lock",
          "a",
          "client",
          "c1",
          "fence",
          fence,
          "ttl",
          TTL,
          ChaosVocabulary.RENEWED,
          renewed);
    }

    @Test
    void leaseThatIsKept_isValid() {
      acquired(500, 1, true);
      script.believed(2_000, 2_001, "c1", 1, TTL);
      script.believed(4_500, 4_501, "c1", 1, TTL);
      assertVerdict(checker, Verdict.VALID, "1 renewed lease held for longer");
    }

    @Test
    void leaseThatIsLost_isInvalid() {
      acquired(500, 1, true);
      script.lost(3_600, "c1", 1);
      assertVerdict(checker, Verdict.INVALID, "1 renewed lease lost");
    }

    @Test
    void lossAfterTheFault_orOfALeaseThatIsNotRenewed_isNone() {
      acquired(500, 1, true);
      script.believed(2_000, 2_001, "c1", 1, TTL);
      script.believed(4_500, 4_501, "c1", 1, TTL);
      script.lost(9_500, "c1", 1);
      acquired(9_600, 2, false);
      script.lost(12_500, "c1", 2);
      assertVerdict(checker, Verdict.VALID, "none lost");
    }

    @Test
    void nothingThatIsHeldForLong_isUnknown() {
      acquired(500, 1, true);
      script.released(2_000, 2_010, "c1", 1);
      assertVerdict(checker, Verdict.UNKNOWN, "no lease was held for longer");
    }
  }

  /** A holder is killed at 1 s. The bound is 3 s, and a busy machine may take 1 s more. */
  @Nested
  class CrashTakeover {
    private final Checker checker =
        new CrashTakeoverChecker(Duration.ofSeconds(3), Duration.ofSeconds(1), "a");

    CrashTakeover() {
      script.acquired(500, 510, "c1", 1, TTL);
    }

    private void kill(String client) {
      script.nemesis(1_000, "start-" + ClientFaults.KILLED, "target", client);
    }

    @Test
    void withinTheBound_isValid() {
      kill("c1");
      script.acquired(600, 3_900, "c2", 2, TTL);
      assertVerdict(checker, Verdict.VALID, "within the bound of 3.000 s");
      assertThat(checker.check(script.build()).details())
          .containsExactly("Taken over after: 2.900 s.");
    }

    /**
     * A lock that it handed off within itself just before it was killed went to no other client.
     */
    @Test
    void grantToTheKilledClientItself_isNoTakeover() {
      kill("c1");
      script.acquired(600, 1_010, "c1", 2, TTL);
      script.acquired(600, 3_900, "c2", 3, TTL);
      assertVerdict(checker, Verdict.VALID, "at most 2.900 s");
    }

    @Test
    void withinTheAllowance_isValid_andSaysSo() {
      kill("c1");
      script.acquired(600, 4_900, "c2", 2, TTL);
      assertVerdict(checker, Verdict.VALID, "beyond the bound of 3.000 s by less");
    }

    @Test
    void later_isInvalid() {
      kill("c1");
      script.acquired(600, 5_100, "c2", 2, TTL);
      assertVerdict(checker, Verdict.INVALID, "beyond the bound");
    }

    @Test
    void never_isInvalid() {
      kill("c1");
      script.ok(5_100, 5_200, "acquire", "lock", "b", "client", "c2", "fence", 2L, "ttl", TTL);
      assertVerdict(checker, Verdict.INVALID, "beyond the bound");
      assertThat(checker.check(script.build()).details()).last().asString().contains("never");
    }

    @Test
    void notYet_whenTheRunIsOver_isNotChecked() {
      kill("c1");
      script.ok(4_900, 4_950, "acquire", "lock", "b", "client", "c2", "fence", 2L, "ttl", TTL);
      assertVerdict(checker, Verdict.UNKNOWN, "so long before the end");
    }

    @Test
    void whereNoHolderWasKilled_isUnknown() {
      kill("c2");
      assertVerdict(checker, Verdict.UNKNOWN, "no holder was killed");
    }
  }

  @Nested
  class LostUpdates {
    private void increment(long at, String client, long count) {
      script.ok(
          at,
          at + 5,
          ChaosVocabulary.INCREMENT,
          "lock",
          "a",
          "client",
          client,
          ChaosVocabulary.COUNT,
          count);
    }

    private void counted(long count) {
      script.ok(
          900,
          905,
          ChaosVocabulary.FINAL_COUNT,
          "lock",
          "a",
          "client",
          "c1",
          ChaosVocabulary.COUNT,
          count);
    }

    @Test
    void noneIsMissing_isValid() {
      increment(100, "c1", 1);
      increment(200, "c2", 2);
      counted(2);
      assertVerdict(new LostUpdatesChecker(true), Verdict.VALID, "0 of 2");
    }

    @Test
    void oneIsMissing_isInvalidWhereNothingWasBroken() {
      increment(100, "c1", 1);
      increment(200, "c2", 1);
      counted(1);
      assertVerdict(new LostUpdatesChecker(true), Verdict.INVALID, "1 of 2");
      assertVerdict(new LostUpdatesChecker(false), Verdict.VALID, "1 of 2");
    }

    @Test
    void oneIsMissing_andALeaseWasLost_isUnknown() {
      script.acquired(10, 20, "c1", 1, TTL);
      script.lost(150, "c1", 1);
      increment(100, "c1", 1);
      increment(200, "c2", 1);
      counted(1);
      assertVerdict(new LostUpdatesChecker(true), Verdict.UNKNOWN, "1 leases were lost too");
    }

    @Test
    void nobodyCounted_isUnknown() {
      increment(100, "c1", 1);
      assertVerdict(new LostUpdatesChecker(true), Verdict.UNKNOWN, "no counter");
    }
  }

  /** The last fault ends at 1 s. */
  @Nested
  class Recovery {
    private final Checker checker = new RecoveryChecker();

    Recovery() {
      script.nemesis(500, "start-cut-off", "target", "c1");
      script.nemesis(1_000, "stop-cut-off", "target", "c1");
      script.acquired(1_100, 1_110, "c1", 1, TTL);
    }

    private void refused(long from, String client) {
      script.call(
          from,
          from + 10,
          Operation.Type.FAIL,
          "acquire",
          "lock",
          "a",
          "client",
          client,
          "ttl",
          TTL);
    }

    @Test
    void workerThatGoesOn_isGrantedALock_isValid() {
      refused(600, "c2");
      refused(1_100, "c3");
      script.acquired(1_200, 1_210, "c3", 2, TTL);
      assertVerdict(checker, Verdict.VALID, "Each of 2 workers was granted a lock again");
    }

    @Test
    void workerThatIsGrantedNoneAnyMore_isInvalid() {
      script.acquired(100, 110, "c2", 2, TTL);
      refused(1_200, "c2");
      assertVerdict(checker, Verdict.INVALID, "1 worker did not recover");
    }
  }

  @Test
  void recovery_ofWhatIsStillBroken_isUnknown() {
    script.nemesis(500, "start-cut-off", "target", "c1");
    script.acquired(600, 610, "c2", 1, TTL);
    assertVerdict(new RecoveryChecker(), Verdict.UNKNOWN, "not every fault ended");
  }

  @Test
  void recovery_nobodyAsks_isUnknown() {
    script.acquired(100, 110, "c1", 1, TTL);
    script.nemesis(500, "start-cut-off", "target", "c1");
    script.nemesis(1_000, "stop-cut-off", "target", "c1");
    assertVerdict(new RecoveryChecker(), Verdict.UNKNOWN, "no lock was asked for");
  }

  /** A fault of c1 from 1 s to 5 s, and another from 9 s. */
  @Nested
  class ExpectedEffects {
    ExpectedEffects() {
      script.nemesis(1_000, "start-cut-off", "target", "link of c1 to all nodes");
      script.nemesis(5_000, "stop-cut-off", "target", "link of c1 to all nodes");
      script.nemesis(9_000, "start-cut-off", "target", "link of c1 to all nodes");
      script.nemesis(9_500, "stop-cut-off", "target", "link of c1 to all nodes");
    }

    private void acquired(long at, String client, long fence, boolean renewed) {
      script.ok(
          at,
          at + 10,
          "acquire",
          "lock",
          "a",
          "client",
          client,
          "fence",
          fence,
          "ttl",
          TTL,
          ChaosVocabulary.RENEWED,
          renewed);
    }

    private void failed(long at, String f, String client, long fence) {
      script.call(
          at, at + 5, Operation.Type.FAIL, f, "lock", "a", "client", client, "fence", fence);
    }

    private void notHeld(long at, String f) {
      unanswered(at, at + 5, ChaosVocabulary.NOT_HELD, f, "c1");
    }

    private void unanswered(long from, long to, String reason, String f, String client) {
      script.call(
          from,
          to,
          Operation.Type.INFO,
          f,
          "lock",
          "a",
          "client",
          client,
          "fence",
          1L,
          ChaosVocabulary.REASON,
          reason);
    }

    private void assertEffect(ExpectedEffect effect) {
      assertVerdict(new ExpectedEffectChecker(Set.of(effect)), Verdict.VALID, "(in 1 of 2 faults)");
    }

    private void assertNoEffect(ExpectedEffect effect) {
      assertVerdict(new ExpectedEffectChecker(Set.of(effect)), Verdict.INVALID, "did not show");
    }

    @Test
    void lossInTheFault_isSeen() {
      acquired(500, "c1", 1, true);
      script.lost(3_600, "c1", 1);
      assertEffect(ExpectedEffect.LOSS);
    }

    /** It ends in any case, whether something is broken or not. */
    @Test
    void lossOfALeaseThatIsNotRenewed_isNot() {
      acquired(500, "c1", 1, false);
      script.lost(3_600, "c1", 1);
      assertNoEffect(ExpectedEffect.LOSS);
    }

    @Test
    void lossOfAnotherClient_isNot() {
      acquired(500, "c2", 1, true);
      script.lost(3_600, "c2", 1);
      acquired(700, "c1", 2, true);
      assertNoEffect(ExpectedEffect.LOSS);
    }

    @Test
    void lossOfWhatWasGrantedOnlyAfterTheFaultBegan_isNot() {
      acquired(5_500, "c1", 1, true);
      script.lost(8_900, "c1", 1);
      assertNoEffect(ExpectedEffect.LOSS);
    }

    @Test
    void takeoverWhileTheFaultLasts_isSeen() {
      acquired(500, "c1", 1, true);
      acquired(4_000, "c2", 2, true);
      assertEffect(ExpectedEffect.TAKEOVER);
    }

    @Test
    void lossAfterTheNextFaultBegan_isNot() {
      acquired(500, "c1", 1, true);
      script.released(9_300, 9_310, "c1", 1);
      script.lost(9_200, "c1", 1);
      assertNoEffect(ExpectedEffect.LOSS);
    }

    @Test
    void takeoverBySomebodyOfTheSameClient_isNot() {
      acquired(500, "c1", 1, true);
      acquired(4_000, "c1", 2, true);
      assertNoEffect(ExpectedEffect.TAKEOVER);
    }

    @Test
    void takeoverAfterIt_isNot() {
      acquired(500, "c1", 1, true);
      acquired(5_100, "c2", 2, true);
      assertNoEffect(ExpectedEffect.TAKEOVER);
    }

    @Test
    void takeoverOfWhatWasGivenBack_isNot() {
      acquired(500, "c1", 1, true);
      script.released(1_100, 1_200, "c1", 1);
      acquired(4_000, "c2", 2, true);
      assertNoEffect(ExpectedEffect.TAKEOVER);
    }

    /** As the worker records them: its own write may have been applied. */
    @Test
    void refusals_ofUnknownOutcome_areSeen_butNotALookThatFoundNoLease() {
      acquired(500, "c1", 1, true);
      script.call(
          6_000, 6_005, Operation.Type.FAIL, "belief", "lock", "a", "client", "c1", "fence", 1L);
      assertNoEffect(ExpectedEffect.REFUSED_RENEWAL);
      notHeld(6_100, "renew");
      notHeld(6_200, "release");
      assertEffect(ExpectedEffect.REFUSED_RENEWAL);
      assertEffect(ExpectedEffect.REFUSED_RELEASE);
    }

    @Test
    void refusals_areSeenOfVictimsOnly() {
      acquired(500, "c1", 1, true);
      failed(6_000, "write", "c1", 1);
      failed(6_100, "renew", "c1", 1);
      failed(6_200, "release", "c1", 1);
      assertEffect(ExpectedEffect.REFUSED_WRITE);
      assertEffect(ExpectedEffect.REFUSED_RENEWAL);
      assertEffect(ExpectedEffect.REFUSED_RELEASE);
      assertNoEffect(ExpectedEffect.NEWCOMER_REFUSED);
    }

    @Test
    void refusals_ofOthersAndBefore_areNot() {
      acquired(100, "c1", 1, true);
      failed(900, "write", "c1", 1);
      acquired(6_000, "c2", 2, true);
      failed(6_500, "write", "c2", 2);
      assertNoEffect(ExpectedEffect.REFUSED_WRITE);
      assertEffect(ExpectedEffect.NEWCOMER_REFUSED);
    }

    @Test
    void acquisitionWithoutAnswer_isSeenOfTheVictimOnly() {
      script.call(
          2_000, 2_900, Operation.Type.INFO, "acquire", "lock", "a", "client", "c2", "ttl", TTL);
      acquired(500, "c1", 1, true);
      assertNoEffect(ExpectedEffect.UNANSWERED);

      script.call(
          2_000, 2_950, Operation.Type.INFO, "acquire", "lock", "a", "client", "c1", "ttl", TTL);
      assertEffect(ExpectedEffect.UNANSWERED);
      assertNoEffect(ExpectedEffect.REJECTED);
    }

    @Test
    void acquisitionThatWasRejected_isSeenWhileTheFaultLasts() {
      String rejected = ChaosVocabulary.REJECTED;
      acquired(500, "c1", 1, true);
      unanswered(2_000, 2_900, "timeout", "acquire", "c1");
      unanswered(5_100, 5_900, rejected, "acquire", "c1");
      unanswered(2_000, 2_900, rejected, "write", "c1");
      assertNoEffect(ExpectedEffect.REJECTED);

      unanswered(4_900, 5_900, rejected, "acquire", "c1");
      assertEffect(ExpectedEffect.REJECTED);
      assertNoEffect(ExpectedEffect.BLOCKED);
    }

    @Test
    void acquisitionThatWasBlocked_isSeen() {
      acquired(500, "c1", 1, true);
      unanswered(4_900, 5_900, ChaosVocabulary.BLOCKED, "acquire", "c1");
      assertEffect(ExpectedEffect.BLOCKED);
      assertNoEffect(ExpectedEffect.REJECTED);
    }

    @Test
    void slowRelease_isSeenOfTheVictimInTheFault() {
      acquired(500, "c1", 1, true);
      script.released(900, 1_900, "c1", 1); // asked for before
      acquired(2_000, "c2", 2, true);
      script.released(2_100, 3_000, "c2", 2);
      acquired(3_100, "c1", 3, true);
      script.released(3_200, 3_600, "c1", 3); // not slow
      assertNoEffect(ExpectedEffect.SLOWED);

      acquired(3_700, "c1", 4, true);
      script.released(3_800, 4_400, "c1", 4);
      assertEffect(ExpectedEffect.SLOWED);
    }

    /** The client is cut off from 1 s on, for certain from 1.3 s. */
    @Test
    void grantOfALockThatLingers_isSeen() {
      acquired(500, "c1", 1, true);
      script.released(700, 710, "c1", 1);
      acquired(1_200, "c1", 2, true); // its request may have left before
      script.released(1_400, 1_410, "c1", 2);
      assertNoEffect(ExpectedEffect.LINGERED);

      acquired(1_500, "c1", 3, true);
      script.released(1_600, 1_610, "c1", 3);
      assertEffect(ExpectedEffect.LINGERED);
      assertNoEffect(ExpectedEffect.LINGERING_TAKEN_OVER);

      acquired(4_500, "c2", 4, true);
      assertEffect(ExpectedEffect.LINGERING_TAKEN_OVER);
    }

    @Test
    void handoff_andAGrantOfAnother_areNoGrantsOfALockThatLingers() {
      acquired(500, "c1", 1, true);
      script.released(1_505, 1_506, "c1", 1);
      acquired(1_500, "c1", 2, true); // asked for while it was held
      script.released(1_600, 1_610, "c1", 2);
      acquired(1_700, "c2", 3, true);
      script.released(1_800, 1_810, "c2", 3);
      acquired(1_900, "c1", 4, true); // after another's
      assertNoEffect(ExpectedEffect.LINGERED);
    }

    private void leads(long at, String client, long fence) {
      script.ok(at, at + 10, "acquire", "lock", "e0", "client", client, "fence", fence, "ttl", TTL);
    }

    private void leadsNoMore(long at, String client, long fence) {
      script.notice(at, "lost", "lock", "e0", "client", client, "fence", fence);
    }

    @Test
    void leaderThatIsReplaced_isSeen() {
      leads(500, "c1", 1);
      leadsNoMore(3_400, "c1", 1);
      leads(4_000, "c2", 2);
      assertEffect(ExpectedEffect.LEADER_REPLACED);
    }

    @Test
    void leaderThatWasNotTold_isNot() {
      acquired(500, "c1", 7, true);
      leads(500, "c1", 1);
      leads(4_000, "c2", 2);
      assertNoEffect(ExpectedEffect.LEADER_REPLACED);
    }

    @Test
    void leaderThatIsItsOwnSuccessor_isNot() {
      leads(500, "c1", 1);
      leadsNoMore(3_400, "c1", 1);
      leads(4_000, "c1", 2);
      leads(4_900, "c2", 3);
      assertNoEffect(ExpectedEffect.LEADER_REPLACED);
    }

    @Test
    void leaderThatIsReplacedAfterTheFault_isNot() {
      leads(500, "c1", 1);
      leadsNoMore(3_400, "c1", 1);
      leads(5_100, "c2", 2);
      assertNoEffect(ExpectedEffect.LEADER_REPLACED);
    }
  }

  /** What a fault counts itself, it says at its end. */
  @Test
  void hits_ofAFaultThatCounts_areSeen_andNoneIsNot() {
    script.acquired(500, 510, "c1", 1, TTL);
    script.nemesis(1_000, "start-bodies-limited", "target", "all");
    script.nemesis(5_000, "stop-bodies-limited", "target", "all", ChaosVocabulary.HITS, 0L);
    Checker checker = new ExpectedEffectChecker(Set.of(ExpectedEffect.HIT));
    assertVerdict(checker, Verdict.INVALID, "hits counted by the fault 0");

    script.nemesis(6_000, "start-bodies-limited", "target", "all");
    script.nemesis(8_000, "stop-bodies-limited", "target", "all", ChaosVocabulary.HITS, 3L);
    assertVerdict(checker, Verdict.VALID, "hits counted by the fault 3 (in 1 of 2 faults)");
  }

  /** A fault of a node affects all clients. */
  @Test
  void seen_whereTheTargetIsNoClient_eachClientIsAVictim() {
    script.nemesis(1_000, "start-node-killed", "target", "n1, the primary");
    script.ok(
        500,
        510,
        "acquire",
        "lock",
        "a",
        "client",
        "c2",
        "fence",
        1L,
        "ttl",
        TTL,
        ChaosVocabulary.RENEWED,
        true);
    script.lost(3_600, "c2", 1);
    assertVerdict(
        new ExpectedEffectChecker(Set.of(ExpectedEffect.LOSS)), Verdict.VALID, "leases lost 1");
  }

  /** Two locks are held and two calls wait when a node is killed. */
  @Nested
  class Crowd {
    Crowd() {
      script.acquired(100, 110, "c1", 1, TTL);
      script.ok(100, 110, "acquire", "lock", "b", "client", "c2", "fence", 2L, "ttl", TTL);
      script.call(
          900, 1_500, Operation.Type.FAIL, "acquire", "lock", "a", "client", "c2", "ttl", TTL);
      script.call(
          1_400, 1_600, Operation.Type.FAIL, "acquire", "lock", "a", "client", "c3", "ttl", TTL);
      script.call(
          1_400, 1_600, Operation.Type.FAIL, "acquire", "lock", "b", "client", "c3", "ttl", TTL);
    }

    @Test
    void enough_isValid_andFewer_isInvalid() {
      script.nemesis(1_000, "start-node-killed", "target", "n1");
      assertVerdict(new CrowdChecker(2, 2), Verdict.VALID, "2 locks were held");
      assertVerdict(new CrowdChecker(3, 2), Verdict.INVALID, "of at least 3");
      assertVerdict(new CrowdChecker(2, 3), Verdict.INVALID, "up to 2 calls waited");
    }

    @Test
    void whoWaitedOnlyBefore_doesNotCount() {
      script.nemesis(1_550, "start-node-killed", "target", "n1");
      assertVerdict(new CrowdChecker(2, 2), Verdict.INVALID, "up to 1 calls waited");
    }

    @Test
    void withoutAFault_isUnknown() {
      assertVerdict(new CrowdChecker(1, 1), Verdict.UNKNOWN, "no fault");
    }
  }

  /** Samples of one client, 5 s apart. */
  @Nested
  class Resources {
    private final Checker checker = new ResourcesChecker(Duration.ofSeconds(60));

    private void samples(String client, int count, IntToLongFunction heapMib, long threads) {
      for (int i = 0; i < count; i++) {
        script.notice(
            5_000L * i,
            "resources",
            "client",
            client,
            ChaosVocabulary.HEAP_KIB,
            1_024 * heapMib.applyAsLong(i),
            ChaosVocabulary.THREADS,
            threads);
      }
    }

    @Test
    void whatComesAndGoes_andWhatGrowsWhileItWarmsUp_isValid() {
      samples("c1", 16, i -> i < 4 ? 10 + 5 * i : i % 4 == 0 ? 60 : 30, 40);
      assertVerdict(checker, Verdict.VALID, "1 client ran for 60.000 s or longer");
    }

    @Test
    void whatGrowsAllTheTime_isInvalid_andNamed() {
      samples("c1", 16, i -> 30, 40);
      samples("c2", 16, i -> 30 + 2 * i, 40);
      assertVerdict(checker, Verdict.INVALID, "More and more was used");
      assertThat(checker.check(script.build()).details())
          .singleElement()
          .asString()
          .startsWith("c2: heap-kib 43,008 in the second quarter, 59,392 in the last");
    }

    @Test
    void numbersOfOtherNamesAlone_areNotJudged() {
      for (int i = 0; i < 16; i++) {
        script.notice(5_000L * i, "resources", "client", "c1", "heap", 1_024L * i);
      }
      assertVerdict(checker, Verdict.UNKNOWN, "no client recorded what it used for 60.000 s");
    }

    @Test
    void whoDidNotRunForLong_isNotJudged() {
      samples("c1", 12, i -> 30 + 10 * i, 40);
      assertVerdict(checker, Verdict.UNKNOWN, "no client recorded what it used for 60.000 s");
    }
  }
}
