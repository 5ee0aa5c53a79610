package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Next;
import dev.holdfast.lock.SessionState.Released;
import dev.holdfast.lock.SessionState.Releasing;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** The rules of a session alone: whatever happens, in whatever order. */
class SessionStatePropertyTest {
  private static final Duration TTL = Duration.ofSeconds(10);
  private static final Duration SKEW = Duration.ofMillis(500);
  private static final Instant WALL = Instant.parse("2030-01-01T00:00:00Z");
  private static final Incarnation LIFE = new Incarnation("life", 0);
  private static final Incarnation NEXT_LIFE = new Incarnation("next life", 0);

  /** Something that happens to a session, a while after what happened before. */
  private record Event(Kind kind, long afterMillis, long wallStepMillis, int ageMillis) {}

  private enum Kind {
    TIME_PASSES,
    ACKNOWLEDGED,
    SEES_OURS,
    SEES_OTHERS,
    SEES_NOTHING,
    SEES_STALE,
    SEES_OTHER_LIFE,
    HEARS_NOTHING,
    RELEASES,
    DELETES
  }

  @Property(tries = 2_000)
  void session_underAnyEvents_endsForGoodAndNeverOutlivesItsLastWrite(
      @ForAll("events") List<Event> events) {
    long nanos = 0;
    Instant wall = WALL;
    long seqNo = 1;
    long lastWriteNanos = 0;
    SessionState state = Holding.granted(version(seqNo), validity(new ClockReading(nanos, wall)));

    for (Event event : events) {
      nanos += event.afterMillis() * 1_000_000;
      wall = wall.plusMillis(event.afterMillis() + event.wallStepMillis());
      ClockReading now = new ClockReading(nanos, wall);
      SessionState before = state;
      if (state instanceof Holding holding) {
        // What every use begins with.
        state = holding.at(now);
      }
      if (state instanceof Holding holding) {
        long writeNanos = nanos - event.ageMillis() * 1_000_000L;
        ClockReading write = new ClockReading(writeNanos, wall.minusMillis(event.ageMillis()));
        state = next(holding, event.kind(), version(seqNo + 1), write, now);
        if (state instanceof Holding after && !after.version().equals(holding.version())) {
          seqNo++;
          lastWriteNanos = writeNanos;
        }
      } else if (state instanceof Releasing releasing) {
        state = next(releasing, event.kind(), now);
      }

      assertThat(isLegal(before, state)).as("%s -> %s", before, state).isTrue();
      if (state instanceof Holding) {
        assertThat(nanos - lastWriteNanos)
            .as("belief, counted from the start of the last acknowledged write")
            .isLessThan(TTL.toNanos());
      }
    }
  }

  /** A holder may go on, give back or lose; one who gives back goes on or is done; done is done. */
  private static boolean isLegal(SessionState before, SessionState after) {
    if (before instanceof Holding) {
      return !(after instanceof Released);
    } else if (before instanceof Releasing) {
      return after instanceof Releasing || after instanceof Released;
    }
    return before.equals(after);
  }

  private static SessionState next(
      Holding holding, Kind kind, Version version, ClockReading write, ClockReading now) {
    return switch (kind) {
      case TIME_PASSES, DELETES -> holding;
      case ACKNOWLEDGED -> holding.acknowledged(version, validity(write), now);
      case RELEASES -> holding.release();
      case SEES_OURS -> next(holding.seen(new ObservedRecord.Ours(version)));
      case SEES_OTHERS -> next(holding.seen(new ObservedRecord.Others(others(), version)));
      case SEES_NOTHING -> next(holding.seen(new ObservedRecord.Absent()));
      case SEES_STALE -> next(holding.seen(new ObservedRecord.Stale()));
      case SEES_OTHER_LIFE -> next(holding.seen(new ObservedRecord.OtherIncarnation()));
      case HEARS_NOTHING ->
          next(holding.seen(new ObservedRecord.Unavailable(new IllegalStateException(), true)));
    };
  }

  private static SessionState next(Next next) {
    if (next instanceof Next.Write write) {
      return write.state();
    } else if (next instanceof Next.Read read) {
      return read.state();
    } else if (next instanceof Next.Later later) {
      return later.state();
    }
    return ((Next.End) next).state();
  }

  private static SessionState next(Releasing releasing, Kind kind, ClockReading now) {
    return switch (kind) {
      case TIME_PASSES, ACKNOWLEDGED -> releasing;
      case RELEASES -> releasing.deleting();
      case DELETES -> releasing.deleted();
      case SEES_OURS -> releasing.seen(new ObservedRecord.Ours(releasing.version()), now);
      case SEES_OTHERS -> releasing.seen(new ObservedRecord.Others(others(), version(99)), now);
      case SEES_NOTHING -> releasing.seen(new ObservedRecord.Absent(), now);
      case SEES_STALE -> releasing.seen(new ObservedRecord.Stale(), now);
      case SEES_OTHER_LIFE -> releasing.seen(new ObservedRecord.OtherIncarnation(), now);
      case HEARS_NOTHING ->
          releasing.seen(new ObservedRecord.Unavailable(new IllegalStateException(), true), now);
    };
  }

  @Provide
  Arbitrary<List<Event>> events() {
    Arbitrary<Event> event =
        Combinators.combine(
                // Releases are rare, or no session would live for long.
                Arbitraries.frequencyOf(
                    Tuple.of(9, Arbitraries.of(Kind.ACKNOWLEDGED, Kind.SEES_OURS)),
                    Tuple.of(4, Arbitraries.of(Kind.TIME_PASSES, Kind.SEES_STALE)),
                    Tuple.of(3, Arbitraries.of(Kind.class))),
                Arbitraries.longs().between(0, 6_000),
                Arbitraries.frequency(Tuple.of(8, 0L), Tuple.of(1, -20_000L), Tuple.of(1, 3_000L)),
                Arbitraries.integers().between(0, 12_000))
            .as(Event::new);
    return event.list().ofMaxSize(40);
  }

  // --- Each rule by itself

  @Example
  void acknowledgement_afterTheOldValidityHadEnded_isALoss() {
    Holding holding = Holding.granted(version(1), validity(new ClockReading(0, WALL)));
    ClockReading late = reading(9_900);

    assertThat(holding.acknowledged(version(2), validity(reading(9_000)), late))
        .isEqualTo(Lost.validityEnded());
  }

  @Example
  void acknowledgement_ofAWriteThatBeganTooLongAgo_isALoss() {
    Holding holding = Holding.granted(version(1), validity(reading(9_000)));

    assertThat(holding.acknowledged(version(2), validity(reading(0)), reading(9_900)))
        .isInstanceOf(Lost.class);
  }

  @Example
  void absence_isBelievedTheSecondTimeInARow_only() {
    Holding holding = Holding.granted(version(1), validity(reading(0)));

    Next.Read once = (Next.Read) holding.seen(new ObservedRecord.Absent());
    assertThat(once.state().seen(new ObservedRecord.Absent())).isInstanceOf(Next.End.class);

    Next.Write between = (Next.Write) once.state().seen(new ObservedRecord.Ours(version(1)));
    assertThat(between.state().seen(new ObservedRecord.Absent())).isInstanceOf(Next.Read.class);
  }

  @Example
  void loss_toAnotherHolder_namesIt_andLeavesNoRecordOfOurs() {
    Holding holding = Holding.granted(version(1), validity(reading(0)));

    Next.End end = (Next.End) holding.seen(new ObservedRecord.Others(others(), version(2)));

    assertThat(end.state().message()).contains("somebody else");
    assertThat(end.state().recordMayRemain()).isFalse();
  }

  @Example
  void release_thatFindsNothing_isConfirmedOnlyIfADeleteWasSentAndTheLeaseIsStillValid() {
    Releasing silent = Holding.granted(version(1), validity(reading(0))).release();
    Releasing sent = silent.deleting();

    assertThat(absentTwice(sent, reading(8_400))).isEqualTo(new Released(ReleaseResult.RELEASED));
    assertThat(absentTwice(sent, reading(9_900))).isEqualTo(new Released(ReleaseResult.NOT_HELD));
    assertThat(absentTwice(silent, reading(8_400))).isEqualTo(new Released(ReleaseResult.NOT_HELD));
  }

  @Example
  void handoff_needsHalfOfWhatARenewalGives_andTheNextCallerAQuarter() {
    Validity validity = validity(new ClockReading(0, WALL));
    Holding holding = Holding.granted(version(1), validity);
    long full = validity.fullNanos();
    assertThat(full).isEqualTo(validity.remainingNanos(new ClockReading(0, WALL)));

    assertThat(holding.lastsForAnother(withRemaining(full, full / 2))).isTrue();
    assertThat(holding.lastsForAnother(withRemaining(full, full / 2 - 1_000_000))).isFalse();
    assertThat(holding.lastsForNext(withRemaining(full, full / 4))).isTrue();
    assertThat(holding.lastsForNext(withRemaining(full, full / 4 - 1_000_000))).isFalse();
  }

  /** By both clocks; the wall clock's padding is a part of what is full. */
  private static ClockReading withRemaining(long full, long remaining) {
    return reading((full - remaining) / 1_000_000);
  }

  @Example
  void renewal_thatIsAcknowledgedDuringARelease_countsWhileBothAreValidAndNoDeleteWasSent() {
    Releasing releasing = Holding.granted(version(1), validity(reading(0))).release();
    Validity newer = validity(reading(5_000));

    assertThat(releasing.acknowledged(version(2), newer, reading(6_000)))
        .contains(Holding.granted(version(2), newer));
    assertThat(releasing.deleting().acknowledged(version(2), newer, reading(6_000))).isEmpty();
    assertThat(releasing.acknowledged(version(2), newer, reading(9_900))).isEmpty();
    Releasing valid = Holding.granted(version(1), newer).release();
    assertThat(valid.acknowledged(version(2), validity(reading(0)), reading(9_900))).isEmpty();
  }

  @Example
  void release_thatSeesOurRecord_deletesThatVersion_andForgetsThatItSawNone() {
    Releasing sent = Holding.granted(version(1), validity(reading(0))).release().deleting();
    Releasing absentOnce = (Releasing) sent.seen(new ObservedRecord.Absent(), reading(1));

    assertThat(absentOnce.seen(new ObservedRecord.Ours(version(2)), reading(1)))
        .isEqualTo(new Releasing(version(2), sent.validity(), true, 0));
    assertThat(absentOnce.seen(new ObservedRecord.Stale(), reading(1))).isEqualTo(absentOnce);
  }

  private static SessionState absentTwice(Releasing releasing, ClockReading now) {
    Releasing once = (Releasing) releasing.seen(new ObservedRecord.Absent(), now);
    return once.seen(new ObservedRecord.Absent(), now);
  }

  // --- What a read means

  @Example
  void sighting_ofAnOlderVersion_isStale_whosesoeverTokenItCarries() {
    Version known = version(5);
    assertThat(ObservedRecord.of(found("ours", version(4)), "ours", known))
        .isInstanceOf(ObservedRecord.Stale.class);
    assertThat(ObservedRecord.of(found("theirs", version(4)), "ours", known))
        .isInstanceOf(ObservedRecord.Stale.class);
    assertThat(ObservedRecord.of(found("ours", version(5)), "ours", known))
        .isEqualTo(new ObservedRecord.Ours(version(5)));
    assertThat(ObservedRecord.of(found("theirs", version(6)), "ours", known))
        .isInstanceOf(ObservedRecord.Others.class);
  }

  @Example
  void sighting_acrossIncarnations_isNeverStale() {
    Version known = new Version(LIFE, 9, 99);
    ReadResult newLife = found("theirs", new Version(NEXT_LIFE, 1, 0));

    assertThat(ObservedRecord.of(newLife, "ours", known)).isInstanceOf(ObservedRecord.Others.class);
    assertThat(ObservedRecord.ofHeld(newLife, "ours", known))
        .isInstanceOf(ObservedRecord.OtherIncarnation.class);
    assertThat(ObservedRecord.ofHeld(new ReadResult.Absent(NEXT_LIFE), "ours", known))
        .isInstanceOf(ObservedRecord.OtherIncarnation.class);
    assertThat(ObservedRecord.ofHeld(new ReadResult.Absent(null), "ours", known))
        .as("no index at all")
        .isInstanceOf(ObservedRecord.OtherIncarnation.class);
    assertThat(ObservedRecord.ofHeld(new ReadResult.Absent(LIFE), "ours", known))
        .isInstanceOf(ObservedRecord.Absent.class);
  }

  @Example
  void sighting_ofNoAnswer_saysWhetherToTryAgain() {
    IllegalStateException cause = new IllegalStateException();
    assertThat(ObservedRecord.of(new ReadResult.Unavailable(cause), "ours", null))
        .isEqualTo(new ObservedRecord.Unavailable(cause, true));
    assertThat(ObservedRecord.of(new ReadResult.Rejected(cause), "ours", null))
        .isEqualTo(new ObservedRecord.Unavailable(cause, false));
  }

  private static ReadResult found(String token, Version version) {
    return new ReadResult.Found(
        new LockRecord("a", token, "somebody else", null, null, 0, null, Map.of()), version);
  }

  private static LockRecord others() {
    return new LockRecord("a", "other", "somebody else", null, null, 0, null, Map.of());
  }

  private static Version version(long seqNo) {
    return new Version(LIFE, 1, seqNo);
  }

  private static ClockReading reading(long millis) {
    return new ClockReading(millis * 1_000_000, WALL.plusMillis(millis));
  }

  private static Validity validity(ClockReading start) {
    return Validity.from(start, TTL, 0.1, SKEW);
  }
}
