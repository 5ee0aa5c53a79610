package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ErrorResponse;
import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.JsonEndpoint;
import co.elastic.clients.transport.endpoints.SimpleEndpoint;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.internal.Texts;
import jakarta.json.JsonArray;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names the index templates that apply to an index, for messages. Best effort: reading templates
 * needs a privilege that few have, and a failure here must not hide the error that it explains.
 */
final class MatchingTemplates {
  private static final Logger LOG = LoggerFactory.getLogger(MatchingTemplates.class);

  private static final JsonEndpoint<Boolean, JsonValue, ErrorResponse> COMPOSABLE =
      endpoint(
          "/_index_template",
          "index_templates.name,index_templates.index_template.index_patterns,"
              + "index_templates.index_template.priority");

  private static final JsonEndpoint<Boolean, JsonValue, ErrorResponse> LEGACY =
      endpoint("/_template", "*.index_patterns,*.order");

  private record Template(String name, long priority) {}

  private MatchingTemplates() {}

  private static JsonEndpoint<Boolean, JsonValue, ErrorResponse> endpoint(
      String path, String filter) {
    return new SimpleEndpoint<>(
        "es/indices.get" + path.substring(1),
        request -> "GET",
        request -> path,
        request -> Map.of(),
        request -> Map.of("filter_path", filter),
        request -> Map.of(),
        false,
        JsonpDeserializer.jsonValueDeserializer());
  }

  /** A sentence that names them, or nothing if there are none or they cannot be read. */
  static CompletableFuture<String> of(ElasticsearchTransport transport, String index) {
    return CancellableFuture.of(
            transport.performRequestAsync(true, COMPOSABLE, null),
            composable -> {
              List<Template> matching = composable(composable, index);
              // Where a composable template matches, legacy ones are not applied.
              return matching.isEmpty()
                  ? CancellableFuture.of(
                      transport.performRequestAsync(true, LEGACY, null),
                      legacy -> CompletableFuture.completedFuture(words(legacy(legacy, index))))
                  : CompletableFuture.completedFuture(words(highest(matching)));
            })
        .orElse(
            failure -> {
              Logs.quietly(
                  () ->
                      LOG.debug(
                          "Index templates cannot be read", Failures.describe(index, failure)));
              return "";
            });
  }

  private static List<Template> composable(JsonValue answer, String index) {
    List<Template> matching = new ArrayList<>();
    if (answer instanceof JsonObject object
        && object.get("index_templates") instanceof JsonArray templates) {
      for (JsonValue each : templates) {
        if (each instanceof JsonObject named
            && named.get("name") instanceof JsonString name
            && named.get("index_template") instanceof JsonObject template
            && matches(template, index)) {
          matching.add(new Template(name.getString(), number(template.get("priority"))));
        }
      }
    }
    return matching;
  }

  private static List<Template> legacy(JsonValue answer, String index) {
    List<Template> matching = new ArrayList<>();
    if (answer instanceof JsonObject templates) {
      templates.forEach(
          (name, each) -> {
            if (each instanceof JsonObject template && matches(template, index)) {
              matching.add(new Template(name, number(template.get("order"))));
            }
          });
    }
    return matching;
  }

  private static long number(@Nullable JsonValue value) {
    return value instanceof JsonNumber number ? number.longValue() : 0;
  }

  private static boolean matches(JsonObject template, String index) {
    return template.get("index_patterns") instanceof JsonArray patterns
        && patterns.stream()
            .anyMatch(p -> p instanceof JsonString text && matches(text.getString(), index));
  }

  private static boolean matches(String pattern, String index) {
    String regex =
        Arrays.stream(pattern.split("\\*", -1))
            .map(Pattern::quote)
            .collect(Collectors.joining(".*"));
    return index.matches(regex);
  }

  private static List<Template> highest(List<Template> matching) {
    long most = matching.stream().mapToLong(Template::priority).max().orElse(0);
    return matching.stream().filter(template -> template.priority() == most).toList();
  }

  private static String words(List<Template> templates) {
    return templates.isEmpty()
        ? ""
        : " Index templates that apply to its name: "
            + templates.stream()
                .map(t -> "\"" + Texts.shortened(t.name()) + "\" (priority " + t.priority() + ")")
                .collect(Collectors.joining(", "))
            + ".";
  }
}
