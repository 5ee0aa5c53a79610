package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What commands conclude, without any cluster. */
class RulesTest {
  private static final Duration TTL = Duration.ofSeconds(30);
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");

  /** A record that was written then. */
  private static LockInfo record(String token, Instant writtenAt, boolean expired, long seqNo) {
    return new LockInfo(
        "job",
        token,
        "host-7",
        writtenAt,
        writtenAt.plus(TTL),
        TTL,
        Map.of(),
        expired,
        new Version(new Incarnation("index", 0), 1, seqNo));
  }

  // --- States

  @Test
  void state_ofARecordThatNobodyHolds_isUnheld_andThenFree_neverExpired() {
    assertThat(Records.state(record("a", NOW, false, 1))).isEqualTo("held");
    assertThat(Records.state(record("a", NOW, true, 1))).isEqualTo("expired");
    assertThat(Records.state(record("unheld:a", NOW, false, 1))).isEqualTo("unheld");
    LockInfo free = record("unheld:a", NOW, true, 1);
    assertThat(Records.state(free)).isEqualTo("free");
    assertThat(Records.holder(free, NOW))
        .startsWith("is held by nobody; host-7 released it")
        .doesNotContain("expired");
  }

  // --- watch

  private static @Nullable String event(@Nullable LockInfo before, LockInfo now) {
    return WatchCommand.event(before, now, SECOND, false);
  }

  @Test
  void watch_ofOneHolder_tellsItsStates() {
    LockInfo held = record("a", NOW, false, 1);
    assertThat(event(null, held)).isEqualTo("acquired");
    assertThat(event(held, record("a", NOW.plusSeconds(10), false, 2))).isNull();
    assertThat(WatchCommand.event(held, record("a", NOW.plusSeconds(10), false, 2), SECOND, true))
        .isEqualTo("renewed");
    assertThat(event(held, record("a", NOW, true, 1))).isEqualTo("expired");
    assertThat(event(held, record("unheld:a", NOW, false, 2))).isEqualTo("unheld");
    assertThat(event(record("unheld:a", NOW, false, 2), record("unheld:a", NOW, true, 2)))
        .isEqualTo("free");
    assertThat(event(record("unheld:a", NOW, true, 2), record("unheld:a", NOW, true, 2))).isNull();
  }

  @Test
  void watch_ofALockThatNobodyHeld_neverSaysTakenOver() {
    LockInfo next = record("b", NOW.plusSeconds(60), false, 3);
    assertThat(event(record("unheld:a", NOW, true, 2), next)).isEqualTo("acquired");
    assertThat(event(record("unheld:a", NOW, false, 2), next)).isEqualTo("acquired");
  }

  @Test
  void watch_ofALockThatAnotherTook_saysWhetherTheHolderHadExpired() {
    LockInfo held = record("a", NOW, false, 1);
    LockInfo soon = record("b", NOW.plusSeconds(3), false, 2);
    LockInfo late = record("b", NOW.plusSeconds(30), false, 2);
    assertThat(event(held, soon)).as("released in between").isEqualTo("acquired");
    assertThat(event(record("a", NOW, true, 1), late)).isEqualTo("taken-over");
    assertThat(event(held, late)).as("expired in between").isEqualTo("taken-over");
    assertThat(WatchCommand.event(held, late, Duration.ofMinutes(1), false))
        .as("it may have renewed and released in between")
        .isEqualTo("acquired");
  }

  // --- run

  @ParameterizedTest
  @CsvSource({
    // What is left of the TTL after the end of the validity, less 0.5 s.
    "EXPIRED, PT30S, PT5S, PT4.5S",
    "EXPIRED, PT30S, PT1M, PT4.5S",
    "EXPIRED, PT30S, PT1S, PT1S",
    "EXPIRED, PT5M, PT1H, PT31.5S",
    "EXPIRED, PT10S, PT5S, PT1.5S",
    "EXPIRED, PT1S, PT5S, PT0S",
    // Somebody may hold the lock already.
    "TAKEN_OVER, PT30S, PT5S, PT1S",
    "RECORD_DELETED, PT30S, PT1M, PT1S",
    "FORCE_RELEASED, PT30S, PT0.3S, PT0.3S",
    "INDEX_REPLACED, PT30S, PT5S, PT1S",
    "MANAGER_CLOSED, PT30S, PT5S, PT5S"
  })
  void grace_afterALoss_endsBeforeOthersMayHaveTheLock(
      Reason reason, Duration ttl, Duration killAfter, Duration expected) {
    assertThat(RunCommand.grace(reason, ttl, killAfter)).isEqualTo(expected);
  }

  @Test
  void holder_thatTheStoreDoesNotTell_isLeftOut_andStaysContention() {
    try (var store = ElasticsearchLockStore.builder("http://127.0.0.1:1").build();
        LockManager locks = LockManager.create(store)) {
      assertThat(RunCommand.holder(() -> locks.find("job"))).isEqualTo("was held");
    }
    assertThat(RunCommand.holder(Optional::empty)).isEqualTo("was held");
    assertThat(RunCommand.holder(() -> Optional.of(record("a", NOW, false, 1)))).contains("host-7");
  }

  // --- doctor

  @ParameterizedTest
  @CsvSource({
    "7.17.0, true",
    "6.8, true",
    "8.0.0, false",
    "8.19.21-SNAPSHOT, false",
    "9.5.3, false",
    "10.0.0, false",
    "serverless, false"
  })
  void version_belowEight_isTooOld(String version, boolean expected) {
    assertThat(Doctor.isTooOld(version)).isEqualTo(expected);
  }

  @Test
  void lastWrite_isTheLastRenewal_byTheClockOfTheHolder() {
    LockInfo held = record("a", NOW, false, 1);
    assertThat(Doctor.lastWrite(held)).isEqualTo(NOW);
    LockInfo renewed =
        new LockInfo(
            "job",
            "a",
            "host-7",
            NOW.minusSeconds(3_600),
            NOW.plus(TTL),
            TTL,
            Map.of(),
            false,
            held.version());
    assertThat(Doctor.lastWrite(renewed)).isEqualTo(NOW);
    // When a lock that nobody holds becomes free is no time at which anything was written.
    assertThat(Doctor.lastWrite(record("unheld:a", NOW, false, 1))).isEqualTo(NOW);
  }
}
