package dev.holdfast.history.check;

import static dev.holdfast.history.check.Verdict.INVALID;
import static dev.holdfast.history.check.Verdict.UNKNOWN;
import static dev.holdfast.history.check.Verdict.VALID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import java.util.Collections;
import java.util.List;
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
        .startsWith("Not judged, and none seen broken: ")
        .endsWith(" (1 of 2).");
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
