package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CleanupBudgetTest {
  private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
  private final List<String> looks = new ArrayList<>();
  private long now = 17;

  private final CleanupBudget budget =
      new CleanupBudget(
          () -> now,
          (task, delayNanos) -> {
            timers.add(task);
            return () -> {};
          });

  @Test
  void look_withinTheBurst_beginsAtOnce_andBeyondItWaits() {
    exhaust();
    budget.look(() -> looks.add("late"));
    assertThat(looks).hasSize(CleanupBudget.BURST);

    now += CleanupBudget.MIN_INTERVAL_NANOS;
    timers.remove().run();
    assertThat(looks).hasSize(CleanupBudget.BURST + 1).endsWith("late");
  }

  /** Else a clean-up that has ended would take the place of one that has not. */
  @Test
  void cancel_ofALookThatWaits_givesItsPlaceToTheNext() {
    exhaust();
    Runnable ended = () -> looks.add("ended");
    budget.look(ended);
    budget.look(() -> looks.add("next"));
    budget.cancel(ended);

    now += CleanupBudget.MIN_INTERVAL_NANOS;
    timers.remove().run();
    assertThat(looks).endsWith("next").doesNotContain("ended");
    assertThat(timers).as("nothing waits any more").isEmpty();
  }

  private void exhaust() {
    for (int i = 0; i < CleanupBudget.BURST; i++) {
      budget.look(() -> looks.add("look"));
    }
  }
}
