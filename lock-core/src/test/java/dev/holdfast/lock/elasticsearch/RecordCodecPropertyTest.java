package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.lock.store.LockRecord;
import jakarta.json.stream.JsonParser;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** Records as JSON: ours come back as they were, and others' never crash a reader. */
class RecordCodecPropertyTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JacksonJsonpMapper READER = new JacksonJsonpMapper();

  /** Reads as the store does: by the client's own mapper. */
  private static RecordCodec.@Nullable Source read(byte[] json) {
    try (JsonParser parser = READER.jsonProvider().createParser(new ByteArrayInputStream(json))) {
      return READER.deserialize(parser, RecordCodec.Source.class);
    }
  }

  private static LockRecord decoded(String json) {
    return RecordCodec.decode("x", read(json.getBytes(StandardCharsets.UTF_8)));
  }

  // --- Our own

  @Provide
  Arbitrary<LockRecord> records() {
    Arbitrary<Instant> instants =
        Arbitraries.longs()
            .between(-62_000_000_000_000L, 250_000_000_000_000L)
            .map(Instant::ofEpochMilli);
    return Combinators.combine(
            Arbitraries.strings().ofMaxLength(40),
            Arbitraries.strings().ofMaxLength(40),
            instants,
            instants,
            Arbitraries.longs().between(100, 86_400_000),
            Arbitraries.longs().between(0, 3_600_000).injectNull(0.3),
            metadata())
        .as(
            (token, owner, created, expires, ttl, skew, metadata) ->
                new LockRecord(
                    "x",
                    wellFormed(token),
                    wellFormed(owner),
                    created,
                    expires,
                    ttl,
                    skew,
                    metadata));
  }

  /** JSON in UTF-8 cannot hold half of a surrogate pair. */
  private static String wellFormed(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  @Provide
  Arbitrary<Map<String, Object>> metadata() {
    Arbitrary<Object> leaf =
        Arbitraries.oneOf(
            Arbitraries.strings().ofMaxLength(10).map(RecordCodecPropertyTest::wellFormed),
            Arbitraries.integers(),
            Arbitraries.longs().greaterOrEqual(1L << 40),
            Arbitraries.of(true, false),
            Arbitraries.doubles().between(-1e6, 1e6).ofScale(2).filter(d -> d != Math.rint(d)));
    Arbitrary<Object> value =
        Arbitraries.lazyOf(
            () -> leaf,
            () -> leaf,
            () -> leaf.list().ofMaxSize(3).map(list -> (Object) list),
            () -> metadata().map(map -> (Object) map));
    return Arbitraries.maps(Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(6), value)
        .ofMaxSize(3);
  }

  @Property
  void record_isReadAsItWasWritten(@ForAll("records") LockRecord record) {
    assertThat(RecordCodec.decode("x", read(RecordCodec.encode(record)))).isEqualTo(record);
  }

  // --- Others'

  /** Any JSON whatever, as text, to a depth that generators reach. */
  @Provide
  Arbitrary<String> json() {
    Arbitrary<String> leaf =
        Arbitraries.oneOf(
            Arbitraries.of(
                "null",
                "true",
                "false",
                "0",
                "-0",
                "-0.0",
                "1.5",
                "-1",
                "1e5",
                "1E-5",
                "1e308",
                "9223372036854775807",
                "9223372036854775808",
                "-9223372036854775809",
                "123456789012345678901234567890",
                "\"\"",
                "\"\\u0000\"",
                "\"\\ud800\"",
                "\"+300000-01-01T00:00:00Z\"",
                "\"+1000000000-12-31T23:59:59.999999999Z\"",
                "\"-1000000000-01-01T00:00:00Z\"",
                "\"2026-02-30T00:00:00Z\"",
                "\"now\"",
                "1764000000000",
                "{}",
                "[]"),
            Arbitraries.strings().ofMaxLength(10).map(RecordCodecPropertyTest::quoted));
    return Arbitraries.lazyOf(
        () -> leaf,
        () -> leaf,
        () -> json().list().ofMaxSize(3).map(list -> "[" + String.join(",", list) + "]"),
        () ->
            Combinators.combine(names(), json(), names(), json())
                .as((a, x, b, y) -> "{" + quoted(a) + ":" + x + "," + quoted(b) + ":" + y + "}"));
  }

  private static Arbitrary<String> names() {
    return Arbitraries.of(
        "token",
        "owner",
        "createdAt",
        "expiresAt",
        "ttlMillis",
        "maxClockSkewMillis",
        "metadata",
        "else");
  }

  private static String quoted(String text) {
    return MAPPER.valueToTree(wellFormed(text)).toString();
  }

  @Provide
  Arbitrary<String> records_withAnythingInThem() {
    return Combinators.combine(json(), json(), json(), json(), json(), json(), json())
        .as(
            (token, owner, created, expires, ttl, skew, metadata) ->
                ("{\"token\":%s,\"owner\":%s,\"createdAt\":%s,\"expiresAt\":%s,\"ttlMillis\":%s,"
                        + "\"maxClockSkewMillis\":%s,\"metadata\":%s}")
                    .formatted(token, owner, created, expires, ttl, skew, metadata));
  }

  private static void assertUsable(LockRecord record) {
    assertThat(record.token()).isNotNull();
    assertThat(record.owner()).isNotNull();
    assertThat(record.ttlMillis()).isNotNegative();
    Long skew = record.maxClockSkewMillis();
    assertThat(skew == null || skew >= 0).isTrue();
    assertThat(record.metadata()).isNotNull();
    assertThat(record.toString()).isNotEmpty();
  }

  @Property
  void anyJson_isARecord(@ForAll("json") String json) {
    assertUsable(decoded(json));
  }

  @Property
  void anyJson_inThePartsOfARecord_isARecord(@ForAll("records_withAnythingInThem") String json) {
    assertUsable(decoded(json));
  }

  @Example
  void numbers_thatAreHuge_saturate_andExpandNothing() {
    LockRecord record =
        decoded(
            "{\"ttlMillis\":1e400000000,\"maxClockSkewMillis\":1e30,\"metadata\":{\"n\":1e30}}");

    assertThat(record.ttlMillis()).isIn(0L, Long.MAX_VALUE);
    assertThat(record.maxClockSkewMillis()).isEqualTo(Long.MAX_VALUE);
    assertUsable(decoded("{\"metadata\":{\"n\":1e99999999,\"m\":-1e99999999}}"));
  }

  /** Whatever the client's number types make of it: it was too much for {@code BigDecimal}. */
  @Example
  void numbers_whoseExponentIsNoInt_areRead_andCutNothingOff() {
    LockRecord record =
        decoded(
            "{\"ttlMillis\":1e99999999999,\"maxClockSkewMillis\":-1e99999999999,"
                + "\"else\":1e99999999999,\"metadata\":{\"n\":1e99999999999,\"m\":7},\"token\":\"t\"}");

    assertThat(record.ttlMillis()).isEqualTo(Long.MAX_VALUE);
    assertThat(record.maxClockSkewMillis()).isNull();
    assertThat(record.metadata())
        .containsEntry("n", Double.POSITIVE_INFINITY)
        .containsEntry("m", 7);
    assertThat(record.token()).isEqualTo("t");
  }

  @Example
  void texts_thatAreHuge_areCutOff_andOtherFieldsAreNotKept() {
    String huge = "x".repeat(1_000_000);

    LockRecord record =
        decoded(
            "{\"token\":\"%1$s\",\"owner\":\"%1$s\",\"createdAt\":\"%1$s\",\"else\":\"%1$s\"}"
                .formatted(huge));

    assertThat(record.toString().length()).isLessThan(10_000);
    assertThat(record.createdAt()).isNull();
  }

  @Example
  void metadata_withVeryManyValues_isCutOff_andWhatFollowsIsRead() {
    String many = "[" + "[],".repeat(1_000_000) + "[]]";

    LockRecord record = decoded("{\"metadata\":{\"a\":" + many + "},\"token\":\"t\"}");

    assertThat((List<?>) record.metadata().get("a")).hasSizeBetween(10_000, 100_000);
    assertThat(record.token()).isEqualTo("t");
  }

  @Example
  void dates_farAway_areRead_andWhatIsNoDateIsNone() {
    assertThat(decoded("{\"expiresAt\":\"+300000-01-01T00:00:00Z\"}").expiresAt())
        .isEqualTo(Instant.parse("+300000-01-01T00:00:00Z"));
    assertThat(decoded("{\"expiresAt\":\"+9999999999-01-01T00:00:00Z\"}").expiresAt()).isNull();
  }

  @Example
  void ttl_thatIsNegativeOrAText_countsAsMissing() {
    for (String ttl : List.of("-5", "\"30000\"", "null", "[30000]", "{}", "true")) {
      assertThat(decoded("{\"ttlMillis\":" + ttl + "}").ttlMillis()).isZero();
    }
  }

  @Example
  void metadata_thatIsNestedDeeply_isCutOff_notFollowedToTheEnd() {
    int depth = 900;
    String json = "{\"metadata\":" + "{\"a\":".repeat(depth) + "1" + "}".repeat(depth) + "}";

    LockRecord record = decoded(json);

    assertThat(record.metadata()).containsOnlyKeys("a");
    assertThat(record.toString().length()).isLessThan(1_000);
  }

  @Example
  void source_thatIsMissing_isARecordWithoutParts() {
    assertUsable(RecordCodec.decode("x", null));
    assertThat(RecordCodec.decode("x", null).token()).isEmpty();
  }

  @Example
  void encoding_hasTheFieldsOfTheMapping_andNoOthers() throws Exception {
    List<String> names = new ArrayList<>();
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("why", "a test");
    byte[] json =
        RecordCodec.encode(
            new LockRecord("x", "t", "o", Instant.EPOCH, Instant.EPOCH, 1, 2L, metadata));
    ((ObjectNode) MAPPER.readTree(json)).fieldNames().forEachRemaining(names::add);

    assertThat(names)
        .containsExactlyInAnyOrder(
            "token",
            "owner",
            "createdAt",
            "expiresAt",
            "ttlMillis",
            "maxClockSkewMillis",
            "metadata");
  }
}
