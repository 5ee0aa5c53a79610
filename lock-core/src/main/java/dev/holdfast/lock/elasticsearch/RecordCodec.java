package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpDeserializable;
import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.json.JsonpUtils;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.lock.store.LockRecord;
import jakarta.json.stream.JsonParser;
import jakarta.json.stream.JsonParser.Event;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
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

  /** More values than these, and metadata of others is cut off: it is only for show. */
  private static final int MAX_VALUES = 100_000;

  private static final int TYPICAL_LENGTH = 320;

  private static final int BYTES_PER_VALUE = 48;

  /** Longer texts than any of ours are cut off, or they would be in messages and logs. */
  private static final int MAX_TEXT = 4_096;

  /** All fields but the metadata. */
  static final List<String> SMALL_FIELDS =
      List.of(TOKEN, OWNER, CREATED_AT, EXPIRES_AT, TTL_MILLIS, MAX_CLOCK_SKEW_MILLIS);

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private RecordCodec() {}

  static byte[] encode(LockRecord record) {
    // By way of a string: half of a surrogate pair becomes a question mark, and no exception.
    StringWriter text = new StringWriter(TYPICAL_LENGTH);
    try (JsonGenerator json = MAPPER.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField(TOKEN, record.token());
      json.writeStringField(OWNER, record.owner());
      if (record.createdAt() != null) {
        json.writeStringField(CREATED_AT, record.createdAt().toString());
      }
      if (record.expiresAt() != null) {
        json.writeStringField(EXPIRES_AT, record.expiresAt().toString());
      }
      json.writeNumberField(TTL_MILLIS, record.ttlMillis());
      if (record.maxClockSkewMillis() != null) {
        json.writeNumberField(MAX_CLOCK_SKEW_MILLIS, record.maxClockSkewMillis());
      }
      json.writeFieldName(METADATA);
      MAPPER.writeValue(json, record.metadata());
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("a record is always serialisable, and memory has no I/O", e);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The record of that lock: nothing but its id, if there is no source. */
  static LockRecord decode(String lockId, @Nullable Source source) {
    return (source == null ? new Source() : source).record(lockId);
  }

  /**
   * What was read of one document, on the way: not as a tree, which can take thirty times the
   * memory of its text. Public only for the Java client, which finds {@link #READER} by reflection;
   * the class around it is not.
   */
  @JsonpDeserializable(field = "READER")
  public static final class Source {
    /** Reads any JSON value, and takes what it can use. */
    public static final JsonpDeserializer<Source> READER =
        JsonpDeserializer.of(
            EnumSet.allOf(Event.class),
            (parser, mapper, event) -> new Source().read(parser, event));

    private String token = "";
    private String owner = "";
    private @Nullable Instant createdAt;
    private @Nullable Instant expiresAt;
    private long ttlMillis;
    private @Nullable Long maxClockSkewMillis;
    private Map<String, Object> metadata = Map.of();
    private int valuesLeft = MAX_VALUES;
    private long metadataSize;

    private Source() {}

    private LockRecord record(String lockId) {
      return new LockRecord(
          lockId, token, owner, createdAt, expiresAt, ttlMillis, maxClockSkewMillis, metadata);
    }

    /** About how many bytes the metadata takes in memory. */
    long metadataSize() {
      return metadataSize;
    }

    /** Leaves the metadata out, which is only for show. */
    Source withoutMetadata() {
      metadata = Map.of();
      return this;
    }

    private Source read(JsonParser parser, Event event) {
      if (event != Event.START_OBJECT) {
        JsonpUtils.skipValue(parser, event);
        return this;
      }
      while (parser.next() != Event.END_OBJECT) {
        String key = parser.getString();
        Event value = parser.next();
        switch (key) {
          case TOKEN -> token = text(parser, value);
          case OWNER -> owner = text(parser, value);
          case CREATED_AT -> createdAt = instant(parser, value);
          case EXPIRES_AT -> expiresAt = instant(parser, value);
          case TTL_MILLIS -> ttlMillis = positiveOr0(parser, value);
          case MAX_CLOCK_SKEW_MILLIS -> maxClockSkewMillis = skew(parser, value);
          case METADATA -> {
            valuesLeft = MAX_VALUES;
            metadataSize = 0;
            metadata = metadata(parser, value);
          }
          default -> JsonpUtils.skipValue(parser, value);
        }
      }
      return this;
    }

    private static String text(JsonParser parser, Event value) {
      if (value == Event.VALUE_STRING) {
        String text = parser.getString();
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
      }
      JsonpUtils.skipValue(parser, value);
      return "";
    }

    private static @Nullable Instant instant(JsonParser parser, Event value) {
      String text = text(parser, value);
      try {
        return text.isEmpty() ? null : Instant.parse(text);
      } catch (DateTimeException e) {
        return null;
      }
    }

    private static long positiveOr0(JsonParser parser, Event value) {
      Long number = saturated(parser, value);
      return number == null ? 0 : Math.max(0, number);
    }

    private static @Nullable Long skew(JsonParser parser, Event value) {
      Long number = saturated(parser, value);
      return number == null || number < 0 ? null : number;
    }

    /** The number as a long, or the nearest one there is. Never expands an exponent. */
    private static @Nullable Long saturated(JsonParser parser, Event value) {
      if (value != Event.VALUE_NUMBER) {
        JsonpUtils.skipValue(parser, value);
        return null;
      }
      String text = parser.getString();
      double approximate = Double.parseDouble(text);
      if (approximate >= Long.MAX_VALUE) {
        return Long.MAX_VALUE;
      } else if (approximate <= Long.MIN_VALUE) {
        return Long.MIN_VALUE;
      }
      return Math.abs(approximate) < 1 ? 0 : new BigDecimal(text).longValue();
    }

    private Map<String, Object> metadata(JsonParser parser, Event value) {
      if (value == Event.START_OBJECT) {
        return map(parser, 0);
      }
      JsonpUtils.skipValue(parser, value);
      return Map.of();
    }

    @SuppressWarnings("NullAway") // JSON objects may hold nulls.
    private Map<String, Object> map(JsonParser parser, int depth) {
      Map<String, Object> map = new LinkedHashMap<>();
      while (parser.next() != Event.END_OBJECT) {
        String key = parser.getString();
        Event value = parser.next();
        if (mayKeep(key.length())) {
          map.put(key, plain(parser, value, depth + 1));
        } else {
          JsonpUtils.skipValue(parser, value);
        }
      }
      return Collections.unmodifiableMap(map);
    }

    @SuppressWarnings("NullAway") // JSON arrays may hold nulls.
    private List<Object> list(JsonParser parser, int depth) {
      List<Object> list = new ArrayList<>();
      for (Event value = parser.next(); value != Event.END_ARRAY; value = parser.next()) {
        if (mayKeep(0)) {
          list.add(plain(parser, value, depth + 1));
        } else {
          JsonpUtils.skipValue(parser, value);
        }
      }
      return Collections.unmodifiableList(list);
    }

    private boolean mayKeep(int characters) {
      metadataSize += characters + BYTES_PER_VALUE;
      return valuesLeft-- > 0;
    }

    private @Nullable Object plain(JsonParser parser, Event value, int depth) {
      boolean nested = value == Event.START_ARRAY || value == Event.START_OBJECT;
      if (nested && depth >= LockRecord.MAX_METADATA_DEPTH) {
        JsonpUtils.skipValue(parser, value);
        return null;
      }
      return switch (value) {
        case VALUE_TRUE -> true;
        case VALUE_FALSE -> false;
        case VALUE_STRING -> {
          String text = parser.getString();
          metadataSize += text.length();
          yield text;
        }
        case VALUE_NUMBER -> number(parser.getString());
        case START_ARRAY -> list(parser, depth);
        case START_OBJECT -> map(parser, depth);
        default -> null;
      };
    }

    /** As Jackson reads it: the smallest type that holds it exactly. */
    private static Object number(String text) {
      if (text.chars().anyMatch(c -> c == '.' || c == 'e' || c == 'E')) {
        return Double.valueOf(text);
      }
      BigInteger whole = new BigInteger(text);
      if (whole.bitLength() < Integer.SIZE) {
        return whole.intValue();
      }
      return whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
    }
  }
}
