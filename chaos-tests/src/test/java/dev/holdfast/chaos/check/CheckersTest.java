package dev.holdfast.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.check.SeenChecker.Sight;
import dev.holdfast.chaos.fault.ClientFaults;
import dev.holdfast.chaos.fault.NodeFaults;
import dev.holdfast.chaos.worker.Facts;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Each checker of chaos runs says valid, invalid and unknown of histories where it must. */
class CheckersTest {
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
    private final Checker checker = new NoMajorityChecker(Duration.ofMillis(TTL));

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
      assertVerdict(checker, Verdict.INVALID, "1 lease outlived");
    }

    @Test
    void grantAfterTheTtl_evenToTheSame_isInvalid() {
      script.acquired(4_500, 4_600, "c1", 2, TTL);
      assertVerdict(checker, Verdict.INVALID, "1 lease outlived");
    }

    @Test
    void leaseThatIsBelievedInForLonger_isInvalid() {
      script.acquired(800, 810, "c2", 2, 2 * TTL);
      assertVerdict(checker, Verdict.INVALID, "1 lease outlived");
    }
  }

  @Test
  void noMajority_whereItWasNeverAway_isUnknown() {
    script.acquired(500, 510, "c1", 1, TTL);
    assertVerdict(new NoMajorityChecker(Duration.ofMillis(TTL)), Verdict.UNKNOWN, "never away");
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
      assertVerdict(checker, Verdict.INVALID, "beyond the bound");
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
      script.ok(at, at + 5, Facts.INCREMENT, "lock", "a", "client", client, Facts.COUNT, count);
    }

    private void counted(long count) {
      script.ok(900, 905, Facts.FINAL_COUNT, "lock", "a", "client", "c1", Facts.COUNT, count);
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
    void whoeverGoesOn_isGrantedALock_isValid() {
      refused(600, "c2");
      refused(1_100, "c3");
      script.acquired(1_200, 1_210, "c3", 2, TTL);
      assertVerdict(checker, Verdict.VALID, "Each of 2 workers was granted a lock again");
    }

    @Test
    void whoeverIsGrantedNoneAnyMore_isInvalid() {
      script.acquired(100, 110, "c2", 2, TTL);
      refused(1_200, "c2");
      assertVerdict(checker, Verdict.INVALID, "1 worker did not recover");
    }
  }

  @Test
  void recovery_nobodyAsks_isUnknown() {
    script.acquired(100, 110, "c1", 1, TTL);
    script.nemesis(500, "start-cut-off", "target", "c1");
    script.nemesis(1_000, "stop-cut-off", "target", "c1");
    assertVerdict(new RecoveryChecker(), Verdict.UNKNOWN, "nobody asked");
  }

  @Test
  void seen_whatWasToBeShown_isValid_andInvalidWhereItIsMissing() {
    Checker checker = new SeenChecker(Set.of(Sight.LOSS, Sight.TAKEOVER));
    script.acquired(10, 20, "c1", 1, TTL);
    script.lost(150, "c1", 1);
    assertVerdict(checker, Verdict.INVALID, "locks taken over 0");

    script.acquired(200, 210, "c2", 2, TTL);
    assertVerdict(checker, Verdict.VALID, "Seen: ");
  }
}
