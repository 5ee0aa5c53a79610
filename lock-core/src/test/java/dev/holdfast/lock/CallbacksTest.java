package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where users' code runs, whatever their executor does; each task once. */
@Timeout(120)
class CallbacksTest {
  private final Timers timers = new Timers(null, true, null);
  private final List<Runnable> given = Collections.synchronizedList(new ArrayList<>());
  private final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
  private final List<Callbacks> made = new ArrayList<>();

  @AfterEach
  void close() {
    made.forEach(Callbacks::close);
    timers.close();
  }

  private Callbacks callbacks(
      @Nullable Executor executor, boolean driven, @Nullable Executor spare) {
    Callbacks callbacks = new Callbacks(executor, driven, timers, spare);
    made.add(callbacks);
    return callbacks;
  }

  private Callbacks onRealThreads(@Nullable Executor executor) {
    return callbacks(executor, false, null);
  }

  /** A task, and what is counted down when it runs. */
  private CountDownLatch execute(Callbacks callbacks) {
    CountDownLatch ran = new CountDownLatch(1);
    callbacks.execute(
        () -> {
          threads.add(Thread.currentThread());
          ran.countDown();
        });
    return ran;
  }

  private static void await(CountDownLatch ran) throws InterruptedException {
    assertThat(ran.await(60, TimeUnit.SECONDS)).as("the task ran").isTrue();
  }

  @Test
  void task_runsOnTheUsersExecutor() throws Exception {
    CountDownLatch handed = new CountDownLatch(1);
    await(
        execute(
            onRealThreads(
                task -> {
                  handed.countDown();
                  task.run();
                })));

    // Where threads are slow, the task may have run before, elsewhere.
    await(handed);
    assertThat(threads).hasSize(1).doesNotContain(Thread.currentThread());
  }

  @Test
  void task_withoutAnExecutorOfTheUser_runsOnAnOwnThread() throws Exception {
    await(execute(onRealThreads(null)));

    assertThat(threads).hasSize(1).doesNotContain(Thread.currentThread());
  }

  @Test
  void task_thatTheExecutorRejects_runsOnAnOwnThread() throws Exception {
    CountDownLatch handed = new CountDownLatch(1);
    await(
        execute(
            onRealThreads(
                task -> {
                  handed.countDown();
                  throw new RejectedExecutionException("full");
                })));

    await(handed);
    assertThat(threads).hasSize(1);
  }

  @Test
  void task_thatTheExecutorKeeps_runsOnAnOwnThread_andOnceOnly() throws Exception {
    await(execute(onRealThreads(given::add)));

    given.forEach(Runnable::run);
    assertThat(threads).hasSize(1);
  }

  @Test
  void task_thatTheExecutorStillKeepsAtTheEnd_runs_thoughThereAreNoTimers() throws Exception {
    Callbacks callbacks = onRealThreads(given::add);
    CountDownLatch ran = execute(callbacks);
    timers.close();

    callbacks.close();

    await(ran);
  }

  @Test
  void task_afterTheEnd_isNotGivenToTheUsersExecutor() throws Exception {
    Callbacks callbacks = onRealThreads(given::add);
    callbacks.close();

    await(execute(callbacks));

    assertThat(given).isEmpty();
  }

  @Test
  void tasks_forWhichThereIsNoThread_runAsSoonAsThereIs() throws Exception {
    AtomicInteger failures = new AtomicInteger(4);
    Callbacks callbacks =
        callbacks(
            null,
            false,
            task -> {
              if (failures.getAndDecrement() > 0) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              task.run();
            });
    CountDownLatch first = execute(callbacks);
    CountDownLatch second = execute(callbacks);

    await(first);
    await(second);
    assertThat(threads).hasSize(2);
  }

  @Test
  void executor_ofAnEngineThatIsDriven_isCalledAtOnce() {
    Callbacks callbacks = callbacks(given::add, true, null);

    CountDownLatch ran = execute(callbacks);

    assertThat(given).hasSize(1);
    given.forEach(Runnable::run);
    assertThat(ran.getCount()).isZero();
  }

  /** Users' code is never run in the midst of the engine. */
  @Test
  void executor_ofAnEngineThatIsDriven_thatRunsTasksInItsCaller_isRelieved() {
    List<Runnable> spare = new ArrayList<>();
    Callbacks callbacks = callbacks(Runnable::run, true, spare::add);

    CountDownLatch ran = execute(callbacks);

    assertThat(ran.getCount()).isEqualTo(1);
    spare.forEach(Runnable::run);
    assertThat(ran.getCount()).isZero();
  }
}
