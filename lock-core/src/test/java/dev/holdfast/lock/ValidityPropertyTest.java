package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.LongRange;

class ValidityPropertyTest {
  private static final long DAY_MILLIS = 24 * 60 * 60 * 1000L;
  private static final double DRIFT = 0.1;
  private static final Instant WALL = Instant.parse("2030-01-01T00:00:00Z");

  @Property(tries = 3_000)
  void validity_underAnyStepsOfTheWallClock_neverOutlivesTheTtl(
      @ForAll long startNanos,
      @ForAll @LongRange(min = 100, max = DAY_MILLIS) long ttlMillis,
      @ForAll @LongRange(min = 0, max = 3_600_000) long skewMillis,
      @ForAll @DoubleRange(min = 0, max = 0.5) double drift,
      @ForAll @LongRange(min = 0, max = 2 * DAY_MILLIS * 1_000_000) long passedNanos,
      @ForAll @LongRange(min = -10 * DAY_MILLIS, max = 10 * DAY_MILLIS) long wallMillis) {
    Validity validity = validity(startNanos, ttlMillis, drift, skewMillis);
    ClockReading now = new ClockReading(startNanos + passedNanos, WALL.plusMillis(wallMillis));

    long remaining = validity.remainingNanos(now);

    assertThat(remaining).isNotNegative();
    assertThat(passedNanos + remaining)
        .as("believed in for so long, counted from the start of the write")
        .satisfiesAnyOf(
            total -> assertThat(remaining).isZero(),
            total ->
                assertThat(total).isLessThanOrEqualTo((long) (ttlMillis * 1e6 * (1 - drift)) + 1));
    assertThat(validity.isOver(now)).isEqualTo(remaining == 0);
  }

  @Property
  void validity_whenTheWallClockIsSetForward_isOnlyEverShorter(
      @ForAll @LongRange(min = 100, max = DAY_MILLIS) long ttlMillis,
      @ForAll @LongRange(min = 0, max = 3_600_000) long skewMillis,
      @ForAll @LongRange(min = 0, max = DAY_MILLIS) long passedMillis,
      @ForAll @LongRange(min = -DAY_MILLIS, max = DAY_MILLIS) long wallStepMillis) {
    Validity validity = validity(7, ttlMillis, skewMillis);
    Instant wall = WALL.plusMillis(passedMillis);
    long nanos = 7 + passedMillis * 1_000_000;

    long undisturbed =
        validity.remainingNanos(new ClockReading(nanos, wall.minusMillis(skewMillis)));
    long disturbed =
        validity.remainingNanos(new ClockReading(nanos, wall.plusMillis(wallStepMillis)));

    assertThat(disturbed)
        .as("no step makes it longer than the monotonic clock alone would")
        .isLessThanOrEqualTo(Math.max(undisturbed, 0));
  }

  @Property
  void validity_ofAMachineThatSlept_endsByTheWallClockAlsoIfThatWasSetBackByThePadding(
      @ForAll @LongRange(min = 100, max = DAY_MILLIS) long ttlMillis,
      @ForAll @LongRange(min = 0, max = 3_600_000) long skewMillis,
      @ForAll @LongRange(min = 0, max = 3_600_000) long setBackMillis) {
    Validity validity = validity(7, ttlMillis, skewMillis);
    long back = Math.min(setBackMillis * 1_000_000, validity.wallPaddingNanos());

    ClockReading awake = new ClockReading(7, WALL.plusMillis(ttlMillis).minusNanos(back));

    assertThat(validity.isOver(awake)).isTrue();
  }

  @Property
  void recordIsTakenForExpired_onlyWhenAWholeTtlHasPassedOnOneClock(
      @ForAll @LongRange(min = 100, max = DAY_MILLIS) long ttlMillis,
      @ForAll @LongRange(min = 0, max = 2 * DAY_MILLIS) long passedMillis,
      @ForAll @LongRange(min = -DAY_MILLIS, max = 2 * DAY_MILLIS) long wallMillis) {
    boolean passed =
        Validity.hasTtlPassed(
            new ClockReading(7, WALL),
            ttlMillis * 1_000_000,
            new ClockReading(7 + passedMillis * 1_000_000, WALL.plusMillis(wallMillis)));

    assertThat(passed).isEqualTo(Math.max(passedMillis, wallMillis) >= ttlMillis);
  }

  /**
   * A holder whose clock runs at {@code 1 - drift} of the rate of whoever counts the whole TTL,
   * from the same moment on: at the moment of the take-over it does not believe in its lease any
   * more.
   */
  @Property
  void validity_ofAClockThatIsSlowerByTheMargin_isOverWhenTheTtlHasPassedOnTheOther(
      @ForAll @LongRange(min = 100, max = DAY_MILLIS) long ttlMillis,
      @ForAll @DoubleRange(min = 0, max = 0.5) double drift,
      @ForAll @DoubleRange(min = 0.8, max = 1.2) double othersRate) {
    Validity validity = validity(7, ttlMillis, drift, 0);
    double trueNanos = ttlMillis * 1e6 / othersRate;

    // A nanosecond more, for the rounding of the product.
    long passed = (long) Math.ceil(trueNanos * othersRate * (1 - drift)) + 1;

    assertThat(validity.isOver(new ClockReading(7 + passed, Instant.MIN))).isTrue();
  }

  @Example
  void padding_ofAShortTtl_isATenthOfItAtMost() {
    assertThat(validity(0, 1_000, 2_000).wallPaddingNanos())
        .isEqualTo(Duration.ofMillis(100).toNanos());
    assertThat(validity(0, 60_000, 2_000).wallPaddingNanos())
        .isEqualTo(Duration.ofSeconds(2).toNanos());
  }

  @Example
  void validity_atItsStart_isTheTtlLessTheDriftMarginAndThePadding() {
    Validity validity = validity(3, 30_000, 2_000);

    assertThat(validity.fullNanos()).isEqualTo(World.VALIDITY.toNanos());
    assertThat(validity.remainingNanos(new ClockReading(3, WALL)))
        .isEqualTo(World.VALIDITY.toNanos());
  }

  @Example
  void validity_whenTheWallClockShowsTheEndOfTime_isOverAndDoesNotOverflow() {
    Validity validity = validity(0, 30_000, 2_000);

    assertThat(validity.isOver(new ClockReading(0, Instant.MAX))).isTrue();
    assertThat(validity.isOver(new ClockReading(0, Instant.MIN))).isFalse();
    assertThat(validity.isOver(new ClockReading(Duration.ofSeconds(30).toNanos(), Instant.MIN)))
        .isTrue();
  }

  private static Validity validity(long startNanos, long ttlMillis, long skewMillis) {
    return validity(startNanos, ttlMillis, DRIFT, skewMillis);
  }

  private static Validity validity(long startNanos, long ttlMillis, double drift, long skewMillis) {
    return Validity.from(
        new ClockReading(startNanos, WALL),
        Duration.ofMillis(ttlMillis),
        drift,
        Duration.ofMillis(skewMillis));
  }
}
