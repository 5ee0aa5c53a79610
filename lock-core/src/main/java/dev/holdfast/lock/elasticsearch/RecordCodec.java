package dev.holdfast.lock.elasticsearch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.lock.store.LockRecord;
import jakarta.json.JsonArray;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A lock record as JSON. Reading never fails: whatever stands in the index under a lock's id is
 * that lock's record, and a part that makes no sense is one that is not there.
 */
final class RecordCodec {
  static final String TOKEN = "token";
  static final String OWNER = "owner";
  static final String CREATED_AT = "createdAt";
  static final String EXPIRES_AT = "expiresAt";
  static final String TTL_MILLIS = "ttlMillis";
  static final String MAX_CLOCK_SKEW_MILLIS = "maxClockSkewMillis";
  static final String METADATA = "metadata";

  /** Deeper than this, metadata of others is cut off: it is only for show. */
  private static final int MAX_DEPTH = 100;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private RecordCodec() {}

  static byte[] encode(LockRecord record) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put(TOKEN, record.token());
    json.put(OWNER, record.owner());
    if (record.createdAt() != null) {
      json.put(CREATED_AT, record.createdAt().toString());
    }
    if (record.expiresAt() != null) {
      json.put(EXPIRES_AT, record.expiresAt().toString());
    }
    json.put(TTL_MILLIS, record.ttlMillis());
    if (record.maxClockSkewMillis() != null) {
      json.put(MAX_CLOCK_SKEW_MILLIS, record.maxClockSkewMillis());
    }
    json.set(METADATA, MAPPER.valueToTree(record.metadata()));
    try {
      return MAPPER.writeValueAsString(json).getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON values is always serialisable", e);
    }
  }

  static LockRecord decode(String lockId, @Nullable JsonValue source) {
    JsonObject json = source instanceof JsonObject object ? object : JsonValue.EMPTY_JSON_OBJECT;
    return new LockRecord(
        lockId,
        text(json.get(TOKEN)),
        text(json.get(OWNER)),
        instant(json.get(CREATED_AT)),
        instant(json.get(EXPIRES_AT)),
        positiveOr0(json.get(TTL_MILLIS)),
        skew(json.get(MAX_CLOCK_SKEW_MILLIS)),
        metadata(json.get(METADATA)));
  }

  private static String text(@Nullable JsonValue value) {
    return value instanceof JsonString string ? string.getString() : "";
  }

  private static @Nullable Instant instant(@Nullable JsonValue value) {
    if (value instanceof JsonString string) {
      try {
        return Instant.parse(string.getString());
      } catch (DateTimeException e) {
        return null;
      }
    }
    return null;
  }

  private static long positiveOr0(@Nullable JsonValue value) {
    Long number = saturated(value);
    return number == null ? 0 : Math.max(0, number);
  }

  private static @Nullable Long skew(@Nullable JsonValue value) {
    Long number = saturated(value);
    return number == null || number < 0 ? null : number;
  }

  /** The number as a long, or the nearest one there is. Never expands an exponent. */
  private static @Nullable Long saturated(@Nullable JsonValue value) {
    if (value instanceof JsonNumber number) {
      double approximate = number.doubleValue();
      if (approximate >= Long.MAX_VALUE) {
        return Long.MAX_VALUE;
      } else if (approximate <= Long.MIN_VALUE) {
        return Long.MIN_VALUE;
      }
      return Math.abs(approximate) < 1 ? 0 : number.longValue();
    }
    return null;
  }

  private static Map<String, Object> metadata(@Nullable JsonValue value) {
    if (value instanceof JsonObject object) {
      return map(object, 0);
    }
    return Map.of();
  }

  @SuppressWarnings("NullAway") // JSON objects may hold nulls.
  private static Map<String, Object> map(JsonObject object, int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    object.forEach((key, value) -> map.put(key, plain(value, depth + 1)));
    return Collections.unmodifiableMap(map);
  }

  @SuppressWarnings("NullAway") // JSON arrays may hold nulls.
  private static List<Object> list(JsonArray array, int depth) {
    List<Object> list = new ArrayList<>();
    array.forEach(value -> list.add(plain(value, depth + 1)));
    return Collections.unmodifiableList(list);
  }

  private static @Nullable Object plain(JsonValue value, int depth) {
    if (depth > MAX_DEPTH) {
      return null;
    }
    return switch (value.getValueType()) {
      case NULL -> null;
      case TRUE -> true;
      case FALSE -> false;
      case STRING -> ((JsonString) value).getString();
      case NUMBER -> number((JsonNumber) value);
      case ARRAY -> list(value.asJsonArray(), depth);
      case OBJECT -> map(value.asJsonObject(), depth);
    };
  }

  /** As Jackson reads it: the smallest type that holds it exactly. */
  private static Object number(JsonNumber number) {
    if (!number.isIntegral()) {
      return number.doubleValue();
    }
    BigInteger whole = number.bigIntegerValue();
    if (whole.bitLength() < Integer.SIZE) {
      return whole.intValue();
    }
    return whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
  }
}
