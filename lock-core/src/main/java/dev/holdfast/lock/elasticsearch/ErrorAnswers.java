package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.JsonEndpoint;
import co.elastic.clients.transport.endpoints.DelegatingJsonEndpoint;
import co.elastic.clients.util.MissingRequiredPropertyException;
import jakarta.json.JsonException;
import jakarta.json.stream.JsonParser;
import jakarta.json.stream.JsonParser.Event;
import java.util.EnumSet;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Answers of proxies that look like Elasticsearch's errors, being JSON, and are none. The client
 * takes such a body for the answer of success if it can, whatever the status, and forgets the
 * status if there is no body.
 */
final class ErrorAnswers {
  private ErrorAnswers() {}

  /** The endpoint, with which such an answer fails with its status. */
  static <RequestT, ResponseT, ErrorT> Endpoint<RequestT, ResponseT, ErrorT> told(
      Endpoint<RequestT, ResponseT, ErrorT> endpoint) {
    return endpoint instanceof JsonEndpoint<RequestT, ResponseT, ErrorT> json
        ? new Telling<>(json)
        : endpoint;
  }

  private static final class Telling<RequestT, ResponseT, ErrorT>
      extends DelegatingJsonEndpoint<RequestT, ResponseT, ErrorT> {
    Telling(JsonEndpoint<RequestT, ResponseT, ErrorT> endpoint) {
      super(endpoint);
    }

    @Override
    public @Nullable JsonpDeserializer<ErrorT> errorDeserializer(int status) {
      JsonpDeserializer<ErrorT> deserializer = super.errorDeserializer(status);
      return deserializer == null ? null : new Strict<>(deserializer, status);
    }
  }

  private static final class Strict<T> implements JsonpDeserializer<T> {
    private final JsonpDeserializer<T> deserializer;
    private final int status;

    Strict(JsonpDeserializer<T> deserializer, int status) {
      this.deserializer = deserializer;
      this.status = status;
    }

    @Override
    public EnumSet<Event> nativeEvents() {
      return deserializer.nativeEvents();
    }

    @Override
    public EnumSet<Event> acceptedEvents() {
      return deserializer.acceptedEvents();
    }

    @Override
    public T deserialize(JsonParser parser, JsonpMapper mapper) {
      try {
        return deserializer.deserialize(parser, mapper);
      } catch (JsonException | MissingRequiredPropertyException | NoSuchElementException e) {
        throw new Failures.ForeignAnswerException(status, e);
      }
    }

    @Override
    public T deserialize(JsonParser parser, JsonpMapper mapper, Event event) {
      return deserializer.deserialize(parser, mapper, event);
    }
  }
}
