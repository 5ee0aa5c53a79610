package dev.holdfast.history.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Results as JSON, and back. Stateless. */
final class ResultJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ResultJson() {}

  static String text(ObjectNode node) throws JsonProcessingException {
    return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
  }

  static ObjectNode toJson(Result result) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("checker", result.checker());
    node.put("verdict", result.verdict().text());
    node.put("summary", result.summary());
    if (result.nothingToCheck()) {
      node.put("nothingToCheck", true);
    }
    ArrayNode details = node.putArray("details");
    result.details().forEach(details::add);
    ArrayNode violations = node.putArray("violations");
    result.violations().forEach(each -> violations.add(toJson(each)));
    ArrayNode parts = node.putArray("parts");
    result.parts().forEach(part -> parts.add(toJson(part)));
    return node;
  }

  private static ObjectNode toJson(Violation violation) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("what", violation.what()).put("detail", violation.detail());
    violation.operations().forEach(node.putArray("operations")::add);
    ArrayNode order = node.putArray("order");
    for (Violation.Placed placed : violation.order()) {
      order
          .addObject()
          .put("operation", placed.operation())
          .put("what", placed.what())
          .put("state", placed.state());
    }
    return node;
  }

  private static Violation violation(JsonNode node) {
    List<Long> operations = new ArrayList<>();
    node.path("operations").forEach(each -> operations.add(each.asLong()));
    List<Violation.Placed> order = new ArrayList<>();
    node.path("order")
        .forEach(
            each ->
                order.add(
                    new Violation.Placed(
                        each.path("operation").asLong(),
                        each.path("what").asText(),
                        each.path("state").asText())));
    return new Violation(
        node.path("what").asText(), node.path("detail").asText(), operations, order);
  }

  /** Reads a saved result; the exception names the file and what is wrong with it. */
  static Result readResult(Path file) throws IOException {
    try {
      return fromJson(read(file));
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": not understood: " + e.getMessage(), e);
    }
  }

  private static Result fromJson(JsonNode node) {
    List<String> details = new ArrayList<>();
    node.path("details").forEach(each -> details.add(each.asText()));
    List<Result> parts = new ArrayList<>();
    node.path("parts").forEach(each -> parts.add(fromJson(each)));
    List<Violation> violations = new ArrayList<>();
    node.path("violations").forEach(each -> violations.add(violation(each)));
    return new Result(
        node.path("checker").asText(),
        verdict(node),
        node.path("summary").asText(),
        details,
        parts,
        violations,
        node.path("nothingToCheck").asBoolean());
  }

  static Verdict verdict(JsonNode node) {
    String text = node.path("verdict").asText();
    for (Verdict verdict : Verdict.values()) {
      if (verdict.text().equals(text.toLowerCase(Locale.ROOT))) {
        return verdict;
      }
    }
    throw new IllegalArgumentException(
        "the verdict must be valid, invalid or unknown, but is \"" + text + "\"");
  }

  static JsonNode read(Path file) throws IOException {
    try {
      return MAPPER.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
