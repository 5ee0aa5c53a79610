package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CleanupBudgetTest {
  private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
  private final ArrayDeque<Long> delays = new ArrayDeque<>();
  private final List<String> looks = new ArrayList<>();
  private long now = 17;
  private boolean clockFails;

  private final CleanupBudget budget =
      new CleanupBudget(
          () -> {
            if (clockFails) {
              clockFails = false;
              throw new IllegalStateException("no clock");
            }
            return now;
          },
          (task, delayNanos) -> {
            timers.add(task);
            delays.add(delayNanos);
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

  @Test
  void look_whoseTimerBreaksOff_beginsWithTheNextTimer() {
    exhaust();
    budget.look(() -> looks.add("late"));
    now += CleanupBudget.MIN_INTERVAL_NANOS;

    clockFails = true;
    assertThatThrownBy(() -> timers.remove().run()).hasMessage("no clock");
    assertThat(timers).as("timers").hasSize(1);
    timers.remove().run();

    assertThat(looks).endsWith("late");
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

  @Test
  void look_beyondTheBurst_isDueWhenTheIntervalHasPassed_notBefore() {
    exhaust();
    budget.look(() -> looks.add("late"));
    assertThat(delays).containsExactly(CleanupBudget.MIN_INTERVAL_NANOS);

    now += CleanupBudget.MIN_INTERVAL_NANOS - 1;
    timers.remove().run();
    assertThat(looks).doesNotContain("late");
    assertThat(delays).last().isEqualTo(1L);

    now += 1;
    timers.remove().run();
    assertThat(looks).endsWith("late");
  }

  /** The bucket is full again, and no fuller, however long the pause was. */
  @Test
  void looks_afterALongPause_areABurst() {
    exhaust();
    now += 1_000 * CleanupBudget.MAX_INTERVAL_NANOS;
    exhaust();
    assertThat(timers).isEmpty();

    budget.look(() -> looks.add("late"));
    assertThat(timers).hasSize(1);
    assertThat(looks).doesNotContain("late");
  }

  @Test
  void interval_doublesWithEachLookThatIsNotAnswered_upToItsBound_andHalvesWithEachThatIs() {
    exhaust();
    budget.look(() -> {});
    long interval = CleanupBudget.MIN_INTERVAL_NANOS;
    while (interval < CleanupBudget.MAX_INTERVAL_NANOS) {
      budget.looked(false);
      interval = Math.min(2 * interval, CleanupBudget.MAX_INTERVAL_NANOS);
      assertThat(nextDelay()).isEqualTo(interval);
    }
    budget.looked(false);
    assertThat(nextDelay()).isEqualTo(CleanupBudget.MAX_INTERVAL_NANOS);
    while (interval > CleanupBudget.MIN_INTERVAL_NANOS) {
      budget.looked(true);
      interval = Math.max(interval / 2, CleanupBudget.MIN_INTERVAL_NANOS);
      assertThat(nextDelay()).isEqualTo(interval);
    }
    budget.looked(true);
    assertThat(nextDelay()).isEqualTo(CleanupBudget.MIN_INTERVAL_NANOS);
  }

  /** The timer fires too early, and is set again for what is left: a whole interval. */
  private long nextDelay() {
    timers.remove().run();
    return delays.getLast();
  }

  private void exhaust() {
    for (int i = 0; i < CleanupBudget.BURST; i++) {
      budget.look(() -> looks.add("look"));
    }
  }
}
