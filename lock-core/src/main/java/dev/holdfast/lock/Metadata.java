package dev.holdfast.lock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.InvalidDefinitionException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.LockRecord;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Metadata as JSON sees it, detached from the objects that the caller gave.
 *
 * @param tree maps, lists, strings, numbers, booleans and nulls, all unmodifiable
 * @param bytes its size as JSON in UTF-8
 */
record Metadata(Map<String, Object> tree, int bytes) {
  static final Metadata NONE = new Metadata(Map.of(), 2);

  private static final String EXPECTED =
      "metadata must be JSON: maps, lists, strings, finite numbers, booleans and nulls";

  /** Numbers that are not finite are written, and read, as they are: to be found in the tree. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  static Metadata of(Map<String, ?> metadata) {
    Objects.requireNonNull(metadata, "metadata");
    try {
      byte[] json = MAPPER.writeValueAsBytes(metadata);
      Map<String, Object> tree =
          MAPPER.readValue(json, new TypeReference<LinkedHashMap<String, Object>>() {});
      return new Metadata(frozen(tree, 1), json.length);
    } catch (StreamConstraintsException e) {
      throw beyond(e);
    } catch (StackOverflowError e) {
      throw tooDeep(e);
    } catch (JsonMappingException e) {
      if (e.getCause() instanceof StreamConstraintsException constraint) {
        throw beyond(constraint);
      }
      if (isEndless(e)) {
        throw tooDeep(e);
      }
      throw new IllegalArgumentException(message(e), e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          EXPECTED + "; but: " + Texts.printable(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new IllegalArgumentException(EXPECTED + "; but: " + e.getMessage(), e);
    }
  }

  /** Beyond what Jackson, here and in Elasticsearch, reads. */
  private static IllegalArgumentException beyond(StreamConstraintsException e) {
    String message = String.valueOf(e.getOriginalMessage());
    return message.contains("nesting depth")
        ? tooDeep(e)
        : new IllegalArgumentException(
            EXPECTED
                + "; but a number (give it as a string), a string or a key in it is too long: "
                + Texts.printable(message),
            e);
  }

  private static boolean isEndless(JsonMappingException e) {
    return e.getCause() instanceof StackOverflowError
        || String.valueOf(e.getMessage()).contains("StackOverflowError");
  }

  private static IllegalArgumentException tooDeep(@Nullable Throwable cause) {
    return new IllegalArgumentException(
        EXPECTED
            + ", in at most "
            + LockRecord.MAX_METADATA_DEPTH
            + " levels of maps and lists; but it has more, or contains itself",
        cause);
  }

  /** In our own words: Jackson's advice is about a mapper that the caller cannot configure. */
  private static String message(JsonMappingException e) {
    String path =
        e.getPath().stream()
            .map(
                step ->
                    step.getFieldName() == null
                        ? "[" + step.getIndex() + "]"
                        : "." + step.getFieldName())
            .collect(Collectors.joining());
    if (String.valueOf(e.getOriginalMessage()).startsWith("Null key")) {
      return Texts.printable(EXPECTED + "; but the key at metadata" + path + " is null");
    }
    String type =
        e instanceof InvalidDefinitionException invalid && invalid.getType() != null
            ? " (a " + invalid.getType().getRawClass().getName() + ")"
            : "";
    return Texts.printable(
        EXPECTED
            + "; but"
            + (path.isEmpty() ? " part of it" : " metadata" + path)
            + type
            + " is not: give it as a string, as its toString() makes one");
  }

  private static Map<String, Object> frozen(Map<String, Object> map, int level) {
    if (level > LockRecord.MAX_METADATA_DEPTH) {
      throw tooDeep(null);
    }
    map.replaceAll((key, value) -> frozenValue(value, level + 1));
    return Collections.unmodifiableMap(map);
  }

  @SuppressWarnings({"unchecked", "NullAway"}) // JSON objects may hold nulls.
  private static @Nullable Object frozenValue(@Nullable Object value, int level) {
    if (value instanceof Map<?, ?> map) {
      return frozen((Map<String, Object>) map, level);
    } else if (value instanceof List<?> list) {
      if (level > LockRecord.MAX_METADATA_DEPTH) {
        throw tooDeep(null);
      }
      List<Object> values = (List<Object>) list;
      values.replaceAll(element -> frozenValue(element, level + 1));
      return Collections.unmodifiableList(values);
    } else if (value instanceof Double number && !Double.isFinite(number)) {
      throw new IllegalArgumentException(
          EXPECTED
              + "; but a number in it is not finite, or too large for a double: give it as a string");
    }
    return value;
  }
}
