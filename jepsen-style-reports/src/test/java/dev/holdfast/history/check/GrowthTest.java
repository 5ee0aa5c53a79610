package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.SampleHistory;
import dev.holdfast.history.Vocabulary;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The work grows with the length of a history, and not with its square: counted in steps and in
 * bytes, which are the same on a slow machine.
 */
class GrowthTest {

  private static final int SMALL = 10_000;
  private static final int TIMES = 4;

  /** Near-linear work grows by a little more than the length, quadratic work by its square. */
  private static final double MOST = 1.5 * TIMES;

  @Test
  void search_oneLock_takesFewStepsForEachOperation() {
    assertThat(steps(SMALL)).isLessThan(10L * SMALL);
    assertThat(steps(TIMES * SMALL)).isLessThan((long) (MOST * steps(SMALL)));
  }

  private static long steps(int operations) {
    List<Step> steps = new ArrayList<>();
    History history = sample(operations, 1);
    history
        .calls()
        .forEach(
            call -> {
              if (!call.isFailed() && !call.f().equals(Vocabulary.WRITE)) {
                steps.add(Step.of(call));
              }
            });
    history.notices().forEach(notice -> steps.add(Step.loss(notice)));
    Search.Budget budget = new Search.Budget(System.nanoTime() + Duration.ofMinutes(5).toNanos());
    assertThat(Search.run(Model.named("lease"), steps, budget))
        .isEqualTo(Search.SearchOutcome.ORDER);
    return Search.count(Model.named("lease"), steps, budget);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100})
  void intervals_anyLocks_takeMemoryForEachOperation(int locks) {
    List<Operation> small = sample(SMALL, locks).operations();
    List<Operation> large = sample(TIMES * SMALL, locks).operations();
    for (Checker checker :
        List.of(
            new MutualExclusionChecker(),
            new FencingChecker(),
            new TtlExpiryChecker(0.02, Duration.ofSeconds(5)),
            new LossNoticeChecker(),
            new RenewalChecker(),
            new AvailabilityChecker())) {
      long unused = bytes(checker, small); // classes are loaded, once
      assertThat(bytes(checker, large))
          .as(checker.name())
          .isLessThan((long) (MOST * bytes(checker, small)));
    }
  }

  private static long bytes(Checker checker, List<Operation> operations) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    History history = History.of(operations);
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThat(checker.check(history).verdict()).as(checker.name()).isEqualTo(Verdict.VALID);
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  @Test
  void budget_smallerThanTheSearch_isUnknownInsteadOfTooMuchMemory() {
    Search.Budget none =
        new Search.Budget(System.nanoTime() + Duration.ofMinutes(5).toNanos(), 100);
    List<Step> steps = new ArrayList<>();
    sample(SMALL, 1).calls().stream()
        .filter(call -> call.f().equals(Vocabulary.ACQUIRE) || call.f().equals(Vocabulary.RELEASE))
        .filter(call -> !call.isFailed())
        .forEach(call -> steps.add(Step.of(call)));
    assertThat(Search.run(Model.named("lease"), steps, none))
        .isEqualTo(Search.SearchOutcome.GAVE_UP);
  }

  private static History sample(int operations, int locks) {
    List<Operation> made = new ArrayList<>();
    SampleHistory.make(operations, locks, 1, made::add);
    return History.of(made);
  }
}
