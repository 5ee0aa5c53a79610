package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.memory.InMemoryLockStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import net.jqwik.api.lifecycle.AfterContainer;

/** Arguments are never silently ignored, and what is wrong with them is said. */
class LockManagerArgumentsTest {
  private static final InMemoryLockStore STORE = new InMemoryLockStore();
  private static final LockManager LOCKS = LockManager.create(STORE);

  @AfterContainer
  static void close() {
    LOCKS.close();
  }

  @Property(tries = 300)
  void lockId_ofAnyText_isEitherLockedOrRefused(@ForAll @StringLength(max = 300) String id)
      throws InterruptedException {
    boolean legal =
        !id.isBlank()
            && StandardCharsets.UTF_8.newEncoder().canEncode(id)
            && id.getBytes(StandardCharsets.UTF_8).length <= 512;
    if (legal) {
      try (Lease lease = LOCKS.acquire(id)) {
        assertThat(lease.lockId()).isEqualTo(id);
        assertThat(LOCKS.find(id)).isPresent();
      }
    } else {
      for (Consumer<String> call : callsWithAnId()) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> call.accept(id))
            .withMessageContaining("lockId must");
      }
    }
  }

  private static List<Consumer<String>> callsWithAnId() {
    return List.of(
        id -> LOCKS.acquireAsync(id).join(),
        id -> LOCKS.withLockAsync(id, () -> CompletableFuture.completedFuture("")).join(),
        id -> LOCKS.asLock(id, LockOptions.defaults()),
        LOCKS::find,
        LOCKS::forceRelease,
        id -> LOCKS.forceRelease(id, "token"));
  }

  @Example
  void lockId_of512Bytes_isTaken_andOf513IsRefusedWithItsSize() throws InterruptedException {
    LOCKS.acquire("ä".repeat(256)).close();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> LOCKS.acquire("ä".repeat(256) + "b"))
        .withMessageContainingAll("512 bytes", "takes 513", "ää");
  }

  @Example
  void lockId_thatIsBlankOrNoUtf8_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LOCKS.acquire(" \t"))
        .withMessageContaining("blank");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LOCKS.acquire("a\uD800"))
        .withMessageContaining("surrogate");
  }

  @Example
  @SuppressWarnings("NullAway") // That is what is tested.
  void nulls_areRefusedByName() {
    assertThatNullPointerException()
        .isThrownBy(() -> LOCKS.acquireAsync(null))
        .withMessage("lockId");
    assertThatNullPointerException()
        .isThrownBy(() -> LOCKS.acquireAsync("a", null))
        .withMessage("options");
    assertThatNullPointerException()
        .isThrownBy(() -> LOCKS.withLock("a", (LockedRunnable<RuntimeException>) null))
        .withMessage("body");
    assertThatNullPointerException()
        .isThrownBy(() -> LockManager.builder(null))
        .withMessage("store");
  }

  @Example
  @GuardsAgainst(Pitfall.ARGUMENTS_ARE_IGNORED)
  void ttl_shorterThanThreeRequestTimeouts_isRefusedWithBoth() {
    try (LockManager locks =
        LockManager.builder(STORE).requestTimeout(Duration.ofSeconds(2)).build()) {
      LockOptions tooShort = LockOptions.defaults().withTtl(Duration.ofMillis(5_999));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> locks.acquireAsync("a", tooShort))
          .withMessageContainingAll("ttl", "3 times", "PT2S", "PT5.999S");
      locks.acquireAsync("a", tooShort.withTtl(Duration.ofSeconds(6))).cancel(false);
    }
  }

  @Example
  void metadata_thatIsTooLarge_isRefusedWithSizeAndLimit() {
    try (LockManager locks = LockManager.builder(STORE).maxMetadataBytes(19).build()) {
      LockOptions options = LockOptions.defaults().withMetadata(Map.of("job", "0123456789"));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> locks.acquireAsync("a", options))
          .withMessageContainingAll("metadata", "19 bytes", "JSON", "is 20");
    }
  }

  @Example
  void builder_outOfRange_isRefusedWithNameAndValue() {
    LockManager.Builder builder = LockManager.builder(STORE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxClockSkew(Duration.ofMillis(-1)))
        .withMessageContainingAll("maxClockSkew", "0 to 1 h", "PT-0.001S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxClockSkew(Duration.ofNanos(1)))
        .withMessageContaining("whole milliseconds");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxClockSkew(Duration.ofSeconds(Long.MAX_VALUE)))
        .withMessageContaining("maxClockSkew");
    for (double drift : new double[] {-0.01, 0.51, 2, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.maxClockDrift(drift))
          .withMessageContainingAll("maxClockDrift", "0 to 0.5", "but is " + drift);
    }
    for (Duration timeout : List.of(Duration.ZERO, Duration.ofMillis(-5), Duration.ofMinutes(61))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.requestTimeout(timeout))
          .withMessageContainingAll("requestTimeout", "1 ms to 1 h", timeout.toString());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.releaseTimeout(timeout))
          .withMessageContainingAll("releaseTimeout", "1 ms to 1 h", timeout.toString());
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxMetadataBytes(1))
        .withMessageContainingAll("maxMetadataBytes", "is 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.owner(" "))
        .withMessageContaining("owner");
    assertThatIllegalArgumentException().isThrownBy(() -> builder.owner("x".repeat(1_001)));
  }

  @Example
  void builder_atTheBounds_isTaken() {
    LockManager.Builder builder = LockManager.builder(STORE);
    assertThat(
            builder
                .maxClockSkew(Duration.ZERO)
                .maxClockSkew(Duration.ofHours(1))
                .maxClockDrift(0)
                .maxClockDrift(0.5)
                .requestTimeout(Duration.ofMillis(1))
                .requestTimeout(Duration.ofHours(1))
                .releaseTimeout(Duration.ofMillis(1))
                .releaseTimeout(Duration.ofHours(1))
                .maxPollInterval(Duration.ofMillis(5))
                .maxPollInterval(Duration.ofSeconds(10))
                .maxMetadataBytes(2)
                .maxMetadataBytes(10 << 20)
                .owner("x".repeat(1_000)))
        .isSameAs(builder);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxPollInterval(Duration.ofNanos(4_999_999)))
        .withMessageContaining("maxPollInterval");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxPollInterval(Duration.ofMillis(10_001)))
        .withMessageContaining("maxPollInterval");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxMetadataBytes((10 << 20) + 1))
        .withMessageContaining("maxMetadataBytes");
  }

  @Example
  void owner_byDefault_namesTheProcess() throws InterruptedException {
    try (LockManager locks = LockManager.create(STORE);
        Lease lease = locks.acquire("owner")) {
      assertThat(locks.find(lease.lockId()).orElseThrow().owner())
          .contains(String.valueOf(ProcessHandle.current().pid()));
    }
  }

  @Example
  void closedManager_refusesEverythingButClosing() {
    LockManager closed = LockManager.create(STORE);
    closed.close();
    closed.close();

    assertThatIllegalStateException()
        .isThrownBy(() -> closed.acquireAsync("a"))
        .withMessageContaining("closed");
    assertThatIllegalStateException().isThrownBy(() -> closed.acquire("a"));
    assertThatIllegalStateException().isThrownBy(() -> closed.withLock("a", () -> {}));
    assertThatIllegalStateException().isThrownBy(() -> closed.find("a"));
    assertThatIllegalStateException().isThrownBy(closed::list);
    assertThatIllegalStateException().isThrownBy(() -> closed.forceRelease("a"));
    assertThatIllegalStateException().isThrownBy(() -> closed.forceRelease("a", "token"));
  }

  @Example
  void ensureHeld_outOfRange_isRefusedWithValueAndRange() throws InterruptedException {
    try (Lease lease = LOCKS.acquire("range")) {
      for (Duration atLeast :
          List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(28))) {
        assertThatThrownBy(() -> lease.ensureHeld(atLeast))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContainingAll("atLeast", "PT25S", atLeast.toString());
      }
      lease.ensureHeld(Duration.ofSeconds(20));
    }
  }
}
