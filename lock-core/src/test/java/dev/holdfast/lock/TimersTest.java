package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Timers on a user's scheduler, and on the own thread where that one fails. */
class TimersTest {
  private static final Duration DELAY = Duration.ofSeconds(10);
  private static final Duration LATE = Duration.ofHours(1);

  private final VirtualTime time = new VirtualTime(1);
  private final VirtualTime.Machine given = time.machine("given");
  private final VirtualTime.Machine spare = time.machine("spare");
  private final List<String> ran = new ArrayList<>();

  @AfterEach
  void noTimerIsLeft() {
    assertThat(time.pending()).isZero();
  }

  private Scheduler.Timer schedule(Timers timers) {
    return timers.schedule(() -> ran.add("task"), DELAY.toNanos());
  }

  private Timers onRealTime(Scheduler scheduler) {
    return new Timers(scheduler, true, spare);
  }

  @Test
  void task_runsOnce_onTheUsersScheduler() {
    Scheduler.Timer unused = schedule(onRealTime(given));
    time.advance(DELAY);

    assertThat(ran).hasSize(1);
    assertThat(spare.pendingTimers()).as("timers in case the scheduler fails").isZero();
  }

  @Test
  void task_whoseSchedulerIsLate_runsOnTheOwnThread_once() {
    Scheduler.Timer unused =
        schedule(onRealTime((task, nanos) -> given.schedule(task, nanos + LATE.toNanos())));
    time.advance(DELAY.multipliedBy(2));
    assertThat(ran).hasSize(1);

    time.advance(LATE);
    assertThat(ran).hasSize(1);
  }

  @Test
  void task_thatTheSchedulerRejects_runsInTimeOnTheOwnThread() {
    Scheduler rejecting =
        (task, nanos) -> {
          throw new RejectedExecutionException("full");
        };
    for (boolean realTime : new boolean[] {true, false}) {
      ran.clear();
      Scheduler.Timer unused = schedule(new Timers(rejecting, realTime, spare));
      time.advance(DELAY);
      assertThat(ran).as("real time: %s", realTime).hasSize(1);
    }
  }

  /** Only the user's scheduler knows when it is time. */
  @Test
  void task_onAClockOfTheUser_isNotGivenToTheOwnThread() {
    Scheduler.Timer unused = schedule(new Timers(given, false, spare));

    assertThat(spare.pendingTimers()).isZero();
    time.advance(DELAY);
    assertThat(ran).hasSize(1);
  }

  @Test
  void cancel_endsBothTimers() {
    schedule(onRealTime(given)).cancel();

    assertThat(time.pending()).isZero();
    time.advance(LATE);
    assertThat(ran).isEmpty();
  }

  @Test
  void cancel_thatTheSchedulerFailsToDo_isDoneAllTheSame() {
    Scheduler failing =
        (task, nanos) -> {
          Scheduler.Timer unused = given.schedule(task, nanos);
          return () -> {
            throw new IllegalStateException("cannot cancel");
          };
        };

    schedule(onRealTime(failing)).cancel();
    time.advance(LATE);

    assertThat(ran).isEmpty();
  }

  @Test
  void timers_afterClose_areNotSet() {
    for (Scheduler scheduler : new Scheduler[] {given, null}) {
      Timers timers = onRealTime(scheduler);
      timers.close();

      Scheduler.Timer none = schedule(timers);

      none.cancel();
      assertThat(time.pending()).isZero();
    }
  }

  @Test
  void ownThread_afterClose_rejects() {
    Timers timers = new Timers(null, true, null);
    timers.close();

    assertThatThrownBy(() -> timers.onOwnThread(() -> {}, DELAY))
        .isInstanceOf(RejectedExecutionException.class);
  }
}
