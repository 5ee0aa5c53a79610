package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.Observations.TakeoverDecision;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The two rules for taking over, and what is remembered for the first of them. */
class ObservationsTest {
  private static final Incarnation LIFE = new Incarnation("life", 0);
  private static final Duration OWN_TTL = Duration.ofSeconds(20);
  private static final long TTL_MILLIS = 30_000;
  private static final Duration TTL = Duration.ofMillis(TTL_MILLIS);
  private static final Duration MILLI = Duration.ofMillis(1);

  private final VirtualTime time = new VirtualTime(1);
  private final VirtualTime.Machine machine = time.machine("reader");
  private final Clocks clocks = new Clocks(machine, machine);
  private final Observations observations = new Observations(clocks, World.SKEW, true);

  // --- Observed

  @Test
  void record_thatStoodUnchangedForItsTtl_mayBeTakenOver() {
    LockRecord record = undated("a", TTL_MILLIS);
    assertThat(judge(record, 1)).isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));

    time.advance(TTL.minus(MILLI));
    assertThat(judge(record, 1)).isEqualTo(new TakeoverDecision.Standing(MILLI.toNanos()));

    time.advance(MILLI);
    assertThat(judge(record, 1)).isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void record_thatChanged_isObservedAnew() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 1);
    time.advance(TTL.minus(MILLI));

    assertThat(judge(record, 2)).isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    time.advance(TTL.minus(MILLI));
    assertThat(judge(record, 2)).isInstanceOf(TakeoverDecision.Standing.class);
  }

  @Test
  void record_thatIsReadAtAnOlderVersion_isStaleAndResetsNothing() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 5);
    time.advance(TTL.dividedBy(2));

    assertThat(judge(record, 4)).isInstanceOf(TakeoverDecision.Stale.class);

    time.advance(TTL.dividedBy(2));
    assertThat(judge(record, 4)).isInstanceOf(TakeoverDecision.Stale.class);
    assertThat(judge(record, 5)).isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void record_ofAnotherIncarnation_isObservedAnew_whateverItsNumbers() {
    LockRecord record = undated("a", TTL_MILLIS);
    observations.decide(record, new Version(LIFE, 1, 5), OWN_TTL);
    time.advance(TTL.minus(MILLI));

    Version lower = new Version(new Incarnation("next life", 0), 1, 4);
    assertThat(observations.decide(record, lower, OWN_TTL))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    time.advance(MILLI);
    assertThat(observations.decide(record, lower, OWN_TTL))
        .isInstanceOf(TakeoverDecision.Standing.class);
  }

  @Test
  void version_thatOnlyADirtyReadShowed_doesNotHideTheRealRecordForEver() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 50); // by a primary that was cut off: never committed
    for (int i = 0; i < 5; i++) {
      time.advance(TTL);
      judge(record, 49); // by everybody else
    }

    assertThat(judge(record, 49)).isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void observation_ofAReaderWhoLooksRarely_isKept() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 1);
    time.advance(TTL.multipliedBy(10));

    assertThat(judge(record, 1)).isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void monotonicClockOfTheReader_isTheOnlyOneThatCounts() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 1);

    machine.stepWallClock(Duration.ofDays(1));
    assertThat(judge(record, 1)).isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));

    machine.suspend();
    time.advance(TTL.multipliedBy(3));
    machine.resume();
    assertThat(judge(record, 1))
        .as("the reader slept, and does not count what it did not see")
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
  }

  @Test
  void ttl_thatIsMissingOrMakesNoSense_countsAsFiveMinutesOrTheReadersOwn() {
    for (long missing : new long[] {0, -1, Long.MIN_VALUE}) {
      LockRecord record = undated("missing " + missing, missing);
      assertThat(judge(record, 1))
          .isEqualTo(new TakeoverDecision.Standing(Duration.ofMinutes(5).toNanos()));
    }
    Duration longer = Duration.ofMinutes(6);
    assertThat(observations.decide(undated("own is longer", 0), new Version(LIFE, 1, 1), longer))
        .isEqualTo(new TakeoverDecision.Standing(longer.toNanos()));
  }

  @Test
  void ttl_thatIsMissing_runsOutAlsoWhenReadersOfDifferentTtlsTakeTurns() {
    LockRecord record = undated("a", 0);
    Version version = new Version(LIFE, 1, 1);
    for (int i = 0; i < 12; i++) {
      observations.decide(record, version, Duration.ofMinutes(6));
      time.advance(Duration.ofSeconds(30));
      observations.decide(record, version, Duration.ofSeconds(1));
      time.advance(Duration.ofSeconds(30));
    }

    assertThat(observations.decide(record, version, Duration.ofMinutes(6)))
        .isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void ttl_thatIsHuge_saturates() {
    LockRecord record = undated("a", Long.MAX_VALUE);
    assertThat(judge(record, 1)).isEqualTo(new TakeoverDecision.Standing(Long.MAX_VALUE));

    time.advance(Duration.ofDays(1));
    assertThat(judge(record, 1)).isInstanceOf(TakeoverDecision.Standing.class);
  }

  @Test
  void forget_beginsAnew() {
    LockRecord record = undated("a", TTL_MILLIS);
    judge(record, 1);
    time.advance(TTL.minus(MILLI));
    observations.forget("a");

    assertThat(judge(record, 1)).isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(observations.size()).isEqualTo(1);
    observations.clear();
    assertThat(observations.size()).isZero();
  }

  // --- Expired by the calendar

  @Test
  @GuardsAgainst(Pitfall.COLD_START_WAITS_A_WHOLE_LEASE)
  void calendar_whenExpiryAndSkewHavePassed_permitsATakeOverAtTheFirstSight() {
    LockRecord record = expiringIn(Duration.ofSeconds(-10), 2_000L);

    assertThat(judge(record, 1))
        .isEqualTo(new TakeoverDecision.Expired("it expired at " + record.expiresAt()));
  }

  @Test
  void calendar_countsTheLargerSkewOfTheTwo() {
    for (long theirs : new long[] {0, 1_999, 2_000, 7_000}) {
      Duration skew = Duration.ofMillis(Math.max(theirs, World.SKEW.toMillis()));
      String id = "theirs " + theirs;

      assertThat(judge(dated(id, machine.instant().minus(skew), theirs), 1))
          .as("exactly at the end")
          .isEqualTo(new TakeoverDecision.Standing(MILLI.toNanos()));
      assertThat(judge(dated(id, machine.instant().minus(skew).minus(MILLI), theirs), 2))
          .as("past the end")
          .isInstanceOf(TakeoverDecision.Expired.class);
    }
  }

  @Test
  void calendar_whenTheHolderDoesNotTrustIt_isNotUsed() {
    assertThat(judge(expiringIn(Duration.ofDays(-1), null), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(expiringIn(Duration.ofDays(-1), -1L), 2))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
  }

  @Test
  void calendar_whenTheReaderDoesNotTrustIt_isNotUsed() {
    Observations careful = new Observations(clocks, World.SKEW, false);

    assertThat(
            careful.decide(
                expiringIn(Duration.ofDays(-1), 2_000L), new Version(LIFE, 1, 1), OWN_TTL))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
  }

  @Test
  void calendar_ofARecordWithMissingParts_isNotUsed() {
    Instant past = machine.instant().minus(Duration.ofDays(1));
    Duration unknown = Duration.ofMinutes(5);
    assertThat(judge(record("no expiry", "t", past, null, TTL_MILLIS, 0L), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(record("no creation", "t", null, past, TTL_MILLIS, 0L), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(record("no token", "", past, past, TTL_MILLIS, 0L), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(record("no ttl", "t", past, past, 0, 0L), 1))
        .isEqualTo(new TakeoverDecision.Standing(unknown.toNanos()));
  }

  @Test
  void calendar_withDatesOutOfThisWorld_neitherThrowsNorPermits() {
    Instant past = machine.instant();
    assertThat(judge(record("max", "t", past, Instant.MAX, TTL_MILLIS, 5L), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(record("skew", "t", past, past, TTL_MILLIS, Long.MAX_VALUE), 1))
        .isEqualTo(new TakeoverDecision.Standing(TTL.toNanos()));
    assertThat(judge(record("min", "t", past, Instant.MIN, TTL_MILLIS, 5L), 1))
        .isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void standing_saysTheSoonerOfBothEnds() {
    LockRecord soonByTheCalendar = expiringIn(Duration.ofSeconds(3), 2_000L);

    assertThat(judge(soonByTheCalendar, 1))
        .isEqualTo(new TakeoverDecision.Standing(Duration.ofSeconds(5).plus(MILLI).toNanos()));
  }

  // --- Bounds

  @Test
  void entries_neverGrowBeyondTheBound_andTheIdleOnesMakeRoom() {
    Observations small = new Observations(clocks, World.SKEW, false, 10);
    for (int i = 0; i < 50; i++) {
      small.decide(undated("lock " + i, TTL_MILLIS), new Version(LIFE, 1, 1), OWN_TTL);
      assertThat(small.size()).isLessThanOrEqualTo(10);
    }

    time.advance(TTL.multipliedBy(2));
    LockRecord late = undated("late", TTL_MILLIS);
    small.decide(late, new Version(LIFE, 1, 1), OWN_TTL);
    assertThat(small.size()).as("all others were idle for two TTLs").isEqualTo(1);
    time.advance(TTL);
    assertThat(small.decide(late, new Version(LIFE, 1, 1), OWN_TTL))
        .isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void entries_behindALongLivedOne_makeRoomToo() {
    Observations small = new Observations(clocks, World.SKEW, false, 10);
    small.decide(
        undated("long", Duration.ofHours(24).toMillis()), new Version(LIFE, 1, 1), OWN_TTL);
    for (int i = 0; i < 9; i++) {
      small.decide(undated("short " + i, 1_000), new Version(LIFE, 1, 1), OWN_TTL);
    }
    time.advance(Duration.ofMinutes(1));

    LockRecord late = undated("late", TTL_MILLIS);
    small.decide(late, new Version(LIFE, 1, 1), OWN_TTL);
    time.advance(TTL);
    assertThat(small.decide(late, new Version(LIFE, 1, 1), OWN_TTL))
        .isInstanceOf(TakeoverDecision.Expired.class);
  }

  @Test
  void lock_beyondTheBound_isStillTakenOverByTheCalendar() {
    Observations full = new Observations(clocks, World.SKEW, true, 1);
    full.decide(undated("first", TTL_MILLIS), new Version(LIFE, 1, 1), OWN_TTL);

    assertThat(
            full.decide(expiringIn(Duration.ofSeconds(-3), 0L), new Version(LIFE, 1, 1), OWN_TTL))
        .isInstanceOf(TakeoverDecision.Expired.class);
    assertThat(full.size()).isEqualTo(1);
  }

  private TakeoverDecision judge(LockRecord record, long seqNo) {
    return observations.decide(record, new Version(LIFE, 1, seqNo), OWN_TTL);
  }

  /** A record of a holder who does not want its dates to be trusted. */
  private LockRecord undated(String lockId, long ttlMillis) {
    return record(lockId, "token", machine.instant(), machine.instant(), ttlMillis, null);
  }

  private LockRecord expiringIn(Duration duration, @Nullable Long skewMillis) {
    return dated("dated", machine.instant().plus(duration), skewMillis);
  }

  private LockRecord dated(String lockId, Instant expiresAt, @Nullable Long skewMillis) {
    return record(lockId, "token", expiresAt.minus(TTL), expiresAt, TTL_MILLIS, skewMillis);
  }

  private static LockRecord record(
      String lockId,
      String token,
      @Nullable Instant createdAt,
      @Nullable Instant expiresAt,
      long ttlMillis,
      @Nullable Long skewMillis) {
    return new LockRecord(
        lockId, token, "somebody", createdAt, expiresAt, ttlMillis, skewMillis, Map.of());
  }
}
