package dev.holdfast.lock.spring.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.testing.Poll;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.integration.support.locks.DistributedLock;

/**
 * What Spring Integration documents of LockRegistry, RenewableLockRegistry and DistributedLock; and
 * the faults that its own registries had.
 */
@SuppressWarnings("LockNotBeforeTry") // A test that fails may leave its lock behind.
class HoldfastLockRegistryTest {
  private final InMemoryLockStore store = new InMemoryLockStore();
  private final LockManager locks = LockManager.create(store);
  private final LockManager elsewhere = LockManager.create(store);
  private final HoldfastLockRegistry registry = new HoldfastLockRegistry(locks, "orders");
  private final HoldfastLockRegistry other = new HoldfastLockRegistry(elsewhere, "orders");
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void close() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    elsewhere.close();
    locks.close();
  }

  /** What another thread of this process gets. */
  private <T> T inThread(java.util.concurrent.Callable<T> body) throws Exception {
    return threads.submit(body).get(60, TimeUnit.SECONDS);
  }

  // --- Exclusion

  @Test
  void lock_excludesThreadsAndProcesses_untilItIsUnlocked() throws Exception {
    DistributedLock lock = registry.obtain("key");
    lock.lock();
    assertThat(inThread(() -> registry.obtain("key").tryLock())).isFalse();
    assertThat(other.obtain("key").tryLock()).isFalse();
    assertThat(elsewhere.find("orders:key")).isPresent();

    lock.unlock();

    assertThat(other.obtain("key").tryLock()).isTrue();
    other.obtain("key").unlock();
    assertThat(elsewhere.find("orders:key")).isEmpty();
  }

  @Test
  void lock_isReentrant_byAnyOfItsObjects() throws Exception {
    registry.obtain("key").lock();
    assertThat(registry.obtain("key").tryLock()).isTrue();
    registry.obtain("key").lockInterruptibly();
    assertThat(registry.obtain("key").tryLock(1, TimeUnit.SECONDS)).isTrue();
    registry.obtain("key").lock(Duration.ofSeconds(1));
    for (int i = 0; i < 5; i++) {
      assertThat(other.obtain("key").tryLock()).isFalse();
      registry.obtain("key").unlock();
    }
    assertThat(other.obtain("key").tryLock()).isTrue();
    other.obtain("key").unlock();
  }

  @Test
  void registries_ofTwoNames_areIndependent() {
    registry.obtain("key").lock();
    DistributedLock same = new HoldfastLockRegistry(elsewhere, "bills").obtain("key");
    assertThat(same.tryLock()).isTrue();
    same.unlock();
    registry.obtain("key").unlock();
  }

  @Test
  void unlock_byAThreadThatDoesNotHoldIt_isIllegal() throws Exception {
    DistributedLock lock = registry.obtain("key");
    assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
    lock.lock();
    Throwable thrown =
        inThread(
            () -> {
              try {
                lock.unlock();
                return new AssertionError("unlocked");
              } catch (RuntimeException e) {
                return e;
              }
            });
    assertThat(thrown).isInstanceOf(IllegalMonitorStateException.class);
    lock.unlock();
  }

  @Test
  void executeLocked_runsUnderTheLock_orTimesOut() throws Exception {
    registry.executeLocked(
        "key", () -> assertThat(other.obtain("key").tryLock()).as("held meanwhile").isFalse());
    int result = registry.<Integer, RuntimeException>executeLocked("key", () -> 42);
    assertThat(result).isEqualTo(42);

    other.obtain("key").lock();
    assertThatThrownBy(
            () ->
                registry.executeLocked(
                    "key",
                    Duration.ofMillis(150),
                    () -> {
                      throw new AssertionError("runs");
                    }))
        .isInstanceOf(TimeoutException.class);
    other.obtain("key").unlock();
  }

  // --- One local lock for each key, for as long as it is in use

  /** Striped local locks made two keys block each other (Spring Integration 11146). */
  @Test
  void keys_areNeverStriped() throws Exception {
    int keys = 3_000;
    for (int i = 0; i < keys; i++) {
      registry.obtain("key-" + i).lock();
    }
    // None of them is waited for by another thread, which holds none.
    assertThat(
            inThread(
                () -> {
                  for (int i = keys; i < keys + 1_000; i++) {
                    DistributedLock lock = registry.obtain("key-" + i);
                    assertThat(lock.tryLock()).isTrue();
                    lock.unlock();
                  }
                  return true;
                }))
        .isTrue();
    for (int i = 0; i < keys; i++) {
      registry.obtain("key-" + i).unlock();
    }
    assertThat(locks.stats().held()).isZero();
  }

  /** A cache that evicts a lock in use gives a second thread a lock of its own. */
  @Test
  void lock_thatIsHeld_isNeverReplaced_howeverManyOthersAreObtained() throws Exception {
    registry.obtain("held").lock();
    for (int i = 0; i < 200_000; i++) {
      assertThat(registry.obtain("key-" + i)).isNotNull();
    }
    assertThat(inThread(() -> registry.obtain("held").tryLock())).isFalse();
    registry.obtain("held").unlock();
    assertThat(locks.stats().locks()).as("locks that the manager keeps").isZero();
  }

  @Test
  void counter_underTheLock_losesNoUpdate() throws Exception {
    int[] counter = {0};
    List<Future<?>> tasks = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      HoldfastLockRegistry own = i % 2 == 0 ? registry : other;
      tasks.add(
          threads.submit(
              () -> {
                for (int round = 0; round < 25; round++) {
                  own.executeLocked("counter", () -> counter[0]++);
                }
                return null;
              }));
    }
    for (Future<?> task : tasks) {
      task.get(120, TimeUnit.SECONDS);
    }
    assertThat(counter[0]).isEqualTo(200);
  }

  // --- Keys

  enum Role {
    LEADER
  }

  @Test
  void key_givesTheSameLockIdInEachProcess_orIsRejected() throws Exception {
    UUID uuid = UUID.fromString("6c1c5d32-6ab5-4a40-9a2f-0d7c3b1e0f11");
    for (Object key : List.of("a", uuid, 7, 7L, Role.LEADER)) {
      registry.obtain(key).lock();
      assertThat(elsewhere.find("orders:" + key)).as("%s", key).isPresent();
      registry.obtain(key).unlock();
    }
    assertThatThrownBy(() -> registry.obtain(new Object()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lockKey must be a String, UUID, Number or Enum")
        .hasMessageContaining("java.lang.Object");
    assertThatThrownBy(() -> registry.obtain("x".repeat(512)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("512");
    assertThatThrownBy(() -> new HoldfastLockRegistry(locks, " "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("registryKey");
    // Otherwise "b:c" in "a" and "c" in "a:b" would be one lock.
    assertThatThrownBy(() -> new HoldfastLockRegistry(locks, "a:b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("registryKey must not contain a colon, but is \"a:b\"");
  }

  // --- Time to live

  @Test
  void ttl_isThatOfTheCall_orOfTheOptions() throws Exception {
    var minute =
        new HoldfastLockRegistry(
            locks, "orders", LockOptions.defaults().withTtl(Duration.ofMinutes(1)));
    minute.obtain("key").lock();
    assertThat(elsewhere.find("orders:key").orElseThrow().ttl()).isEqualTo(Duration.ofMinutes(1));
    minute.obtain("key").unlock();

    minute.obtain("key").lock(Duration.ofSeconds(7));
    assertThat(elsewhere.find("orders:key").orElseThrow().ttl()).isEqualTo(Duration.ofSeconds(7));
    minute.obtain("key").unlock();

    assertThat(minute.obtain("key").tryLock(Duration.ZERO, Duration.ofSeconds(8))).isTrue();
    assertThat(elsewhere.find("orders:key").orElseThrow().ttl()).isEqualTo(Duration.ofSeconds(8));
    assertThat(other.obtain("key").tryLock(Duration.ofMillis(150), Duration.ofSeconds(8)))
        .isFalse();
    minute.obtain("key").unlock();
    // Longer than a long of nanoseconds.
    assertThat(other.obtain("key").tryLock(Duration.ofDays(300_000), Duration.ofSeconds(8)))
        .isTrue();
    other.obtain("key").unlock();
  }

  /** An argument that is ignored in silence is a fault that others had. */
  @Test
  void ttl_longerThanThatOfTheLockThatIsHeld_isRejected() throws Exception {
    DistributedLock lock = registry.obtain("key");
    lock.lock(Duration.ofSeconds(7));
    String message = "ttl must be at most PT7S, with which lock \"orders:key\" was acquired";
    Duration longer = Duration.ofSeconds(8);
    assertThatThrownBy(() -> lock.lock(longer))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> lock.tryLock(Duration.ZERO, longer))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> registry.renewLock("key", longer))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> lock.lock(Duration.ofMillis(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ttl must be from 100 ms");
    lock.unlock();
    assertThat(other.obtain("key").tryLock()).as("none of them counts as a hold").isTrue();
    other.obtain("key").unlock();
  }

  @Test
  void lock_isRenewedInTheBackground() throws Exception {
    DistributedLock lock = registry.obtain("key");
    lock.lock(Duration.ofSeconds(1));
    long begin = System.nanoTime();
    Poll.until("two TTLs are over", () -> System.nanoTime() - begin > 2_200_000_000L);
    assertThat(other.obtain("key").tryLock()).isFalse();
    lock.unlock();
  }

  @Test
  void renewLock_renewsNow_forItsHolderOnly() throws Exception {
    assertThatThrownBy(() -> registry.renewLock("key"))
        .isInstanceOf(IllegalMonitorStateException.class);
    registry.obtain("key").lock();
    var before = elsewhere.find("orders:key").orElseThrow().version();
    registry.renewLock("key");
    var after = elsewhere.find("orders:key").orElseThrow().version();
    assertThat(after).isNotEqualTo(before);
    registry.renewLock("key", Duration.ofSeconds(30));
    assertThat(elsewhere.find("orders:key").orElseThrow().version()).isNotEqualTo(after);
    assertThatThrownBy(() -> other.renewLock("key"))
        .isInstanceOf(IllegalMonitorStateException.class);

    assertThat(locks.forceRelease("orders:key")).isTrue();
    assertThatThrownBy(() -> registry.renewLock("key"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("lost");
    assertThatThrownBy(() -> registry.obtain("key").unlock())
        .isInstanceOf(ConcurrentModificationException.class);
  }

  // --- Loss

  @Test
  void unlock_afterALoss_throws_andLeavesTheSuccessorAlone() {
    DistributedLock lock = registry.obtain("key");
    lock.lock();
    assertThat(elsewhere.forceRelease("orders:key")).isTrue();
    assertThat(other.obtain("key").tryLock()).isTrue();
    // Whether the successor or the release was first is told by the clock, in milliseconds.
    Poll.untilTheClockHasMovedOn();

    assertThatThrownBy(lock::unlock)
        .isInstanceOf(ConcurrentModificationException.class)
        .hasMessageContaining("orders:key")
        .hasCauseInstanceOf(LeaseLostException.class);

    assertThat(lock.tryLock()).as("the successor has it still").isFalse();
    other.obtain("key").unlock();
    assertThat(lock.tryLock()).isTrue();
    lock.unlock();
  }

  @Test
  void nestedLock_afterALoss_throws_andEachHoldIsToBeUnlocked() {
    DistributedLock lock = registry.obtain("key");
    lock.lock();
    lock.lock();
    assertThat(locks.forceRelease("orders:key")).isTrue();
    assertThatThrownBy(lock::tryLock).isInstanceOf(LeaseLostException.class);
    assertThatThrownBy(lock::unlock).isInstanceOf(ConcurrentModificationException.class);
    assertThatThrownBy(lock::unlock).isInstanceOf(ConcurrentModificationException.class);
    assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
  }

  // --- Interrupts and outages

  /** An InterruptedException was swallowed, or turned into another (Spring Integration). */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void interrupt_endsTheWait_asAnInterruptedException(boolean heldInThisProcess) throws Exception {
    HoldfastLockRegistry holder = heldInThisProcess ? registry : other;
    holder.obtain("key").lock();
    for (boolean timed : List.of(true, false)) {
      CountDownLatch begun = new CountDownLatch(1);
      Throwable[] thrown = new Throwable[1];
      boolean[] flag = new boolean[1];
      Thread waiter =
          new Thread(
              () -> {
                begun.countDown();
                try {
                  if (timed) {
                    boolean unused = registry.obtain("key").tryLock(10, TimeUnit.MINUTES);
                  } else {
                    registry.obtain("key").lockInterruptibly();
                  }
                } catch (InterruptedException e) {
                  thrown[0] = e;
                }
                flag[0] = Thread.currentThread().isInterrupted();
              });
      waiter.start();
      begun.await();
      waiter.interrupt();
      waiter.join(60_000);
      assertThat(waiter.isAlive()).isFalse();
      assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
      assertThat(flag[0]).isFalse();
    }
    holder.obtain("key").unlock();
    assertThat(other.obtain("key").tryLock(60, TimeUnit.SECONDS)).as("nothing is left").isTrue();
    other.obtain("key").unlock();
  }

  @Test
  void unlock_onAnInterruptedThread_releases() {
    registry.obtain("key").lock();
    Thread.currentThread().interrupt();
    registry.obtain("key").unlock();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(elsewhere.find("orders:key")).isEmpty();
  }

  @Test
  void outage_isAnException_neverFalse() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    try (var unreachable = ElasticsearchLockStore.builder("http://127.0.0.1:" + port).build();
        LockManager manager = LockManager.create(unreachable)) {
      DistributedLock lock =
          new HoldfastLockRegistry(
                  manager, "orders", LockOptions.defaults().withTtl(Duration.ofSeconds(1)))
              .obtain("key");
      assertThatThrownBy(lock::tryLock).isInstanceOf(LockStoreUnavailableException.class);
      assertThatThrownBy(() -> lock.tryLock(200, TimeUnit.MILLISECONDS))
          .isInstanceOf(LockStoreUnavailableException.class);
    }
  }
}
