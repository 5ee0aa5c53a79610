package dev.holdfast.bench.ttl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.Scheduler;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Holds the arithmetic to the library's own engine, on virtual time. */
class LeaseRulesTest {
  private static final Duration SKEW = Duration.ofSeconds(2);
  private static final int PHASES = 60;
  private static final int SEEDS = 8;

  @ParameterizedTest
  @CsvSource({"500", "1000", "10000", "30000", "31000", "45000", "60000", "120000", "3600000"})
  void validity_afterAGrant_isWhatTheLibrarySays(long ttlMillis) {
    LeaseRules rules = new LeaseRules(Duration.ofMillis(ttlMillis), SKEW);
    World world = new World(rules, 0, 1);
    assertThat(world.lease.remaining().toNanos() / 1e9)
        .isCloseTo(rules.validitySeconds(), within(1e-6));
    world.lease.release();
  }

  @ParameterizedTest
  @CsvSource({"10000", "30000", "120000"})
  void renewal_whenAllIsWell_isSentBetweenTheEarliestAndTheLatest(long ttlMillis) {
    LeaseRules rules = new LeaseRules(Duration.ofMillis(ttlMillis), SKEW);
    for (int seed = 0; seed < SEEDS; seed++) {
      World world = new World(rules, 0, seed);
      while (world.store.lastReplace == 0) {
        world.step();
      }
      assertThat(world.store.lastReplace / 1e9)
          .isBetween(rules.earliestRenewalSeconds() - 1e-6, rules.latestRenewalSeconds() + 1e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1000,1",
    "1000,20",
    "5000,5",
    "10000,5",
    "30000,1",
    "30000,100",
    "31000,5",
    "45000,5",
    "60000,5",
    "70000,5",
    "90000,50",
    "120000,5",
    "300000,5",
    "900000,5"
  })
  void silence_asLongAsSaid_neverLosesALease(long ttlMillis, long requestMillis) {
    LeaseRules rules = new LeaseRules(Duration.ofMillis(ttlMillis), SKEW);
    double silence = rules.longestSilenceSeconds(requestMillis / 1e3);
    assertThat(silence).isGreaterThan(0.15 * ttlMillis / 1e3);
    assertThat(losses(rules, requestMillis, silence)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"1000,1", "10000,5", "30000,1", "45000,5", "60000,5", "120000,5", "900000,5"})
  void silence_longerByARequestAndAPause_losesLeases(long ttlMillis, long requestMillis) {
    LeaseRules rules = new LeaseRules(Duration.ofMillis(ttlMillis), SKEW);
    double longer =
        rules.longestSilenceSeconds(requestMillis / 1e3)
            + rules.requestTimeoutSeconds()
            + ttlMillis / 1e3 / 5;
    assertThat(losses(rules, requestMillis, longer)).isPositive();
  }

  @Test
  void silence_ofSlowRequests_isZero() {
    assertThat(new LeaseRules(Duration.ofSeconds(1), SKEW).longestSilenceSeconds(0.2)).isZero();
  }

  /**
   * Returns how often, of all phases at which a silence can begin, and all seeds, the lease was
   * lost.
   */
  private static int losses(LeaseRules rules, long requestMillis, double silenceSeconds) {
    int lost = 0;
    long request = requestMillis * 1_000_000;
    double first = rules.earliestRenewalSeconds() * 0.9;
    double last = rules.latestRenewalSeconds() + requestMillis / 1e3;
    for (int seed = 0; seed < SEEDS; seed++) {
      for (int phase = 0; phase <= PHASES; phase++) {
        World world = new World(rules, request, seed);
        double from = first + (last - first) * phase / PHASES;
        world.store.silentFrom = (long) (from * 1e9);
        world.store.silentUntil = (long) ((from + silenceSeconds) * 1e9);
        world.store.applied = seed % 2 == 0;
        long end = world.store.silentUntil + rules.ttl().toNanos();
        while (world.now < end && !world.queue.isEmpty() && world.lease.isHeld()) {
          world.step();
        }
        if (!world.lease.isHeld()) {
          lost++;
        }
      }
    }
    return lost;
  }

  private record Due(long at, long order, Runnable task) {}

  /** A manager that holds one lease, granted at time 0. */
  private static final class World {
    final PriorityQueue<Due> queue =
        new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::order));
    final SilentStore store;
    final Lease lease;
    long now;
    private long order;

    World(LeaseRules rules, long requestNanos, long seed) {
      store = new SilentStore(this);
      LockManager locks =
          LockManager.builder(store)
              .maxClockSkew(rules.maxClockSkew())
              .ticker(() -> now)
              .wallClock(() -> Instant.EPOCH.plusNanos(now))
              .scheduler(this::schedule)
              .random(new Random(seed))
              .callbackExecutor(
                  callback -> {
                    Scheduler.Timer unused = schedule(callback, 0);
                  })
              .build();
      CompletableFuture<Lease> granted =
          locks.acquireAsync("lock", LockOptions.defaults().withTtl(rules.ttl()));
      while (!granted.isDone()) {
        step();
      }
      assertThat(now).isZero();
      lease = granted.join();
      store.requestNanos = requestNanos;
    }

    Scheduler.Timer schedule(Runnable task, long delay) {
      Due due = new Due(now + delay, order++, task);
      queue.add(due);
      return () -> queue.remove(due);
    }

    void step() {
      Due due = queue.remove();
      now = due.at;
      due.task.run();
    }
  }

  /** Answers after a while, and not at all what is asked, or would be answered, in the silence. */
  private static final class SilentStore implements LockStore {
    private final InMemoryLockStore records = new InMemoryLockStore();
    private final World world;
    long requestNanos;
    long silentFrom = Long.MAX_VALUE;
    long silentUntil = Long.MAX_VALUE;
    boolean applied;
    long lastReplace;

    SilentStore(World world) {
      this.world = world;
    }

    private boolean isSilent() {
      return world.now >= silentFrom && world.now < silentUntil;
    }

    private <T> CompletableFuture<T> answer(Supplier<CompletableFuture<T>> request) {
      CompletableFuture<T> answer = new CompletableFuture<>();
      if (isSilent() && !applied) {
        return answer;
      }
      T result = request.get().join();
      if (isSilent()) {
        return answer;
      }
      if (requestNanos == 0) {
        answer.complete(result);
        return answer;
      }
      Scheduler.Timer unused =
          world.schedule(
              () -> {
                if (!isSilent()) {
                  answer.complete(result);
                }
              },
              requestNanos);
      return answer;
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return answer(() -> records.create(record));
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      lastReplace = world.now;
      return answer(() -> records.replace(record, expected));
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return answer(() -> records.delete(lockId, expected));
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return answer(() -> records.read(lockId));
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      return answer(() -> records.list(limit));
    }

    @Override
    public String description() {
      return "store that can be silent";
    }
  }
}
