package dev.holdfast.chaos.toxiproxy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object, read as the real server (in Go) reads it: names match in any case, {@code null} is
 * the same as absent, unknown fields and what follows the value are ignored, and a value of another
 * type makes the request a bad one.
 */
record Fields(JsonNode json) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  Fields {
    if (!json.isObject() && !json.isNull()) {
      throw mismatch(json, "an object");
    }
  }

  /** The first JSON value of a request's body. */
  static JsonNode parse(String body) {
    try {
      JsonNode json = MAPPER.readTree(body);
      if (json.isMissingNode()) {
        throw ApiException.badBody("EOF");
      }
      return json;
    } catch (JsonEOFException e) {
      throw ApiException.badBody("unexpected EOF");
    } catch (JsonProcessingException e) {
      throw ApiException.badBody(e.getOriginalMessage());
    }
  }

  String text(String name, String absent) {
    JsonNode value = get(name, "a string", JsonNode::isTextual);
    return value == null ? absent : value.textValue();
  }

  boolean flag(String name, boolean absent) {
    JsonNode value = get(name, "a boolean", JsonNode::isBoolean);
    return value == null ? absent : value.booleanValue();
  }

  long integer(String name, long absent) {
    JsonNode value =
        get(name, "a 64 bit integer", v -> v.isIntegralNumber() && v.canConvertToLong());
    return value == null ? absent : value.longValue();
  }

  float decimal(String name, float absent) {
    JsonNode value =
        get(name, "a 32 bit float", v -> v.isNumber() && Float.isFinite(v.floatValue()));
    return value == null ? absent : value.floatValue();
  }

  Fields object(String name) {
    JsonNode value = get(name, "an object", JsonNode::isObject);
    return new Fields(value == null ? JsonNodeFactory.instance.nullNode() : value);
  }

  private @Nullable JsonNode get(String name, String expected, Predicate<JsonNode> matches) {
    JsonNode value = null;
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (field.getKey().equalsIgnoreCase(name) && !field.getValue().isNull()) {
        value = field.getValue();
      }
    }
    if (value != null && !matches.test(value)) {
      throw mismatch(value, "field " + name + ", which is " + expected);
    }
    return value;
  }

  private static ApiException mismatch(JsonNode value, String target) {
    String type = value.getNodeType().name().toLowerCase(Locale.ROOT);
    return ApiException.badBody("json: cannot unmarshal " + type + " into " + target);
  }
}
