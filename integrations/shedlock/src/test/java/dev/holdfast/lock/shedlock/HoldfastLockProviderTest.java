package dev.holdfast.lock.shedlock;

import static dev.holdfast.lock.shedlock.LockProviderContract.LONG;
import static dev.holdfast.lock.shedlock.LockProviderContract.config;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockManagerClosedException;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.testing.Poll;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.support.LockException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is not in ShedLock's contract: TTL, errors, losses, interrupts. */
class HoldfastLockProviderTest {
  private static final Duration NONE = Duration.ZERO;

  private final InMemoryLockStore store = new InMemoryLockStore();
  private final LockManager locks = LockManager.create(store);
  private final LockManager elsewhere = LockManager.create(store);
  private final HoldfastLockProvider provider = new HoldfastLockProvider(locks);

  @AfterEach
  void close() {
    elsewhere.close();
    locks.close();
  }

  private LockInfo record() {
    return elsewhere.find("job").orElseThrow();
  }

  // --- How long a crashed process blocks others

  @ParameterizedTest
  @CsvSource({
    "PT10M, PT30S, PT30S",
    "PT30.001S, PT30S, PT30S",
    "PT12S, PT30S, PT12S",
    "PT7.0000001S, PT30S, PT7.001S",
    "PT1S, PT30S, PT5S",
    "PT0.001S, PT30S, PT5S",
    "PT1S, PT2S, PT2S",
    "PT10M, PT5M, PT5M"
  })
  void ttl_isTheOptions_butNotLongerThanLockAtMostFor(
      Duration atMost, Duration ttl, Duration expected) {
    List<LockRecord> created = new CopyOnWriteArrayList<>();
    try (LockManager recorded = LockManager.create(recording(created))) {
      var with = new HoldfastLockProvider(recorded, LockOptions.defaults().withTtl(ttl));
      with.lock(config("job", atMost, NONE)).orElseThrow().unlock();
    }
    // Not read from the store: with the shortest of them, the lock may be released by then.
    assertThat(created).extracting(LockRecord::ttlMillis).containsOnly(expected.toMillis());
  }

  /** The store of this test, which also keeps what is created. */
  private LockStore recording(List<LockRecord> created) {
    return (LockStore)
        Proxy.newProxyInstance(
            LockStore.class.getClassLoader(),
            new Class<?>[] {LockStore.class},
            (self, method, arguments) -> {
              if (method.getName().equals("create")) {
                created.add((LockRecord) arguments[0]);
              }
              return method.invoke(store, arguments);
            });
  }

  /** It would take an hour, and the keep-alive that begins after it would give up in silence. */
  @Test
  @Timeout(120)
  void waitTimeout_isAtMostAQuarterOfLockAtMostFor() {
    var patient =
        new HoldfastLockProvider(
            locks, LockOptions.defaults().withWaitTimeout(Duration.ofHours(1)));
    SimpleLock held =
        new HoldfastLockProvider(elsewhere).lock(config("job", LONG, NONE)).orElseThrow();
    Duration atMost = Duration.ofSeconds(2);
    long begin = System.nanoTime();

    assertThat(patient.lock(config("job", atMost, NONE))).isEmpty();

    assertThat(LockProviderContract.elapsed(begin)).isGreaterThanOrEqualTo(atMost.dividedBy(4));
    held.unlock();
  }

  @Test
  void options_metadataAndWaitTimeout_areUsed_theOthersAreNot() {
    var patient =
        new HoldfastLockProvider(
            locks,
            LockOptions.defaults()
                .withMetadata(Map.of("team", "billing"))
                .withLinger(Duration.ofSeconds(10))
                .withMaxHold(Duration.ofMillis(1))
                .withWaitTimeout(Duration.ofSeconds(60)));
    SimpleLock held = provider.lock(config("job", Duration.ofMillis(300), NONE)).orElseThrow();
    SimpleLock next = patient.lock(config("job", LONG, NONE)).orElseThrow();
    assertThat(record().metadata()).containsEntry("team", "billing");
    next.unlock();
    assertThat(elsewhere.find("job")).as("does not linger").isEmpty();
    held.unlock();
  }

  // --- Bad input

  @ParameterizedTest
  @CsvSource({
    "PT0S, PT0S, lockAtMostFor of lock \"job\" must be from 1 ms to 365 days",
    "P366D, PT0S, lockAtMostFor of lock \"job\" must be from 1 ms to 365 days",
    "P2D, PT24H1S, lockAtLeastFor of lock \"job\" must be from 0 to 24 h",
  })
  void durations_outOfRange_areNamed(Duration atMost, Duration atLeast, String message) {
    assertThatThrownBy(() -> provider.lock(config("job", atMost, atLeast)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    SimpleLock lock = provider.lock(config("job", LONG, NONE)).orElseThrow();
    assertThatThrownBy(() -> lock.extend(atMost, atLeast))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    lock.unlock();
  }

  @Test
  void ttl_thatIsTooShortForTheManager_namesLockAtMostFor() {
    try (LockManager slow =
        LockManager.builder(store).requestTimeout(Duration.ofSeconds(10)).build()) {
      var onSlow = new HoldfastLockProvider(slow);
      assertThatThrownBy(() -> onSlow.lock(config("job", Duration.ofSeconds(20), NONE)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("lockAtMostFor PT20S")
          .hasMessageContaining("3 times the request timeout");
    }
  }

  @Test
  void name_thatIsNoLockId_isRejected() {
    assertThatThrownBy(() -> provider.lock(config(" ", LONG, NONE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lockId");
    assertThatThrownBy(() -> provider.lock(config("x".repeat(513), LONG, NONE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("512");
  }

  // --- Trouble

  @Test
  void outage_isAnException_neverEmpty() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    try (var unreachable = ElasticsearchLockStore.builder("http://127.0.0.1:" + port).build();
        LockManager manager = LockManager.create(unreachable)) {
      var cutOff = new HoldfastLockProvider(manager);
      assertThatThrownBy(() -> cutOff.lock(config("job", Duration.ofSeconds(1), NONE)))
          .isInstanceOf(LockStoreUnavailableException.class);
    }
  }

  @Test
  void closedManager_isAnException() {
    locks.close();
    assertThatThrownBy(() -> provider.lock(config("job", LONG, NONE)))
        .isInstanceOf(LockManagerClosedException.class);
  }

  @Test
  void interrupt_isAnException_isKept_andNothingIsHeld() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> provider.lock(config("job", LONG, NONE)))
        .isInstanceOf(LockException.class)
        .hasMessageContaining("interrupted")
        .hasCauseInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(elsewhere.find("job")).isEmpty();
  }

  @Test
  void unlock_onAnInterruptedThread_releases() {
    SimpleLock lock = provider.lock(config("job", LONG, NONE)).orElseThrow();
    Thread.currentThread().interrupt();
    lock.unlock();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(elsewhere.find("job")).isEmpty();
  }

  /** The successor's lock is not touched, and the scheduler is notified. */
  @Test
  void unlock_afterALoss_throwsAndLeavesTheSuccessorAlone() {
    SimpleLock stale = provider.lock(config("job", LONG, NONE)).orElseThrow();
    assertThat(elsewhere.forceRelease("job")).isTrue();
    SimpleLock next =
        new HoldfastLockProvider(elsewhere).lock(config("job", LONG, NONE)).orElseThrow();
    // Whether the successor or the release was first is told by the clock, in milliseconds.
    Poll.untilTheClockHasMovedOn();

    assertThatThrownBy(stale::unlock)
        .isInstanceOf(LockException.class)
        .hasMessageContaining("job")
        .hasCauseInstanceOf(LeaseLostException.class);

    assertThat(provider.lock(config("job", LONG, NONE))).isEmpty();
    next.unlock();
  }

  @Test
  void extend_afterALossThatIsKnown_isEmpty_andUnlockTellsWhy() {
    SimpleLock lock = provider.lock(config("job", LONG, NONE)).orElseThrow();
    assertThat(locks.forceRelease("job")).isTrue();
    assertThat(lock.extend(LONG, NONE)).isEmpty();
    assertThat(lock.extend(LONG, NONE)).as("still not").isEmpty();
    assertThatThrownBy(lock::unlock)
        .isInstanceOf(LockException.class)
        .hasCauseInstanceOf(LeaseLostException.class);
    assertThat(locks.stats().held()).isZero();
  }

  /** As a keep-alive, or a task that outruns it, does. */
  @Test
  void extend_afterLockAtMostFor_isEmpty_andUnlockIsSilent() {
    SimpleLock lock = provider.lock(config("job", Duration.ofMillis(1), NONE)).orElseThrow();
    Poll.until("it is over", () -> elsewhere.find("job").isEmpty());
    assertThat(lock.extend(LONG, NONE)).isEmpty();
    lock.unlock();
    assertThatThrownBy(lock::unlock).isInstanceOf(IllegalStateException.class);
  }
}
