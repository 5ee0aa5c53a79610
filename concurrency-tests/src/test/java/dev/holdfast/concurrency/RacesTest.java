package dev.holdfast.concurrency;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The library as it is: no order of the steps of two threads breaks it. */
class RacesTest {

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "TIMER_SLEEP")
  void race_inAnyOrder_breaksNothing(Subject subject) {
    assertThatCode(() -> Explorer.explore(subject, Explorer.ORDERS)).doesNotThrowAnyException();
  }
}
