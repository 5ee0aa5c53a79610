package dev.holdfast.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.fault.IndexFaults;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.RenewalChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.TtlExpiryChecker;
import dev.holdfast.history.check.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The index is deleted from 100 ms to 110 ms. Fences begin at 1 again, or go on from 1001. */
class DeletionTest {
  private static final long TTL = 60_000;

  private HistoryScript script = new HistoryScript();

  @BeforeEach
  void delete() {
    script.nemesis(100, "start-" + IndexFaults.DELETED, "target", "the index");
    script.nemesis(110, "stop-" + IndexFaults.DELETED, "target", "the index");
  }

  /** Granted when it was asked for, released at that time. */
  private void held(long from, long granted, long release, String client, long fence) {
    script.acquired(from, granted, client, fence, TTL);
    script.released(release, release + 2, client, fence);
  }

  private Result check(Checker checker) {
    return checker.check(script.build());
  }

  private void assertVerdicts(Verdict exclusion, Verdict fencing, Verdict throughEras) {
    List<Verdict> verdicts =
        Stream.of(
                check(Deletion.inEachLife(new MutualExclusionChecker())),
                check(Deletion.fencing()),
                check(Deletion.fencingThroughEras()))
            .map(Result::verdict)
            .toList();
    assertThat(verdicts).containsExactly(exclusion, fencing, throughEras);
  }

  @Test
  void lives_eachInOrder_areValid() {
    held(10, 20, 80, "c1", 5);
    held(130, 140, 150, "c1", 1_001);
    held(160, 170, 180, "c2", 1_002);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.VALID);
  }

  /** Seen on real nodes: the index was gone, its holder had not been told, and handed off. */
  @Test
  void holderThatHandsOver_beforeItIsTold_isOfTheLifeBefore() {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 160, "c1", 501); // waited when it was released
    held(125, 161, 200, "c1", 502);
    held(135, 140, 190, "c2", 1); // of the new life, while the others go on
    held(185, 191, 210, "c3", 2);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.INVALID);
  }

  @Test
  void holderThatHandsOver_beforeItIsTold_isNotOfTheNextEra() {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 160, "c1", 501);
    held(135, 140, 190, "c2", 1_001);
    held(145, 161, 170, "c1", 502); // asked for after the next era's grant
    held(195, 196, 210, "c3", 1_002);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.VALID);
  }

  @Test
  void twoHolders_inOneLife_areFound() {
    held(10, 20, 80, "c1", 5);
    held(130, 140, 200, "c1", 1_001);
    held(150, 160, 210, "c2", 1_002);

    assertVerdicts(Verdict.INVALID, Verdict.VALID, Verdict.VALID);
  }

  /** It asked after its process had released the lock: that cannot be a handoff. */
  @Test
  void holderOfThatProcess_whoDidNotWaitForTheRelease_isChecked() {
    held(10, 20, 130, "c1", 500);
    held(150, 160, 210, "c2", 1);
    held(155, 165, 220, "c1", 501);
    held(230, 240, 250, "c2", 2);

    assertVerdicts(Verdict.INVALID, Verdict.INVALID, Verdict.INVALID);
  }

  @Test
  void holderOfThatProcess_afterItWasToldOfTheDeletion_isChecked() {
    held(10, 20, 130, "c1", 500);
    script.lost(125, "c1", 500);
    held(120, 131, 200, "c1", 501);
    held(135, 140, 190, "c2", 1);

    assertVerdicts(Verdict.INVALID, Verdict.INVALID, Verdict.INVALID);
  }

  /** Only the process that held it can have handed it over. */
  @Test
  void holderOfAnotherProcess_isChecked() {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 200, "c2", 501);
    held(135, 140, 190, "c3", 1);

    assertVerdicts(Verdict.INVALID, Verdict.INVALID, Verdict.INVALID);
  }

  @Test
  void lateWrite_thatIsAcceptedAfterTheNextLifes_isFound() {
    held(10, 20, 80, "c1", 500);
    held(130, 140, 190, "c2", 1);
    script.wrote(150, 151, "c1", 500);
    script.wrote(160, 161, "c2", 1);

    assertThat(check(Deletion.fencing()).verdict()).isEqualTo(Verdict.INVALID);
  }

  /** The verdict on one life does not depend on what was granted in another. */
  @Test
  void lossThatWasNotTold_withinALife_isFound_andADeletionIsNone() {
    script.acquired(10, 20, "c1", 5, TTL);
    script.acquired(130, 140, "c2", 1_001, TTL);
    script.wrote(150, 151, "c1", 5);
    Checker checker = Deletion.inEachLife(new LossNoticeChecker());
    assertThat(check(checker).verdict()).isEqualTo(Verdict.VALID);

    script.acquired(160, 170, "c3", 1_002, TTL);
    script.wrote(180, 181, "c2", 1_001);
    Result result = check(checker);
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details()).singleElement().asString().contains("c2 was told never");
  }

  /** Its process was not told yet when the next era's index granted the lock to another. */
  @Test
  void grants_thatSpanTheDeletion_areNotChecked() {
    held(10, 20, 107, "c1", 500);
    held(103, 104, 140, "c2", 1_001); // of the next era, before the deletion was answered
    held(105, 108, 130, "c1", 501); // handed off, of the last
    held(99, 125, 150, "c3", 1_002);
    held(160, 165, 170, "c2", 1_003);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.VALID);
  }

  @Test
  void whatIsBroken_inALifeThatIsNotTheLast_isFound_andTold() {
    held(10, 20, 80, "c1", 5);
    held(30, 40, 90, "c2", 6);
    held(130, 140, 150, "c1", 1_001);

    Result result = check(Deletion.inEachLife(new MutualExclusionChecker()));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.summary()).contains("in 1 it was broken").contains("broken 1 time");
  }

  @Test
  void otherCheckers_findWhatIsBrokenInALife() {
    script.acquired(10, 20, "c1", 5, 50);
    script.acquired(30, 40, "c2", 6, TTL); // before the lease of c1 could have ended
    script.acquired(130, 140, "c1", 1_001, TTL);
    script.released(150, 155, "c1", 1_001);
    script.renewed(160, 165, "c1", 1_001, TTL);

    assertThat(check(Deletion.inEachLife(new TtlExpiryChecker(0))).verdict())
        .isEqualTo(Verdict.INVALID);
    assertThat(check(Deletion.inEachLife(new RenewalChecker())).verdict())
        .isEqualTo(Verdict.INVALID);
  }

  /** The first life cannot be judged, whatever is said of the second. */
  @Test
  void lifeThatTheCheckerGaveUpOn_isNotPassedOver() {
    Checker givesUp =
        new Checker() {
          @Override
          public String name() {
            return "gives-up";
          }

          @Override
          public Result check(History history) {
            Verdict verdict =
                history.calls().size() > 4
                    ? Verdict.INVALID
                    : history.calls().get(0).fence().getAsLong() == 5
                        ? Verdict.UNKNOWN
                        : Verdict.VALID;
            return new Result(name(), verdict, "The limit was hit.", List.of("Not checked: a."));
          }
        };
    held(10, 20, 80, "c1", 5);
    held(130, 140, 150, "c1", 1_001);
    Result result = check(Deletion.inEachLife(givesUp));
    assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(result.summary()).contains("1 of 2 lives", "The limit was hit.");
    assertThat(result.details()).containsExactly("Not checked: a.");

    held(160, 165, 170, "c2", 1_002);
    held(175, 180, 190, "c2", 1_003);
    assertThat(check(Deletion.inEachLife(givesUp)).verdict()).isEqualTo(Verdict.INVALID);
  }

  @Test
  void fencesThatWentBack_areFoundBesideALifeWithoutGrants() {
    held(10, 20, 30, "c1", 5);
    held(40, 50, 60, "c2", 4);
    assertThat(check(Deletion.fencing()).verdict()).isEqualTo(Verdict.INVALID);
  }

  @Test
  void livesWithoutAnything_areUnknown() {
    assertThat(check(Deletion.inEachLife(new MutualExclusionChecker())).verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void outlived_byNoMoreThanATtl_isValid_byMore_isInvalid() {
    Checker checker = Deletion.outlivedBy(Duration.ofMillis(50));
    script.acquired(10, 20, "c1", 5, 50);
    script.renewed(90, 95, "c1", 5, 60); // until 150
    script.acquired(130, 140, "c2", 1_001, TTL); // of the next life
    assertThat(check(checker).verdict()).isEqualTo(Verdict.VALID);

    script.renewed(125, 130, "c1", 5, 50); // by whom, when the index is gone?
    assertThat(check(checker).verdict()).isEqualTo(Verdict.INVALID);

    script = new HistoryScript();
    script.acquired(10, 20, "c1", 5, TTL);
    assertThat(check(checker).summary()).contains("0 deletions");
  }

  @Test
  void told_whoGaveItBackMeanwhile_doesNotCount() {
    script.acquired(10, 20, "c1", 5, TTL);
    script.lost(140, "c1", 5);
    held(30, 40, 120, "c2", 6);
    assertThat(check(Deletion.told(Duration.ofMillis(50))).verdict()).isEqualTo(Verdict.VALID);
  }

  @Test
  void told_inTime_late_andNever() {
    Checker checker = Deletion.told(Duration.ofMillis(50));
    script.acquired(10, 20, "c1", 5, TTL);
    script.lost(140, "c1", 5);
    assertThat(check(checker).verdict()).isEqualTo(Verdict.VALID);

    script.acquired(30, 40, "c2", 6, TTL);
    script.lost(170, "c2", 6);
    assertThat(check(checker).verdict()).isEqualTo(Verdict.INVALID);

    script.acquired(50, 60, "c3", 7, TTL);
    assertThat(check(checker).details()).hasSize(2);
  }

  @Test
  void withoutADeletion_allIsOneLife() {
    script = new HistoryScript();
    held(10, 20, 80, "c1", 5);
    assertVerdicts(Verdict.VALID, Verdict.UNKNOWN, Verdict.VALID);
    assertThat(check(Deletion.told(Duration.ofSeconds(1))).verdict()).isEqualTo(Verdict.UNKNOWN);

    held(60, 70, 90, "c2", 4);
    assertVerdicts(Verdict.INVALID, Verdict.UNKNOWN, Verdict.INVALID);
  }
}
