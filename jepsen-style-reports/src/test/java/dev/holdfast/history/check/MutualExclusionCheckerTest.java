package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MutualExclusionCheckerTest {

  @Test
  void check_oneAfterTheOther_isValid() {
    Result result =
        check(
            new HistoryScript()
                .acquired(0, 10, "c1", 1, 1000)
                .released(100, 110, "c1", 1)
                .acquired(90, 100, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(result.summary())
        .isEqualTo("Nobody held a lock while another did: 2 leases on 1 lock.");
  }

  @Test
  void check_takeoverAfterTheEnd_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .acquired(900, 1001, "c2", 2, 1000))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_differentLocks_isValid() {
    assertThat(
            check(
                    new HistoryScript()
                        .ok(0, 10, "acquire", "lock", "a", "client", "c1")
                        .ok(0, 10, "acquire", "lock", "b", "client", "c2"))
                .verdict())
        .isEqualTo(Verdict.VALID);
  }

  @Test
  void check_twoAtOnce_isInvalidAndNamesBoth() {
    Result result =
        check(new HistoryScript().acquired(0, 10, "c1", 1, 1000).acquired(500, 600, "c2", 2, 1000));
    assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
    assertThat(result.details())
        .containsExactly(
            "c1 and c2 both held lock \"a\" from 0.600 s to 1.000 s: acquire of \"a\" by c1"
                + " (operations 0 and 1, fence 1, 0.000 s to 0.010 s), and acquire of \"a\" by c2"
                + " (operations 2 and 3, fence 2, 0.500 s to 0.600 s).");
  }

  @Test
  void check_renewedAfterTheTakeover_isInvalid() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 1000)
                        .acquired(1100, 1110, "c2", 2, 1000)
                        .renewed(1200, 1210, "c1", 1, 1000))
                .verdict())
        .isEqualTo(Verdict.INVALID);
  }

  @Test
  void check_aLongLeaseOverTwoShortOnes_isInvalidTwice() {
    assertThat(
            check(
                    new HistoryScript()
                        .acquired(0, 10, "c1", 1, 10_000)
                        .acquired(100, 110, "c2", 2, 100)
                        .acquired(300, 310, "c3", 3, 100))
                .details())
        .hasSize(2);
  }

  @Test
  void check_nothingGranted_isUnknown() {
    assertThat(check(new HistoryScript().invoked(0, "acquire", "lock", "a")).verdict())
        .isEqualTo(Verdict.UNKNOWN);
  }

  /** By intervals and by the search for an order: what the first finds broken, the second does. */
  @Test
  void check_randomLeases_neverFindsMoreThanTheSearchForAnOrder() {
    SplittableRandom random = new SplittableRandom(4);
    int broken = 0;
    for (int i = 0; i < 10_000; i++) {
      HistoryScript script = new HistoryScript();
      for (int fence = 1; fence <= 4; fence++) {
        String client = "c" + random.nextInt(3);
        long from = random.nextInt(40);
        script.acquired(from, from + random.nextInt(8), client, fence, 1 + random.nextInt(20));
        long later = from + random.nextInt(30);
        if (random.nextInt(3) > 0) {
          script.released(later, later + random.nextInt(5), client, fence);
        } else if (random.nextBoolean()) {
          script.renewed(later, later + random.nextInt(5), client, fence, 10);
        }
      }
      if (check(script).verdict() == Verdict.INVALID) {
        broken++;
        assertThat(asLease(script.build()))
            .as("%s", script.build().operations())
            .isEqualTo(Verdict.INVALID);
      }
    }
    assertThat(broken).isGreaterThan(1_000);
  }

  /**
   * Where each call is answered before its lease ends, clients act while theirs last, and tokens
   * rise with the answers, exclusion is all that can go wrong: both say the same.
   */
  @Test
  void check_randomLeasesOfWellBehavedClients_agreesWithTheSearchForAnOrder() {
    SplittableRandom random = new SplittableRandom(5);
    int broken = 0;
    for (int i = 0; i < 10_000; i++) {
      HistoryScript script = new HistoryScript();
      long answered = 0;
      for (int fence = 1; fence <= 4; fence++) {
        answered += 1 + random.nextInt(25);
        long asked = Math.max(0, answered - random.nextInt(8));
        long ttl = 10 + random.nextLong(10);
        long end = asked + ttl;
        String client = "c" + fence;
        script.acquired(asked, answered, client, fence, ttl);
        if (random.nextInt(4) == 0) {
          long renewed = answered + random.nextLong(end - answered);
          script.renewed(renewed, renewed, client, fence, ttl);
          end = renewed + ttl;
          answered = renewed;
        }
        if (random.nextInt(3) > 0) {
          long released = answered + 1 + random.nextLong(end - answered - 1);
          script.released(released, released + random.nextInt(5), client, fence);
        }
      }
      Verdict verdict = check(script).verdict();
      broken += verdict == Verdict.INVALID ? 1 : 0;
      assertThat(asLease(script.build())).as("%s", script.build().operations()).isEqualTo(verdict);
    }
    assertThat(broken).isBetween(1_000, 9_000);
  }

  private static Verdict asLease(History history) {
    return new LinearizabilityChecker("lease", Duration.ofMinutes(1)).check(history).verdict();
  }

  private static Result check(HistoryScript script) {
    return new MutualExclusionChecker().check(script.build());
  }
}
