package dev.holdfast.chaos.toxiproxy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;

/**
 * A toxic as it was asked for.
 *
 * @param name unique in its proxy
 * @param type what it does
 * @param stream the direction as it was spelled
 * @param direction the direction
 * @param toxicity the probability that it affects a connection
 * @param attributes the settings of the type; 0 where absent
 */
record Toxic(
    String name,
    ToxicType type,
    String stream,
    Direction direction,
    float toxicity,
    Map<String, Long> attributes) {

  Toxic {
    attributes = Map.copyOf(attributes);
  }

  /** Reads a new toxic. */
  static Toxic from(Fields fields) {
    String typeText = fields.text("type", "");
    String stream = fields.text("stream", "downstream");
    String name = fields.text("name", "");
    float toxicity = fields.decimal("toxicity", 1);
    Fields attributes = fields.object("attributes");
    Direction direction =
        Direction.of(stream)
            .orElseThrow(
                () ->
                    new ApiException(
                        400, "stream was invalid, can be either upstream or downstream"));
    ToxicType type =
        ToxicType.of(typeText).orElseThrow(() -> new ApiException(400, "invalid toxic type"));
    return new Toxic(
        name.isEmpty() ? typeText + "_" + stream : name,
        type,
        stream,
        direction,
        toxicity,
        merge(type, Map.of(), attributes));
  }

  /** This toxic with the toxicity and those attributes that are given. */
  Toxic updated(Fields fields) {
    Map<String, Long> merged = merge(type, attributes, fields.object("attributes"));
    return new Toxic(name, type, stream, direction, fields.decimal("toxicity", toxicity), merged);
  }

  long attribute(String attribute) {
    return attributes.getOrDefault(attribute, 0L);
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ObjectNode settings = json.putObject("attributes");
    type.attributes().forEach(attribute -> settings.put(attribute, attribute(attribute)));
    return json.put("name", name)
        .put("type", type.text())
        .put("stream", stream)
        .put("toxicity", new BigDecimal(Float.toString(toxicity)).stripTrailingZeros());
  }

  private static Map<String, Long> merge(ToxicType type, Map<String, Long> old, Fields fields) {
    Map<String, Long> merged = new HashMap<>();
    for (String attribute : type.attributes()) {
      merged.put(attribute, fields.integer(attribute, old.getOrDefault(attribute, 0L)));
    }
    return merged;
  }
}
