package dev.holdfast.concurrency;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LockOperations;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A lock, and the store in memory, answer as if operations came one after the other, in scenarios
 * that Lincheck makes up.
 */
class LinearizabilityTest {
  private static final int SCENARIOS = Settings.LONG ? 100 : 3;
  private static final int ORDERS = Settings.LONG ? 1_000 : 100;

  /** Of each scenario, in stress mode: real threads that meet are slow on few processors. */
  private static final int STRESS_RUNS = 100;

  private static final int LOCK_SCENARIOS = Settings.LONG ? 10 : 2;
  private static final int LOCK_ORDERS = Settings.LONG ? 500 : 20;

  @Test
  void store_inMemory_isLinearizable_inAnyOrder() {
    assertThatCode(() -> modelChecking().check(StoreOperations.class)).doesNotThrowAnyException();
  }

  @Test
  void store_inMemory_isLinearizable_onRealProcessors() {
    assertThatCode(() -> stress().check(StoreOperations.class)).doesNotThrowAnyException();
  }

  @Test
  void store_withoutItsLocks_isFoundByTheModelChecker() {
    assertThatThrownBy(
            () -> modelChecking().iterations(100).check(StoreOperations.Unsynchronized.class))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Invalid execution results");
  }

  @ParameterizedTest
  @ValueSource(classes = {LockOperations.class, LockOperations.Lingering.class})
  void lock_isLinearizable_inAnyOrder(Class<?> operations) {
    assertThatCode(() -> locks().check(operations)).doesNotThrowAnyException();
  }

  static ModelCheckingOptions locks() {
    return Explorer.options()
        .iterations(LOCK_SCENARIOS)
        .invocationsPerIteration(LOCK_ORDERS)
        .threads(2)
        .actorsPerThread(2)
        .actorsBefore(1)
        .actorsAfter(1);
  }

  private static ModelCheckingOptions modelChecking() {
    return new ModelCheckingOptions()
        .iterations(SCENARIOS)
        .invocationsPerIteration(ORDERS)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(1)
        .actorsAfter(1)
        .sequentialSpecification(StoreOperations.class);
  }

  private static StressOptions stress() {
    return new StressOptions()
        .iterations(SCENARIOS)
        .invocationsPerIteration(STRESS_RUNS)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(1)
        .actorsAfter(1)
        .sequentialSpecification(StoreOperations.class);
  }
}
