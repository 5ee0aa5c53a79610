package dev.holdfast.history.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
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
    ArrayNode details = node.putArray("details");
    result.details().forEach(details::add);
    ArrayNode parts = node.putArray("parts");
    result.parts().forEach(part -> parts.add(toJson(part)));
    return node;
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
    return new Result(
        node.path("checker").asText(),
        verdict(node),
        node.path("summary").asText(),
        details,
        parts);
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
