package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Locks, permits and leaders with real threads, on real time. */
@Timeout(300)
class LockFormsSmokeTest {
  private static final int MANAGERS = 3;
  private static final int THREADS_PER_MANAGER = 4;

  /** Waits as long as it takes: the test's own limit ends it. */
  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(10));

  private final InMemoryLockStore store = new InMemoryLockStore();
  private final List<LockManager> managers = new ArrayList<>();
  private final ExecutorService threads =
      Executors.newFixedThreadPool(MANAGERS * THREADS_PER_MANAGER);

  /** A task of one thread. */
  private interface Work {
    void run(LockManager manager) throws Exception;
  }

  @BeforeEach
  void open() {
    for (int m = 0; m < MANAGERS; m++) {
      managers.add(LockManager.create(store));
    }
  }

  @AfterEach
  void close() {
    threads.shutdownNow();
    managers.forEach(LockManager::close);
    assertThat(store.list(10).join())
        .isInstanceOfSatisfying(
            ListResult.Listed.class, listed -> assertThat(listed.records()).isEmpty());
    assertThat(managers)
        .allMatch(
            manager ->
                manager.engine.queues.isEmpty()
                    && manager.localLocks.isEmpty()
                    && manager.permits.isEmpty());
  }

  private void onAllThreads(Work work) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    for (LockManager manager : managers) {
      for (int t = 0; t < THREADS_PER_MANAGER; t++) {
        running.add(
            threads.submit(
                () -> {
                  work.run(manager);
                  return null;
                }));
      }
    }
    for (Future<?> each : running) {
      each.get();
    }
  }

  /** What a lock protects: a plain field, which loses updates without it. */
  private static final class Counter {
    private int count;

    void increment() {
      int seen = count;
      Thread.onSpinWait();
      count = seen + 1;
    }
  }

  @Test
  void locks_ofManyThreadsOfManyManagers_loseNoUpdate() throws Exception {
    int rounds = 40;
    Counter counter = new Counter();

    onAllThreads(
        manager -> {
          Lock lock = manager.asLock("lock", LockOptions.defaults());
          for (int i = 0; i < rounds; i++) {
            lock.lock();
            try {
              assertThat(lock.tryLock()).as("nested").isTrue();
              counter.increment();
              lock.unlock();
            } finally {
              lock.unlock();
            }
          }
        });

    assertThat(counter.count).isEqualTo(MANAGERS * THREADS_PER_MANAGER * rounds);
  }

  @Test
  void permits_ofManyThreadsOfManyManagers_neverExceedTheirNumber() throws Exception {
    int permits = 3;
    AtomicInteger holders = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();

    onAllThreads(
        manager -> {
          for (int i = 0; i < 10; i++) {
            try (Lease lease = manager.tryAcquirePermit("p", permits, PATIENT).orElseThrow()) {
              most.accumulateAndGet(holders.incrementAndGet(), Math::max);
              Thread.sleep(1);
              holders.decrementAndGet();
              assertThat(lease.isHeld()).isTrue();
            }
          }
        });

    assertThat(most.get()).isBetween(2, permits);
  }

  @Test
  void leaders_ofManyManagers_areOneAtATime_andEachLeadsInTheEnd() throws Exception {
    int terms = 12;
    AtomicInteger leaders = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch led = new CountDownLatch(terms);
    List<LeaderElection> elections = new ArrayList<>();
    for (LockManager manager : managers) {
      elections.add(
          LeaderElection.builder(manager, "leader")
              .pauseAfterYield(Duration.ofMillis(200))
              .onElected(
                  lease -> {
                    most.accumulateAndGet(leaders.incrementAndGet(), Math::max);
                    Thread.sleep(5);
                    leaders.decrementAndGet();
                    led.countDown();
                  })
              .build());
    }

    elections.forEach(LeaderElection::start);
    assertThat(led.await(200, TimeUnit.SECONDS)).isTrue();
    elections.forEach(LeaderElection::close);

    assertThat(most).hasValue(1);
    assertThat(elections).noneMatch(LeaderElection::isLeader);
  }
}
