package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    assertThat(result.details())
        .singleElement()
        .asString()
        .contains("Nothing explains acquire of \"a\" by z (operations 6 and 7", "owner=y");
  }

  // --- Beside all orders

  /** Small random histories, most of them nearly right, and the verdict by trying all orders. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "mutex",
        "owner-mutex",
        "reentrant-mutex:2",
        "fenced-mutex",
        "semaphore:2",
        "lease",
        "register",
        "cas-register"
      })
  void check_randomHistories_agreesWithTryingAllOrders(String name) {
    SplittableRandom random = new SplittableRandom(name.hashCode());
    int valid = 0;
    int invalid = 0;
    for (int i = 0; i < 10_000; i++) {
      History history = random(random, name.endsWith("register"));
      Verdict verdict = new LinearizabilityChecker(name, LIMIT).check(history).verdict();
      if (verdict != Verdict.UNKNOWN) {
        boolean explained = BruteForce.explains(Model.named(name), history);
        assertThat(verdict)
            .as("%s", history.operations())
            .isEqualTo(explained ? Verdict.VALID : Verdict.INVALID);
        valid += explained ? 1 : 0;
        invalid += explained ? 0 : 1;
      }
    }
    assertThat(valid).as("valid ones").isGreaterThan(500);
    assertThat(invalid).as("invalid ones").isGreaterThan(500);
  }

  private static History random(SplittableRandom random, boolean register) {
    HistoryScript script = script();
    int calls = 2 + random.nextInt(4);
    for (int i = 0; i < calls; i++) {
      long from = random.nextInt(12);
      long to = from + random.nextInt(6);
      var type = random.nextInt(8) == 0 ? INFO : random.nextInt(10) == 0 ? FAIL : OK;
      if (register) {
        String f = List.of("read", "write", "cas").get(random.nextInt(2));
        script.call(from, to, type, f, "value", random.nextInt(2));
      } else {
        String f = List.of("acquire", "release", "renew").get(random.nextInt(2));
        String client = "c" + random.nextInt(2);
        script.call(
            from,
            to,
            type,
            f,
            "lock",
            "a",
            "client",
            client,
            "fence",
            1 + random.nextInt(3),
            "ttl",
            3);
      }
    }
    return script.build();
  }

  private static final dev.holdfast.history.Operation.Type OK =
      dev.holdfast.history.Operation.Type.OK;

  /** All subsets of what is open, in all orders that keep what was answered before in front. */
  private static final class BruteForce {
    private BruteForce() {}

    static boolean explains(Model model, History history) {
      List<Step> steps = new ArrayList<>();
      Set<String> ended = new HashSet<>();
      for (Call call : history.calls()) {
        if (!call.isFailed()) {
          steps.add(Step.of(call));
          if (call.isOk() && call.f().equals("release")) {
            ended.add(call.client() + call.fence());
          }
        }
      }
      if (model.hasExpiry()) {
        Set<String> once = new HashSet<>();
        for (Call call : history.calls()) {
          if (!call.isFailed()
              && call.f().equals("acquire")
              && !ended.contains(call.client() + call.fence())) {
            // The last of those that carry the same token counts.
            long end =
                history.calls().stream()
                    .filter(other -> !other.isFailed() && other.f().equals("acquire"))
                    .filter(other -> other.client().equals(call.client()))
                    .filter(other -> other.fence().equals(call.fence()))
                    .mapToLong(Call::invokedAt)
                    .max()
                    .orElseThrow();
            if (once.add(call.client() + call.fence())) {
              steps.add(Step.expiry(call, end + 3_000_000));
            }
          }
        }
      }
      return any(model, steps, new boolean[steps.size()], model.initial());
    }

    private static boolean any(Model model, List<Step> steps, boolean[] taken, Object state) {
      if (IntStream.range(0, taken.length).allMatch(i -> taken[i] || steps.get(i).open())) {
        return true;
      }
      for (int i = 0; i < taken.length; i++) {
        if (!taken[i] && mayComeNext(steps, taken, i)) {
          @Nullable Object next = model.next(state, steps.get(i));
          if (next != null) {
            taken[i] = true;
            boolean explained = any(model, steps, taken, next);
            taken[i] = false;
            if (explained) {
              return true;
            }
          }
        }
      }
      return false;
    }

    private static boolean mayComeNext(List<Step> steps, boolean[] taken, int step) {
      return IntStream.range(0, taken.length)
          .noneMatch(i -> !taken[i] && i != step && steps.get(i).to() < steps.get(step).from());
    }
  }
}
