package dev.holdfast.lock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Metadata as JSON sees it, detached from the objects that the caller gave.
 *
 * @param tree maps, lists, strings, numbers, booleans and nulls, all unmodifiable
 * @param bytes its size as JSON in UTF-8
 */
record Metadata(Map<String, Object> tree, int bytes) {
  static final Metadata NONE = new Metadata(Map.of(), 2);

  private static final ObjectMapper MAPPER = new ObjectMapper();

  static Metadata of(Map<String, ?> metadata) {
    Objects.requireNonNull(metadata, "metadata");
    try {
      byte[] json = MAPPER.writeValueAsBytes(metadata);
      Map<String, Object> tree =
          MAPPER.readValue(json, new TypeReference<LinkedHashMap<String, Object>>() {});
      return new Metadata(frozen(tree), json.length);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "metadata must be serialisable as JSON: " + e.getOriginalMessage(), e);
    } catch (java.io.IOException | StackOverflowError e) {
      throw new IllegalArgumentException("metadata must be serialisable as JSON: " + e, e);
    }
  }

  private static Map<String, Object> frozen(Map<String, Object> map) {
    map.replaceAll((key, value) -> frozenValue(value));
    return Collections.unmodifiableMap(map);
  }

  @SuppressWarnings({"unchecked", "NullAway"}) // JSON objects may hold nulls.
  private static @Nullable Object frozenValue(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return frozen((Map<String, Object>) map);
    } else if (value instanceof List<?> list) {
      List<Object> values = (List<Object>) list;
      values.replaceAll(Metadata::frozenValue);
      return Collections.unmodifiableList(values);
    }
    return value;
  }
}
