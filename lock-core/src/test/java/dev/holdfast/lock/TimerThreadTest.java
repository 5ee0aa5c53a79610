package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The scheduler that managers have by default, on real time; nothing here says how fast it is. */
@Timeout(120)
class TimerThreadTest {
  private static final long MILLI = Duration.ofMillis(1).toNanos();
  private static final long HOUR = Duration.ofHours(1).toNanos();

  private final TimerThread timers = new TimerThread();

  @AfterEach
  void close() {
    timers.close();
  }

  private void run(Runnable task, long delayNanos) {
    Scheduler.Timer unused = timers.schedule(task, delayNanos);
  }

  @Test
  void timers_runInTheOrderOfTheirTimes_neverEarly() throws Exception {
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger early = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(20);
    List<Integer> delays = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      delays.add(200 + i * 10);
    }
    Collections.shuffle(delays, new Random(1));
    // All are set before the first is due, or a late one would not be out of order.
    long start = System.nanoTime();
    for (int delay : delays) {
      long due = start + delay * MILLI;
      run(
          () -> {
            if (System.nanoTime() - due < 0) {
              early.incrementAndGet();
            }
            order.add(delay);
            done.countDown();
          },
          Math.max(0, due - System.nanoTime()));
    }
    done.await();

    assertThat(early).hasValue(0);
    assertThat(order).hasSize(20);
    assertThat(order.subList(1, 20)).as("after the first").isSorted();
  }

  @Test
  void timer_thatIsSetLaterButDueSooner_wakesTheThread() throws Exception {
    CountDownLatch soon = new CountDownLatch(1);
    AtomicInteger far = new AtomicInteger();
    run(far::incrementAndGet, HOUR);
    run(soon::countDown, MILLI);

    soon.await();
    assertThat(far).hasValue(0);
  }

  /**
   * The thread falls asleep, until the far timer, at the very moment that the next one is set: its
   * setter watches it, and comes a little later each time. For two seconds at most, as watching is
   * slow where there is one processor.
   */
  @Test
  void timer_thatIsSetWhileTheThreadFallsAsleep_isNotMissed() {
    run(() -> {}, HOUR);
    AtomicInteger ran = new AtomicInteger();
    long start = System.nanoTime();
    for (int round = 1; round <= 300_000 && System.nanoTime() - start < 2_000 * MILLI; round++) {
      for (int pause = round % 97; pause > 0; pause--) {
        Thread.onSpinWait();
      }
      run(ran::incrementAndGet, 0);
      long set = System.nanoTime();
      while (ran.get() < round) {
        assertThat(System.nanoTime() - set).as("ns without being run").isLessThan(HOUR / 120);
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void timer_thatIsCancelled_doesNotRun() throws Exception {
    AtomicInteger ran = new AtomicInteger();
    CountDownLatch later = new CountDownLatch(1);
    Scheduler.Timer cancelled = timers.schedule(ran::incrementAndGet, HOUR / 3600);
    run(later::countDown, HOUR / 3600 + MILLI);

    cancelled.cancel();
    cancelled.cancel();
    later.await();

    assertThat(ran).hasValue(0);
  }

  @Test
  @GuardsAgainst(Pitfall.RENEWAL_TASK_DIES_SILENTLY)
  void task_thatThrows_stopsNoneOfTheLaterOnes() throws Exception {
    CountDownLatch later = new CountDownLatch(1);
    run(
        () -> {
          throw new IllegalStateException("a bug in a timer");
        },
        0);
    run(
        () -> {
          throw new AssertionError("another");
        },
        0);
    run(later::countDown, MILLI);

    assertThat(later.await(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void task_thatInterruptsItsThread_stopsNoneOfTheLaterOnes() throws Exception {
    CountDownLatch later = new CountDownLatch(1);
    run(() -> Thread.currentThread().interrupt(), 0);
    run(later::countDown, MILLI);

    assertThat(later.await(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void delay_thatIsHugeOrNegative_overflowsNothing() throws Exception {
    CountDownLatch now = new CountDownLatch(1);
    AtomicInteger far = new AtomicInteger();
    run(far::incrementAndGet, Long.MAX_VALUE);
    run(now::countDown, Long.MIN_VALUE);

    now.await();
    assertThat(far).hasValue(0);
  }

  @Test
  void close_endsTheThread_dropsTimers_andRefusesNewOnes() throws Exception {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    AtomicInteger ran = new AtomicInteger();
    run(() -> thread.complete(Thread.currentThread()), 0);
    Thread timer = thread.get();
    run(ran::incrementAndGet, HOUR);

    timers.close();
    timer.join();

    assertThat(timer.isDaemon()).isTrue();
    assertThat(ran).hasValue(0);
    assertThatThrownBy(() -> run(() -> {}, 0)).isInstanceOf(RejectedExecutionException.class);
  }
}
