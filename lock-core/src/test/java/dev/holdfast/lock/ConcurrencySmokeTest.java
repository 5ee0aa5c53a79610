package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real threads, real time, the default settings: a bounded amount of work that loses nothing. */
@Timeout(300)
class ConcurrencySmokeTest {
  private static final int MANAGERS = 3;
  private static final int THREADS_PER_MANAGER = 4;
  private static final int ROUNDS = 60;
  private static final int LOCKS = 2;

  private static final int BLOCKING = 6;
  private static final int BLOCKING_ROUNDS = 5_000;
  private static final int ASYNCHRONOUS = 200;

  /** Waits as long as it takes: the test's own limit ends it. */
  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(10));

  /** What a lock protects: plain fields, which lose updates without it. */
  private static final class Protected {
    private int count;
    private FencingToken last = new FencingToken(0, 0, 0, 0);
    private int tokensOutOfOrder;

    void visit(FencingToken token) {
      int seen = count;
      if (token.compareTo(last) <= 0) {
        tokensOutOfOrder++;
      }
      last = token;
      Thread.onSpinWait();
      count = seen + 1;
    }
  }

  @Test
  void manyThreadsOfManyManagers_loseNoUpdate_andTokensRise_andNothingIsLeft() throws Exception {
    InMemoryLockStore store = new InMemoryLockStore();
    List<Protected> resources = Stream.generate(Protected::new).limit(LOCKS).toList();
    List<LockManager> managers = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(MANAGERS * THREADS_PER_MANAGER);
    List<Future<?>> work = new ArrayList<>();
    try {
      for (int m = 0; m < MANAGERS; m++) {
        LockManager manager = LockManager.create(store);
        managers.add(manager);
        for (int t = 0; t < THREADS_PER_MANAGER; t++) {
          int first = t;
          work.add(
              threads.submit(
                  () -> {
                    for (int i = 0; i < ROUNDS; i++) {
                      int lock = (first + i) % LOCKS;
                      Protected resource = resources.get(lock);
                      manager.runWithLease(
                          "lock-" + lock, PATIENT, lease -> resource.visit(lease.fencingToken()));
                    }
                    return null;
                  }));
        }
      }
      for (Future<?> each : work) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
      managers.forEach(LockManager::close);
    }

    int total = MANAGERS * THREADS_PER_MANAGER * ROUNDS;
    assertThat(resources).allMatch(resource -> resource.tokensOutOfOrder == 0);
    assertThat(resources.stream().mapToInt(resource -> resource.count).sum()).isEqualTo(total);
    assertThat(store.list(10).join())
        .isInstanceOfSatisfying(
            ListResult.Listed.class, listed -> assertThat(listed.records()).isEmpty());
    assertThat(managers).allMatch(manager -> manager.engine.queues.isEmpty());
  }

  /** Blocking and asynchronous calls wait in one queue. */
  @Test
  void blockingAndAsynchronousCalls_ofOneLockOfOneManager_loseNoUpdate_andTokensRise()
      throws Exception {
    Protected resource = new Protected();
    ExecutorService threads = Executors.newFixedThreadPool(BLOCKING);
    List<Future<?>> work = new ArrayList<>();
    try (LockManager manager = LockManager.create(new InMemoryLockStore())) {
      for (int t = 0; t < BLOCKING; t++) {
        work.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < BLOCKING_ROUNDS; i++) {
                    manager.runWithLease(
                        "lock", PATIENT, lease -> resource.visit(lease.fencingToken()));
                  }
                  return null;
                }));
      }
      for (int i = 0; i < ASYNCHRONOUS; i++) {
        work.add(
            manager
                .acquireAsync("lock", PATIENT)
                .thenCompose(
                    lease -> {
                      resource.visit(lease.fencingToken());
                      return lease.releaseAsync();
                    }));
        Thread.sleep(1);
      }
      for (Future<?> each : work) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(resource.tokensOutOfOrder).isZero();
    assertThat(resource.count).isEqualTo(BLOCKING * BLOCKING_ROUNDS + ASYNCHRONOUS);
  }
}
