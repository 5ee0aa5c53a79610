package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockManagerClosedException;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.quartz.JobBuilder;
import org.quartz.JobExecutionContext;
import org.quartz.JobExecutionException;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.TriggerBuilder;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.ConcurrentTaskScheduler;
import org.springframework.scheduling.concurrent.SimpleAsyncTaskScheduler;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.scheduling.quartz.SchedulerFactoryBean;

/** What runs under a lock when the context is closed may end before the lock manager is closed. */
@Timeout(120)
class DestructionOrderTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final InMemoryLockStore store = new InMemoryLockStore();
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(AopAutoConfiguration.class, HoldfastAutoConfiguration.class))
          .withBean(LockStore.class, () -> store);

  private static class Work {
    final CountDownLatch begun = new CountDownLatch(1);

    void run(BlockingQueue<String> events) {
      begun.countDown();
      try {
        // Long after the context has begun to close.
        Thread.sleep(1000);
        events.add("ended");
      } catch (InterruptedException e) {
        events.add("interrupted");
      }
    }
  }

  /** Does not refer to the lock manager, whose place in the order of creation is open then. */
  static class Job {
    final Work work = new Work();
    final BlockingQueue<String> events;

    Job(BlockingQueue<String> events) {
      this.events = events;
    }

    @Locked("job")
    public void run() {
      work.run(events);
      LockAssert.assertLocked("job");
      events.add("locked");
    }

    public void awaitBegin() throws InterruptedException {
      work.begun.await();
    }
  }

  /** Would begin again at once. */
  static class RepeatedJob extends Job {
    RepeatedJob(BlockingQueue<String> events) {
      super(events);
    }

    @Scheduled(fixedDelay = 1)
    @Locked("job")
    @Override
    public void run() {
      super.run();
    }
  }

  static class ScheduledJob extends Job {
    ScheduledJob(BlockingQueue<String> events) {
      super(events);
    }

    @Scheduled(fixedDelay = 1_000_000)
    @Locked("job")
    @Override
    public void run() {
      super.run();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableScheduling
  static class Scheduling {}

  private void closeWhileAScheduledJobRuns(ApplicationContextRunner scheduling) {
    closeWhileItRuns(
        scheduling.withBean(ScheduledJob.class, () -> new ScheduledJob(events)),
        ScheduledJob.class);
    assertThat(events).containsExactly("ended", "locked");
  }

  private void closeWhileItRuns(ApplicationContextRunner scheduling, Class<? extends Job> job) {
    AtomicReference<LockManager> locks = new AtomicReference<>();
    scheduling
        .withUserConfiguration(Scheduling.class)
        .run(
            context -> {
              locks.set(context.getBean(LockManager.class));
              context.getBean(job).awaitBegin();
            });
    assertThat(isClosed(Objects.requireNonNull(locks.get()))).isTrue();
    try (LockManager other = LockManager.create(store)) {
      assertThat(other.list()).isEmpty();
    }
  }

  private static boolean isClosed(LockManager locks) {
    try {
      locks.withLock("probe", () -> {});
      return false;
    } catch (LockManagerClosedException e) {
      return true;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void schedulerThatAwaitsTermination() {
    closeWhileAScheduledJobRuns(
        runner
            .withConfiguration(AutoConfigurations.of(TaskSchedulingAutoConfiguration.class))
            .withPropertyValues(
                "spring.task.scheduling.shutdown.await-termination=true",
                "spring.task.scheduling.shutdown.await-termination-period=60s"));
  }

  /** As with virtual threads. */
  @Test
  void schedulerWithAThreadForEachTask() {
    closeWhileAScheduledJobRuns(
        runner.withBean(
            "taskScheduler",
            SimpleAsyncTaskScheduler.class,
            () -> {
              SimpleAsyncTaskScheduler scheduler = new SimpleAsyncTaskScheduler();
              scheduler.setTaskTerminationTimeout(LIMIT.toMillis());
              return scheduler;
            }));
  }

  @Test
  void schedulerThatIsCreatedBeforeTheLockManager() {
    closeWhileAScheduledJobRuns(
        runner.withBean(
            "taskScheduler",
            ThreadPoolTaskScheduler.class,
            () -> {
              ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
              scheduler.setWaitForTasksToCompleteOnShutdown(true);
              scheduler.setAwaitTerminationSeconds((int) LIMIT.toSeconds());
              return scheduler;
            }));
  }

  /** Spring makes one of its own, which would interrupt the run, and begin others before. */
  @Test
  void schedulerThatIsNoBean() {
    closeWhileItRuns(repeatedJob(LIMIT), RepeatedJob.class);
    assertThat(events).containsExactly("ended", "locked");
  }

  @Test
  void schedulerThatIsNoBean_becauseSpringCannotChoose() {
    closeWhileItRuns(
        repeatedJob(LIMIT)
            .withBean("one", ThreadPoolTaskScheduler.class)
            .withBean("two", ThreadPoolTaskScheduler.class),
        RepeatedJob.class);
    assertThat(events).containsExactly("ended", "locked");
  }

  @Test
  void schedulerThatIsNoBean_interruptsARunThatTakesLongerThanTheTimeout() {
    closeWhileItRuns(repeatedJob(Duration.ofMillis(50)), RepeatedJob.class);
    assertThat(events).first().isEqualTo("interrupted");
  }

  private ApplicationContextRunner repeatedJob(Duration timeout) {
    return runner
        .withConfiguration(AutoConfigurations.of(LifecycleAutoConfiguration.class))
        .withPropertyValues("spring.lifecycle.timeout-per-shutdown-phase=" + timeout)
        .withBean(RepeatedJob.class, () -> new RepeatedJob(events));
  }

  static class Heartbeat {
    final Semaphore beats = new Semaphore(0);

    @Scheduled(fixedDelay = 1)
    public void beat() {
      beats.release();
    }
  }

  /** Stops when schedulers have stopped. */
  static class StopsLate implements SmartLifecycle {
    final Heartbeat heartbeat;
    final BlockingQueue<String> events;
    volatile boolean running;

    StopsLate(Heartbeat heartbeat, BlockingQueue<String> events) {
      this.heartbeat = heartbeat;
      this.events = events;
    }

    @Override
    public void start() {
      running = true;
    }

    @Override
    public void stop() {
      running = false;
      int unused = heartbeat.beats.drainPermits();
      try {
        events.add(
            heartbeat.beats.tryAcquire(2, LIMIT.toSeconds(), TimeUnit.SECONDS)
                ? "goes on"
                : "was stopped");
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public boolean isRunning() {
      return running;
    }

    @Override
    public int getPhase() {
      return 0;
    }
  }

  /** The application may want it to go on until beans are destroyed. */
  @Test
  void schedulerOfTheApplication_isLeftToIt() {
    ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    try {
      Heartbeat heartbeat = new Heartbeat();
      runner
          .withUserConfiguration(Scheduling.class)
          .withBean("own", TaskScheduler.class, () -> new ConcurrentTaskScheduler(thread))
          .withBean(Heartbeat.class, () -> heartbeat)
          .withBean(StopsLate.class, () -> new StopsLate(heartbeat, events))
          .run(context -> assertThat(context).hasNotFailed());
      assertThat(events).containsExactly("goes on");
    } finally {
      thread.shutdownNow();
    }
  }

  /** Knows no bean by itself: Quartz makes it. */
  public static class QuartzJob implements org.quartz.Job {
    @Override
    public void execute(JobExecutionContext context) throws JobExecutionException {
      try {
        Objects.requireNonNull((Job) context.getScheduler().getContext().get("job")).run();
      } catch (SchedulerException e) {
        throw new JobExecutionException(e);
      }
    }
  }

  @Test
  void schedulerOfQuartz_awaitsItsJobs() {
    runner
        .withBean(
            "quartz",
            SchedulerFactoryBean.class,
            () -> {
              SchedulerFactoryBean scheduler = new SchedulerFactoryBean();
              scheduler.setWaitForJobsToCompleteOnShutdown(true);
              return scheduler;
            })
        .withBean(Job.class, () -> new Job(events))
        .run(
            context -> {
              Job job = context.getBean(Job.class);
              Scheduler quartz = context.getBean(Scheduler.class);
              quartz.getContext().put("job", job);
              quartz.scheduleJob(
                  JobBuilder.newJob(QuartzJob.class).build(),
                  TriggerBuilder.newTrigger().startNow().build());
              job.awaitBegin();
            });
    assertThat(events).containsExactly("ended", "locked");
  }

  @Test
  void executor_awaitsItsTasks() {
    runner
        .withBean(
            "executor",
            ThreadPoolTaskExecutor.class,
            () -> {
              ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
              executor.setWaitForTasksToCompleteOnShutdown(true);
              executor.setAwaitTerminationSeconds((int) LIMIT.toSeconds());
              return executor;
            })
        .withBean(Job.class, () -> new Job(events))
        .run(
            context -> {
              Job job = context.getBean(Job.class);
              context.getBean("executor", Executor.class).execute(job::run);
              job.awaitBegin();
            });
    assertThat(events).containsExactly("ended", "locked");
  }

  /** Like a body that runs on a thread that no bean knows of. */
  static class Last implements DisposableBean {
    final Job job;

    Last(Job job) {
      this.job = job;
    }

    @Override
    public void destroy() {
      job.run();
    }
  }

  @Test
  void beanThatCallsALockedMethodWhenItIsDestroyed() {
    runner
        .withBean(Job.class, () -> new Job(events))
        .withBean(Last.class)
        .run(context -> assertThat(context).hasNotFailed());
    assertThat(events).containsExactly("ended", "locked");
  }

  static class OwnExecutor implements Executor, DisposableBean {
    final BlockingQueue<String> events;
    final AtomicReference<LockManager> locks = new AtomicReference<>();

    OwnExecutor(BlockingQueue<String> events) {
      this.events = events;
    }

    @Override
    public void execute(Runnable command) {
      new Thread(command).start();
    }

    @Override
    public void destroy() {
      events.add(
          isClosed(Objects.requireNonNull(locks.get()))
              ? "manager was closed"
              : "manager was open");
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class CallbacksOnABean {
    @Bean
    LockManagerBuilderCustomizer callbacks(OwnExecutor executor) {
      return builder -> builder.callbackExecutor(executor);
    }
  }

  @Test
  void executorOfTheLockManager_isDestroyedAfterIt() {
    runner
        .withBean(OwnExecutor.class, () -> new OwnExecutor(events))
        .withUserConfiguration(CallbacksOnABean.class)
        .run(
            context ->
                context.getBean(OwnExecutor.class).locks.set(context.getBean(LockManager.class)));
    assertThat(events).containsExactly("manager was closed");
  }

  @Test
  void childContext_thatIsClosed_leavesTheLockManagerOfItsParent() {
    runner.run(
        parent -> {
          LockManager locks = parent.getBean(LockManager.class);
          new ApplicationContextRunner()
              .withParent(parent)
              .withConfiguration(
                  AutoConfigurations.of(
                      AopAutoConfiguration.class, HoldfastAutoConfiguration.class))
              .withBean(Job.class, () -> new Job(events))
              .run(
                  child -> {
                    assertThat(child.getBean(LockManager.class)).isSameAs(locks);
                    child.getBean(Job.class).run();
                  });
          assertThat(locks.withLock("a", LockOptions.defaults(), () -> 1)).isEqualTo(1);
        });
    assertThat(events).containsExactly("ended", "locked");
  }
}
