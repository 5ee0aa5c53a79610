package dev.holdfast.chaos.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BoundedExecutorTest {
  private final AtomicLong rejectedTasks = new AtomicLong();
  private final BoundedExecutor executor = new BoundedExecutor(2, rejectedTasks);

  private boolean runs() throws InterruptedException {
    CountDownLatch run = new CountDownLatch(1);
    executor.execute(run::countDown);
    return run.await(30, TimeUnit.SECONDS);
  }

  @RepeatedTest(20)
  void starved_rejectsTasks_untilItIsFed() throws Exception {
    assertThat(runs()).isTrue();

    executor.starve();
    assertThatThrownBy(() -> executor.execute(() -> {}))
        .isInstanceOf(RejectedExecutionException.class);
    assertThat(rejectedTasks).hasValue(1);

    executor.feed();
    boolean accepted = false;
    while (!accepted) {
      try {
        accepted = runs();
      } catch (RejectedExecutionException e) {
        TimeUnit.MILLISECONDS.sleep(1); // its threads have not emptied the queue yet
      }
    }
  }
}
