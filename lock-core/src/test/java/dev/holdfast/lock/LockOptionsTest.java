package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.LockRecord;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LockOptionsTest {
  private static final long DAY_MILLIS = 24 * 60 * 60 * 1000L;

  @Property
  void ttl_inRange_isTaken(@ForAll @LongRange(min = 100, max = DAY_MILLIS) long millis) {
    assertThat(LockOptions.defaults().withTtl(Duration.ofMillis(millis)).ttl())
        .isEqualTo(Duration.ofMillis(millis));
  }

  @Property
  @GuardsAgainst(Pitfall.ARGUMENTS_ARE_IGNORED)
  void ttl_outOfRange_isRefusedWithValueAndRange(@ForAll long millis) {
    if (millis >= 100 && millis <= DAY_MILLIS) {
      return;
    }
    Duration ttl = Duration.ofMillis(millis);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withTtl(ttl))
        .withMessageContainingAll("ttl", "100 ms", "24 h", ttl.toString());
  }

  @Example
  void ttl_thatOverflowsNanoseconds_isRefusedLikeAnyOther() {
    for (Duration ttl : List.of(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofSeconds(-1))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> LockOptions.defaults().withTtl(ttl))
          .withMessageContaining(ttl.toString());
    }
  }

  @Property
  void ttl_withPartsOfAMillisecond_isRefused(
      @ForAll @LongRange(min = 100, max = DAY_MILLIS - 1) long millis,
      @ForAll @LongRange(min = 1, max = 999_999) long nanos) {
    Duration ttl = Duration.ofMillis(millis).plusNanos(nanos);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withTtl(ttl))
        .withMessageContainingAll("ttl", "whole milliseconds", ttl.toString());
  }

  @Property
  void waitTimeout_outOfRange_isRefusedWithValueAndRange(@ForAll long seconds) {
    Duration wait = Duration.ofSeconds(seconds);
    if (seconds >= 0 && seconds <= LockOptions.MAX_WAIT.toSeconds()) {
      assertThat(LockOptions.defaults().withWaitTimeout(wait).waitTimeout()).isEqualTo(wait);
    } else {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> LockOptions.defaults().withWaitTimeout(wait))
          .withMessageContainingAll("waitTimeout", "0 to 365 days", wait.toString());
    }
  }

  @Example
  void defaults_areThoseThatAreDocumented() {
    LockOptions options = LockOptions.defaults();
    assertThat(options.ttl()).isEqualTo(Duration.ofSeconds(30));
    assertThat(options.waitTimeout()).isZero();
    assertThat(options.autoRenew()).isTrue();
    assertThat(options.onLeaseLost()).isEqualTo(OnLeaseLost.INTERRUPT);
    assertThat(options.metadata()).isEmpty();
  }

  @Example
  void with_changesOnePartOfACopy() {
    LockOptions before = LockOptions.defaults();
    LockOptions after =
        before
            .withTtl(Duration.ofSeconds(5))
            .withWaitTimeout(Duration.ofSeconds(6))
            .withMetadata(Map.of("job", "nightly"))
            .withAutoRenew(false)
            .withOnLeaseLost(OnLeaseLost.NOTIFY);

    assertThat(before).isEqualTo(LockOptions.defaults()).isNotEqualTo(after);
    assertThat(after.ttl()).isEqualTo(Duration.ofSeconds(5));
    assertThat(after.waitTimeout()).isEqualTo(Duration.ofSeconds(6));
    assertThat(after.metadata()).containsExactly(Map.entry("job", "nightly"));
    assertThat(after.autoRenew()).isFalse();
    assertThat(after.onLeaseLost()).isEqualTo(OnLeaseLost.NOTIFY);
    assertThat(after).hasToString(after.withAutoRenew(false).toString());
    assertThat(after).hasSameHashCodeAs(after.withAutoRenew(false));
  }

  @Example
  void limits_atTheirBounds_areTaken_andEachChangesTheHashCode() {
    LockOptions options = LockOptions.defaults();
    List<LockOptions> changed =
        List.of(
            options.withLinger(Duration.ofHours(12)),
            options.withHoldAtLeast(Duration.ofHours(24)),
            options.withMaxHold(Duration.ofMillis(1)),
            options.withMaxHold(Duration.ofDays(365)),
            options.withTtl(Duration.ofHours(24)),
            options.withWaitTimeout(Duration.ofDays(365)));

    assertThat(options.withLinger(Duration.ZERO).withHoldAtLeast(Duration.ZERO))
        .isEqualTo(options)
        .hasSameHashCodeAs(options);
    assertThat(changed).doesNotHaveDuplicates();
    // Nothing demands that, but equal ones for all would make a map a list.
    assertThat(changed).extracting(LockOptions::hashCode).doesNotHaveDuplicates();
  }

  @Example
  void metadata_isCopied_soThatLaterChangesHaveNoEffect() {
    List<Object> inner = new ArrayList<>(List.of(1, 2));
    Map<String, Object> metadata = new HashMap<>(Map.of("list", inner));

    LockOptions options = LockOptions.defaults().withMetadata(metadata);
    inner.add(3);
    metadata.put("more", true);

    assertThat(options.metadata()).containsExactly(Map.entry("list", List.of(1, 2)));
    assertThatThrownBy(() -> options.metadata().put("x", 1))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(options.metadata().get("list"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .isUnmodifiable();
  }

  @Example
  @SuppressWarnings("NullAway") // JSON has nulls.
  void metadata_keepsOrderAndNulls() {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("z", null);
    metadata.put("a", Map.of("deep", 1.5));

    Map<String, Object> kept = LockOptions.defaults().withMetadata(metadata).metadata();

    assertThat(kept.keySet()).containsExactly("z", "a");
    assertThat(kept.get("z")).isNull();
  }

  static Stream<Object> valuesThatJacksonCannotWrite() {
    return Stream.of(
        Instant.EPOCH,
        Duration.ZERO,
        LocalDate.EPOCH,
        ZonedDateTime.of(2026, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC),
        Optional.of("x"),
        OptionalInt.of(1),
        new Object());
  }

  /** Jackson's own advice, to register a module, is of no use to somebody without its mapper. */
  @ParameterizedTest
  @MethodSource("valuesThatJacksonCannotWrite")
  void metadata_ofATypeThatNeedsAModule_isRefused_withAdviceThatCanBeFollowed(Object value) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                LockOptions.defaults()
                    .withMetadata(Map.of("jobs", List.of(Map.of("started\n", value)))))
        .withMessageContainingAll(
            "metadata.jobs[0].started\\n", value.getClass().getName(), "as a string")
        .withMessageNotContainingAny("jsr310", "jdk8", "SerializationFeature", "MapperFeature");
    assertThat(
            LockOptions.defaults()
                .withMetadata(Map.of("value", value.toString()))
                .metadata()
                .get("value"))
        .isEqualTo(value.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e400", "-1e400"})
  void metadata_withANumberThatWouldBeReadBackAsAnother_isRefused(String number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withMetadata(Map.of("x", new BigDecimal(number))))
        .withMessageContainingAll("number", "string");
  }

  static Stream<Arguments> valuesThatAreNoJson() {
    Map<String, Object> nullKey = new HashMap<>();
    nullKey.put(null, 1);
    return Stream.of(
        Arguments.of(Double.NaN, "not finite"),
        Arguments.of(Float.NEGATIVE_INFINITY, "not finite"),
        Arguments.of(BigInteger.TEN.pow(1_100), "number"),
        Arguments.of("x".repeat(21_000_000), "too long"),
        Arguments.of(Map.of("k".repeat(60_000), 1), "key"),
        Arguments.of(nullKey, "key at metadata.x"));
  }

  @ParameterizedTest
  @MethodSource("valuesThatAreNoJson")
  void metadata_thatIsRefused_isNotSaidToBeNestedTooDeeply_ifItIsNot(Object value, String said) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withMetadata(Map.of("x", value)))
        .withMessageContainingAll("metadata", said)
        .withMessageNotContaining("levels");
  }

  @Example
  void options_withMetadataThatHasLineBreaks_arePrintedInOneLine() {
    assertThat(LockOptions.defaults().withMetadata(Map.of("a", "b\nc")).toString())
        .contains("b\\nc")
        .doesNotContain("\n");
  }

  private static Object nested(int levels, boolean lists) {
    Object value = "leaf";
    for (int i = 0; i < levels; i++) {
      value = lists ? List.of(value) : Map.of("down", value);
    }
    return value;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void metadata_ofAsManyLevelsAsAreAllowed_isKept_andOfMoreIsRefused(boolean lists) {
    int most = LockRecord.MAX_METADATA_DEPTH;
    Map<String, Object> deepest = Map.of("x", nested(most - 1, lists));

    assertThat(LockOptions.defaults().withMetadata(deepest).metadata()).isEqualTo(deepest);
    for (int levels : new int[] {most, 1_000, 1_001, 100_000}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> LockOptions.defaults().withMetadata(Map.of("x", nested(levels, lists))))
          .withMessageContainingAll("metadata", String.valueOf(most));
    }
  }

  @Example
  void metadata_thatIsNoJson_isRefusedAndSaysSo() {
    Map<String, Object> endless = new HashMap<>();
    endless.put("self", endless);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withMetadata(endless))
        .withMessageContainingAll("metadata", "JSON");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LockOptions.defaults().withMetadata(Map.of("object", new Object())))
        .withMessageContainingAll("metadata", "JSON");
  }
}
