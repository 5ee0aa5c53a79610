package dev.holdfast.history.check;

import static dev.holdfast.history.check.Verdict.INVALID;
import static dev.holdfast.history.check.Verdict.UNKNOWN;
import static dev.holdfast.history.check.Verdict.VALID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class CheckersTest {

  private static final History EMPTY = new HistoryScript().build();

  @Test
  void and_allPairs_invalidBeatsUnknownBeatsValid() {
    assertThat(VALID.and(VALID)).isEqualTo(VALID);
    assertThat(VALID.and(UNKNOWN)).isEqualTo(UNKNOWN);
    assertThat(UNKNOWN.and(VALID)).isEqualTo(UNKNOWN);
    assertThat(UNKNOWN.and(INVALID)).isEqualTo(INVALID);
    assertThat(INVALID.and(UNKNOWN)).isEqualTo(INVALID);
    assertThat(INVALID.and(VALID)).isEqualTo(INVALID);
  }

  @Test
  void text_isWhatPagesShow() {
    assertThat(List.of(VALID, INVALID, UNKNOWN))
        .extracting(Verdict::text)
        .containsExactly("valid", "invalid", "unknown");
  }

  @Test
  void compose_aCheckerThatThrows_isUnknownAndTheOthersRun() {
    Result result =
        Checkers.compose(
                history -> {
                  throw new AssertionError("out of luck");
                },
                always(VALID))
            .check(EMPTY);
    assertThat(result.verdict()).isEqualTo(UNKNOWN);
    assertThat(result.parts()).extracting(Result::verdict).containsExactly(UNKNOWN, VALID);
    assertThat(result.parts().get(0).summary()).contains("out of luck");
    assertThat(result.summary())
        .startsWith("Not checked, and none seen broken: ")
        .endsWith(" (1 of 2).");
  }

  @Test
  void checkers_haveTheNamesThatPagesShow() {
    assertThat(
            List.of(
                new MutualExclusionChecker(),
                new FencingChecker(),
                new RenewalChecker(),
                new TtlExpiryChecker(0),
                new LossNoticeChecker(),
                new AvailabilityChecker(0, null),
                Checkers.compose(new FencingChecker())))
        .extracting(Checker::name)
        .containsExactly(
            "mutual-exclusion",
            "fencing",
            "renewal",
            "ttl-expiry",
            "loss-notice",
            "availability",
            "all");
  }

  @Test
  void compose_allValid_saysHowMany() {
    assertThat(Checkers.compose(always(VALID), always(VALID)).check(EMPTY).summary())
        .isEqualTo("All 2 checks passed.");
  }

  @Test
  void compose_oneInvalid_isInvalid() {
    Result result = Checkers.compose(always(UNKNOWN), always(INVALID), always(VALID)).check(EMPTY);
    assertThat(result.verdict()).isEqualTo(INVALID);
    assertThat(result.summary()).isEqualTo("Broken: always (1 of 3).");
  }

  @Test
  void compose_nothing_isRefused() {
    assertThatThrownBy(Checkers::compose).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Checkers.compose(Duration.ZERO, always(VALID)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void compose_several_runAtTheSameTime() {
    int atOnce = Math.min(2, Runtime.getRuntime().availableProcessors());
    CyclicBarrier barrier = new CyclicBarrier(atOnce);
    Checker meeting =
        history -> {
          try {
            barrier.await(1, TimeUnit.MINUTES); // ends at once if the other one is there
          } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
          }
          return always(VALID).check(history);
        };
    assertThat(Checkers.compose(meeting, meeting).check(EMPTY).verdict()).isEqualTo(VALID);
  }

  @Test
  void compose_aCheckerThatDoesNotEnd_isInterruptedAndUnknown() throws InterruptedException {
    CountDownLatch interrupted = new CountDownLatch(1);
    Checker endless =
        history -> {
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
          }
          return always(VALID).check(history);
        };
    Result result =
        Checkers.compose(Duration.ofMillis(50), endless, always(INVALID), always(VALID))
            .check(EMPTY);
    assertThat(result.parts().get(0).verdict()).isEqualTo(UNKNOWN);
    assertThat(result.parts().get(0).summary()).isEqualTo("Not checked: not done within 0.050 s.");
    assertThat(interrupted.await(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void compose_onAnInterruptedThread_isUnknownAndStaysInterrupted() {
    Thread.currentThread().interrupt();
    Result result = Checkers.compose(always(VALID), always(VALID)).check(EMPTY);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(result.verdict()).isEqualTo(UNKNOWN);
  }

  @Test
  void result_tooManyDetails_saysHowManyWereLeftOut() {
    Result result = new Result("x", INVALID, "s", Collections.nCopies(250, "d"));
    assertThat(result.details()).hasSize(101).last().isEqualTo("and 150 more");
    assertThat(new Result("x", INVALID, "s", result.details(), List.of())).isEqualTo(result);
  }

  private static Checker always(Verdict verdict) {
    return history -> new Result("always", verdict, "So it is.", List.of());
  }
}
