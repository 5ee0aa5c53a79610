package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.core.OpenPointInTimeRequest;
import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.json.JsonpUtils;
import co.elastic.clients.transport.endpoints.SimpleEndpoint;
import co.elastic.clients.util.MissingRequiredPropertyException;
import jakarta.json.stream.JsonParser;
import jakarta.json.stream.JsonParser.Event;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/**
 * Opens a point in time and gives its id, on each release of Elasticsearch 8 and 9. By itself
 * elasticsearch-java 9.5 sends an empty object as the body, which 8.0 rejects, and requires counts
 * of shards in the answer, which 8.0 does not give.
 */
final class OpenPointInTimeEndpoint {
  private OpenPointInTimeEndpoint() {}

  static SimpleEndpoint<OpenPointInTimeRequest, String> create() {
    var usual = OpenPointInTimeRequest._ENDPOINT;
    return new SimpleEndpoint<>(
        usual.id(),
        usual::method,
        usual::requestUrl,
        usual::pathParameters,
        usual::queryParameters,
        usual::headers,
        false,
        JsonpDeserializer.of(EnumSet.of(Event.START_OBJECT), OpenPointInTimeEndpoint::id));
  }

  private static String id(JsonParser parser, JsonpMapper mapper) {
    JsonpUtils.expectNextEvent(parser, Event.START_OBJECT);
    String id = null;
    Event next = parser.next();
    while (next != Event.END_OBJECT) {
      JsonpUtils.expectEvent(parser, Event.KEY_NAME, next);
      if (parser.getString().equals("id")) {
        JsonpUtils.expectNextEvent(parser, Event.VALUE_STRING);
        id = parser.getString();
      } else {
        JsonpUtils.skipValue(parser);
      }
      next = parser.next();
    }
    return required(id);
  }

  private static String required(@Nullable String id) {
    if (id == null) {
      throw new MissingRequiredPropertyException(OpenPointInTimeRequest.class, "id");
    }
    return id;
  }
}
