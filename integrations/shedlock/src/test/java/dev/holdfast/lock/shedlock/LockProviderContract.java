package dev.holdfast.lock.shedlock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LockManager;
import dev.holdfast.testing.Poll;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import net.javacrumbs.shedlock.core.ExtensibleLockProvider;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The contract that ShedLock holds its own providers to: AbstractLockProviderIntegrationTest,
 * AbstractExtensibleLockProviderIntegrationTest and FuzzTester of its module shedlock-test-support,
 * which is not published, written again without their fixed times. And each statement between two
 * processes.
 */
abstract class LockProviderContract {
  static final Duration LONG = Duration.ofMinutes(5);

  private ExtensibleLockProvider provider;
  private ExtensibleLockProvider other;

  /** A manager as in a process of its own, on the store of this test, which closes it. */
  abstract LockManager manager();

  @BeforeEach
  final void openProviders() {
    provider = new HoldfastLockProvider(manager());
    other = new HoldfastLockProvider(manager());
    // Creates the index, which takes longer than anything that follows.
    lock(provider, "warm-up").unlock();
  }

  static LockConfiguration config(String name, Duration atMost, Duration atLeast) {
    return new LockConfiguration(Instant.now(), name, atMost, atLeast);
  }

  private static SimpleLock lock(LockProvider provider, String name) {
    return provider.lock(config(name, LONG, Duration.ZERO)).orElseThrow();
  }

  /** Neither process gets it. */
  private void assertLocked(String name) {
    assertThat(provider.lock(config(name, LONG, Duration.ZERO))).isEmpty();
    assertThat(other.lock(config(name, LONG, Duration.ZERO))).isEmpty();
  }

  /** Each process gets it, at its first attempt. */
  private void assertUnlocked(String name) {
    lock(other, name).unlock();
    lock(provider, name).unlock();
  }

  // --- LockProvider

  @Test
  void lock_isHeldUntilItIsUnlocked() {
    SimpleLock lock = lock(provider, "name");
    assertLocked("name");
    lock.unlock();
    assertUnlocked("name");
  }

  @Test
  void locks_ofTwoNames_areIndependent() {
    SimpleLock one = lock(provider, "one");
    SimpleLock two = lock(provider, "two");
    one.unlock();
    assertLocked("two");
    two.unlock();
  }

  @Test
  void lock_rightAfterUnlock_isGranted() {
    for (int i = 0; i < 10; i++) {
      LockProvider next = i % 2 == 0 ? provider : other;
      SimpleLock lock = lock(next, "name");
      assertLocked("name");
      lock.unlock();
    }
  }

  /** Though the task runs on, and does not unlock. */
  @Test
  void lockAtMostFor_over_othersGetTheLock_andUnlockDoesNotTouchIt() {
    SimpleLock lock = provider.lock(config("name", ms(50), Duration.ZERO)).orElseThrow();

    SimpleLock next =
        Poll.forValue(
            "free after lockAtMostFor", () -> other.lock(config("name", LONG, Duration.ZERO)));
    lock.unlock();

    assertLocked("name");
    next.unlock();
    assertUnlocked("name");
  }

  @Test
  void lockAtLeastFor_unlockedBefore_isKeptUntilThen() {
    Duration atLeast = Duration.ofSeconds(2);
    long begin = System.nanoTime();
    provider.lock(config("name", LONG, atLeast)).orElseThrow().unlock();

    Optional<SimpleLock> soon = other.lock(config("name", LONG, Duration.ZERO));
    assertThat(soon.isEmpty() || elapsed(begin).compareTo(atLeast) >= 0)
        .as("not granted before its time")
        .isTrue();
    soon.ifPresent(SimpleLock::unlock);

    SimpleLock next =
        Poll.forValue(
            "free after lockAtLeastFor", () -> other.lock(config("name", LONG, Duration.ZERO)));
    // Less what records are rounded by.
    assertThat(elapsed(begin)).isGreaterThan(atLeast.minusMillis(5));
    next.unlock();
  }

  @Test
  void lockAtLeastFor_unlockedAfterwards_isFreeAtOnce() {
    long begin = System.nanoTime();
    SimpleLock lock = provider.lock(config("name", LONG, ms(20))).orElseThrow();
    Poll.until("lockAtLeastFor is over", () -> elapsed(begin).compareTo(ms(1_000)) > 0);
    lock.unlock();
    assertUnlocked("name");
  }

  @Test
  void unlock_again_isIllegal() {
    SimpleLock lock = lock(provider, "name");
    lock.unlock();
    assertThatThrownBy(lock::unlock).isInstanceOf(IllegalStateException.class);
  }

  // --- ExtensibleLockProvider

  /** Generous: the time between two calls that do nothing else. */
  @Test
  void extend_keepsTheLockBeyondItsFirstLockAtMostFor() {
    Duration first = Duration.ofSeconds(2);
    long begin = System.nanoTime();
    SimpleLock lock = provider.lock(config("name", first, Duration.ZERO)).orElseThrow();
    SimpleLock extended = lock.extend(LONG, Duration.ZERO).orElseThrow();

    Poll.until("the first time is over", () -> elapsed(begin).compareTo(first.plus(ms(200))) > 0);
    assertLocked("name");
    extended.unlock();
    assertUnlocked("name");
  }

  /** Generous, and still before the TTL of 30 s, which would free it too. */
  @Test
  void extend_shorter_freesTheLockThen() {
    long begin = System.nanoTime();
    SimpleLock lock = lock(provider, "name");
    SimpleLock extended = lock.extend(ms(50), Duration.ZERO).orElseThrow();

    SimpleLock next =
        Poll.forValue(
            "free after lockAtMostFor", () -> other.lock(config("name", LONG, Duration.ZERO)));
    assertThat(elapsed(begin)).isLessThan(Duration.ofSeconds(20));
    extended.unlock();
    assertLocked("name");
    next.unlock();
  }

  @Test
  void extend_lockAtLeastFor_countsFromThen() {
    SimpleLock lock = lock(provider, "name");
    lock.extend(LONG, LONG).orElseThrow().unlock();
    assertLocked("name");
  }

  @Test
  void extend_withoutLockAtLeastFor_endsTheOneBefore() {
    SimpleLock lock = provider.lock(config("name", LONG, LONG)).orElseThrow();
    lock.extend(LONG, Duration.ZERO).orElseThrow().unlock();
    assertUnlocked("name");
  }

  @Test
  void extend_unlocked_isIllegal() {
    SimpleLock lock = lock(provider, "name");
    lock.unlock();
    assertThatThrownBy(() -> lock.extend(LONG, Duration.ZERO))
        .isInstanceOf(IllegalStateException.class);
    assertUnlocked("name");
  }

  @Test
  void extend_expired_isEmpty() {
    SimpleLock lock = provider.lock(config("name", ms(1), Duration.ZERO)).orElseThrow();
    long begin = System.nanoTime();
    Poll.until("lockAtMostFor is over", () -> elapsed(begin).compareTo(ms(2)) > 0);
    assertThat(lock.extend(LONG, Duration.ZERO)).isEmpty();
    Poll.until(
        "free",
        () -> {
          Optional<SimpleLock> next = other.lock(config("name", LONG, Duration.ZERO));
          next.ifPresent(SimpleLock::unlock);
          return next.isPresent();
        });
  }

  @Test
  void extendedLock_canBeNeitherExtendedNorUnlockedAgain() {
    SimpleLock lock = lock(provider, "name");
    SimpleLock extended = lock.extend(LONG, Duration.ZERO).orElseThrow();
    assertThatThrownBy(() -> lock.extend(LONG, Duration.ZERO))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(lock::unlock).isInstanceOf(IllegalStateException.class);
    assertLocked("name");
    extended.unlock();
  }

  // --- FuzzTester

  /** A counter that nothing but the locks protects. */
  private static final class Counter {
    private final String name;
    private int value;

    Counter(String name) {
      this.name = name;
    }
  }

  @Test
  void counters_underLocks_loseNoUpdate() throws Exception {
    int threads = 8;
    int rounds = 10;
    Counter one = new Counter("one");
    Counter two = new Counter("two");
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> tasks = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        LockProvider own = i % 4 < 2 ? provider : other;
        Counter counter = i % 2 == 0 ? one : two;
        tasks.add(executor.submit(() -> count(own, counter, rounds)));
      }
      for (Future<?> task : tasks) {
        task.get();
      }
    } finally {
      executor.shutdownNow();
    }
    assertThat(one.value).isEqualTo(threads / 2 * rounds);
    assertThat(two.value).isEqualTo(threads / 2 * rounds);
  }

  private static void count(LockProvider provider, Counter counter, int rounds) {
    for (int i = 0; i < rounds; i++) {
      SimpleLock lock =
          Poll.forValue("its turn", () -> provider.lock(config(counter.name, LONG, ms(5))));
      int before = counter.value;
      LockSupport.parkNanos(1_000);
      counter.value = before + 1;
      lock.unlock();
    }
  }

  static Duration ms(long millis) {
    return Duration.ofMillis(millis);
  }

  static Duration elapsed(long sinceNanos) {
    return Duration.ofNanos(System.nanoTime() - sinceNanos);
  }
}
