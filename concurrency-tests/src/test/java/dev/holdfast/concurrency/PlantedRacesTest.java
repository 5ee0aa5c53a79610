package dev.holdfast.concurrency;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LockOperations;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The library with faults: there is an order of steps that shows each. */
@Tag(Settings.LONG_TAG)
class PlantedRacesTest {
  /** Most are found within a hundred. */
  private static final int ORDERS = 20_000;

  static {
    // Before the first race loads the library.
    Weaver.install(null);
  }

  @AfterEach
  void none() {
    Plant.take(null);
  }

  /** Those that are faults in any order of steps, not just to a processor that reorders them. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"TIMER_HAS_NO_FENCES", "FUTURE_STEP_IS_NOT_VOLATILE", "ABANDONED_IS_NOT_VOLATILE"})
  void plant_isFound(Plant plant) {
    Plant.take(plant);

    assertThatThrownBy(() -> Explorer.explore(plant.subject(), ORDERS))
        .isInstanceOf(AssertionError.class)
        .message()
        .containsPattern(Pattern.compile(plant.verdict()));
  }

  @Test
  void plant_inALock_isFoundInAScenario() {
    Plant.take(Plant.SERIAL_DOES_NOT_LOOK_AGAIN);

    assertThatThrownBy(
            () -> LinearizabilityTest.locks().iterations(100).check(LockOperations.class))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("hung");
  }

  /** So what is found is not the weaving itself. */
  @ParameterizedTest
  @MethodSource
  void race_withoutAPlant_breaksNothing(Subject subject) {
    assertThatCode(() -> Explorer.explore(subject, 50)).doesNotThrowAnyException();
  }

  static Stream<Subject> race_withoutAPlant_breaksNothing() {
    return Settings.LONG ? Stream.of(Subject.values()) : Stream.of(Subject.TIMER_SLEEP);
  }
}
