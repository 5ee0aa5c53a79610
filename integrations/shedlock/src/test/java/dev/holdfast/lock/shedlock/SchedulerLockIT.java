package dev.holdfast.lock.shedlock;

import static dev.holdfast.lock.shedlock.LockProviderContract.LONG;
import static dev.holdfast.lock.shedlock.LockProviderContract.config;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.testing.Poll;
import dev.holdfast.testing.TestIndex;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.javacrumbs.shedlock.core.LockAssert;
import net.javacrumbs.shedlock.core.LockExtender;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.spring.annotation.EnableSchedulerLock;
import net.javacrumbs.shedlock.spring.annotation.SchedulerLock;
import net.javacrumbs.shedlock.support.KeepAliveLockProvider;
import net.javacrumbs.shedlock.support.LockException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/** {@code @SchedulerLock} in real Spring contexts, with real scheduling, on a real node. */
class SchedulerLockIT {
  private final TestIndex index = new TestIndex();
  private final LockManager elsewhere = index.manager();

  @AfterEach
  void closeIndex() {
    index.close();
  }

  /** What the tasks of all contexts of a test do. */
  static class Work {
    final Map<String, Integer> runs = new ConcurrentHashMap<>();
    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger most = new AtomicInteger();
    final List<Throwable> errors = new CopyOnWriteArrayList<>();

    void run(String application) throws Exception {
      LockAssert.assertLocked();
      most.accumulateAndGet(running.incrementAndGet(), Math::max);
      try {
        during();
      } finally {
        running.decrementAndGet();
        runs.merge(application, 1, Integer::sum);
      }
    }

    void during() throws Exception {
      Thread.sleep(20);
    }

    int count() {
      return runs.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  /** The task of one application. */
  static class Job {
    private final String application;
    private final Work work;

    Job(String application, Work work) {
      this.application = application;
      this.work = work;
    }

    @Scheduled(fixedDelay = 30)
    @SchedulerLock(name = "job-a")
    public void run() throws Exception {
      work.run(application);
    }
  }

  @Configuration
  @EnableScheduling
  @EnableSchedulerLock(defaultLockAtMostFor = "10m")
  static class Scheduling {
    @Bean
    ThreadPoolTaskScheduler taskScheduler(Work work) {
      ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
      scheduler.setWaitForTasksToCompleteOnShutdown(true);
      scheduler.setAwaitTerminationSeconds(60);
      scheduler.setErrorHandler(work.errors::add);
      return scheduler;
    }
  }

  private AnnotationConfigApplicationContext application(
      String name, LockProvider provider, Work work) {
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    context.register(Scheduling.class);
    context.registerBean(Work.class, () -> work);
    context.registerBean(LockProvider.class, () -> provider);
    context.registerBean(Job.class, () -> new Job(name, work));
    context.refresh();
    return context;
  }

  private @Nullable SimpleLock tryLock() {
    return tryLock("job-a");
  }

  private @Nullable SimpleLock tryLock(String name) {
    return new HoldfastLockProvider(elsewhere).lock(config(name, LONG, Duration.ZERO)).orElse(null);
  }

  @Test
  void task_ofTwoApplications_runsInOneAtATime() {
    Work work = new Work();
    var one = application("one", new HoldfastLockProvider(index.manager()), work);
    var two = application("two", new HoldfastLockProvider(index.manager()), work);
    try {
      Poll.until(
          "both had their turns",
          () -> work.count() >= 20 && work.runs.containsKey("one") && work.runs.containsKey("two"));
    } finally {
      one.close();
      two.close();
    }
    assertThat(work.most.get()).isEqualTo(1);
    assertThat(work.errors).isEmpty();
    assertThat(elsewhere.find("job-a")).isEmpty();
  }

  /** Never a skipped run that looks like contention. */
  @Test
  void outage_isAnExceptionThatTheSchedulerSees() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Work work = new Work();
    try (var store = ElasticsearchLockStore.builder("http://127.0.0.1:" + port).build();
        LockManager locks = LockManager.create(store)) {
      var options = LockOptions.defaults().withTtl(Duration.ofSeconds(1));
      try (var context = application("one", new HoldfastLockProvider(locks, options), work)) {
        assertThat(context.isActive()).isTrue();
        Poll.until("an error of the scheduler", () -> work.errors.size() >= 2);
      }
    }
    assertThat(work.errors).allMatch(LockStoreUnavailableException.class::isInstance);
    assertThat(work.count()).isZero();
  }

  /** The task has lost its lock, and ends without an error of its own. */
  @Test
  void outage_whileTheTaskRuns_isAnExceptionThatTheSchedulerSees() {
    Duration ttl = Duration.ofSeconds(1);
    AtomicInteger begun = new AtomicInteger();
    Work work =
        new Work() {
          @Override
          void during() {
            if (begun.getAndIncrement() == 0) {
              long begin = System.nanoTime();
              index.whileItIsPaused(
                  () ->
                      Poll.until(
                          "the lease is over",
                          () -> LockProviderContract.elapsed(begin).compareTo(ttl) > 0));
            }
          }
        };
    var provider = new HoldfastLockProvider(index.manager(), LockOptions.defaults().withTtl(ttl));
    try (var context = application("one", provider, work)) {
      assertThat(context.isActive()).isTrue();
      Poll.until("runs again", () -> work.count() >= 2);
    }
    assertThat(work.errors)
        .anySatisfy(
            error ->
                assertThat(error)
                    .isInstanceOf(LockException.class)
                    .hasCauseInstanceOf(LeaseLostException.class));
  }

  /** Others may run the task again within its lockAtLeastFor, when the TTL has passed. */
  @Test
  void outage_whenTheTaskEnds_beforeLockAtLeastFor_isAnException() {
    var provider = new HoldfastLockProvider(index.manager());
    SimpleLock lock = provider.lock(config("job-a", LONG, LONG)).orElseThrow();
    SimpleLock brief = provider.lock(config("job-b", LONG, Duration.ofMillis(1))).orElseThrow();
    index.whileItIsPaused(
        () -> {
          assertThatThrownBy(lock::unlock)
              .isInstanceOf(LockException.class)
              .hasMessageContaining("lockAtLeastFor (PT5M)")
              .hasMessageContaining("TTL of PT30S");
          // Its time was over before: an unconfirmed release lets nobody in too early.
          brief.unlock();
        });
  }

  @Test
  void extendActiveLock_isAboutTheLockOfTheTask() {
    Work work =
        new Work() {
          @Override
          void during() {
            LockExtender.extendActiveLock(Duration.ofMinutes(1), Duration.ZERO);
          }
        };
    try (var context = application("one", new HoldfastLockProvider(index.manager()), work)) {
      assertThat(context.isActive()).isTrue();
      Poll.until("runs", () -> work.count() >= 2);
    }
    assertThat(work.errors).isEmpty();
  }

  /** The lock is held until the task has ended, and free when the application has. */
  @Test
  void shutdown_whileTheTaskRuns_releasesAfterIt() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Work work =
        new Work() {
          @Override
          void during() throws Exception {
            begun.countDown();
            assertThat(end.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(tryLock()).as("held until the end").isNull();
          }
        };
    var context = application("one", new HoldfastLockProvider(index.manager()), work);
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
    Thread closing = new Thread(context::close);
    closing.start();
    Poll.until("the context begins to close", () -> !context.isRunning() || !closing.isAlive());
    assertThat(tryLock()).isNull();
    end.countDown();
    closing.join();

    assertThat(work.errors).isEmpty();
    unlock(tryLock());
  }

  /** An interrupt is how a scheduler that does not wait ends its tasks. */
  @Test
  void task_interrupted_releases() throws Exception {
    CompletableFuture<Thread> task = new CompletableFuture<>();
    CountDownLatch never = new CountDownLatch(1);
    Work work =
        new Work() {
          @Override
          void during() throws Exception {
            if (task.complete(Thread.currentThread())) {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw e;
              }
            }
          }
        };
    try (var context = application("one", new HoldfastLockProvider(index.manager()), work)) {
      assertThat(context.isActive()).isTrue();
      task.get(60, TimeUnit.SECONDS).interrupt();
      Poll.until("runs again", () -> work.count() >= 3);
    }
    assertThat(work.errors).singleElement().isInstanceOf(InterruptedException.class);
    assertThat(elsewhere.find("job-a")).isEmpty();
  }

  /**
   * Longer than lockAtMostFor, of which the keep-alive allows no less than 30 s; also where the
   * task waited first, which ShedLock counts as a part of it.
   */
  @Test
  @Tag("slow")
  void keepAlive_holdsBeyondLockAtMostFor_alsoAfterAWait() throws Exception {
    Duration atMost = Duration.ofSeconds(30);
    var patient = LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(1));
    ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    ExecutorService waiters = Executors.newCachedThreadPool();
    try {
      var provider = new KeepAliveLockProvider(new HoldfastLockProvider(index.manager()), executor);
      var waiting =
          new KeepAliveLockProvider(new HoldfastLockProvider(index.manager(), patient), executor);
      SimpleLock soonFree = tryLock("job-b");
      SimpleLock busy = tryLock("job-c");
      Optional<SimpleLock> lock = provider.lock(config("job-a", atMost, Duration.ZERO));
      Future<Optional<SimpleLock>> afterAWait =
          waiters.submit(() -> waiting.lock(config("job-b", atMost, Duration.ZERO)));
      Future<Optional<SimpleLock>> tooLate =
          waiters.submit(() -> waiting.lock(config("job-c", atMost, Duration.ZERO)));

      // Within the quarter of lockAtMostFor that a task waits at most.
      awaitElapsed(Duration.ofSeconds(3));
      assertThat(afterAWait.isDone()).isFalse();
      unlock(soonFree);
      Optional<SimpleLock> waited = afterAWait.get(60, TimeUnit.SECONDS);
      // After half of it, the keep-alive would give up in silence.
      assertThat(tooLate.get(60, TimeUnit.SECONDS)).isEmpty();
      unlock(busy);

      awaitElapsed(Duration.ofSeconds(40));
      assertThat(tryLock("job-a")).isNull();
      assertThat(tryLock("job-b")).isNull();
      lock.orElseThrow().unlock();
      waited.orElseThrow().unlock();
    } finally {
      executor.shutdownNow();
      waiters.shutdownNow();
    }
    unlock(tryLock("job-a"));
    unlock(tryLock("job-b"));
  }

  private static void awaitElapsed(Duration duration) {
    long begin = System.nanoTime();
    Poll.until(
        duration + " are over", () -> LockProviderContract.elapsed(begin).compareTo(duration) > 0);
  }

  private static void unlock(@Nullable SimpleLock lock) {
    assertThat(lock).as("it was free").isNotNull();
    if (lock != null) {
      lock.unlock();
    }
  }
}
