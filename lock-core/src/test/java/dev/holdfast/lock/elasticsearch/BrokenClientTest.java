package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.Answers.get;
import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.TransportOptions;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Client libraries that break at run time, in whatever the error arrives, are no outage. */
@Timeout(60)
class BrokenClientTest {
  /** How an error of a library's arrives. */
  enum Arrival {
    ALONE,
    WRAPPED,
    DEEP_INSIDE;

    Throwable of(Error error) {
      return switch (this) {
        case ALONE -> error;
        case WRAPPED -> new CompletionException(error);
        case DEEP_INSIDE ->
            new IOException("the connection was closed", new IllegalStateException(error));
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void error_ofThisJvm_isGivenAsItIs(Arrival arrival) throws Exception {
    Error broken = new NoSuchMethodError("m".repeat(10_000));
    try (ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(new BrokenTransport(arrival.of(broken))).build()) {
      for (WriteResult result : Answers.writes(store)) {
        assertThat(result).isEqualTo(new WriteResult.Unknown(broken));
      }
      assertThat(get(store.read("x"))).isEqualTo(new ReadResult.Unavailable(broken));
      assertThat(get(store.list(1))).isEqualTo(new ListResult.Unavailable(broken));
    }
  }

  private record BrokenTransport(Throwable failure) implements ElasticsearchTransport {
    @Override
    public <Q, R, E> R performRequest(
        Q request, Endpoint<Q, R, E> endpoint, @Nullable TransportOptions options) {
      throw new UnsupportedOperationException();
    }

    @Override
    public <Q, R, E> CompletableFuture<R> performRequestAsync(
        Q request, Endpoint<Q, R, E> endpoint, @Nullable TransportOptions options) {
      return CompletableFuture.failedFuture(failure);
    }

    @Override
    public JsonpMapper jsonpMapper() {
      return new JacksonJsonpMapper();
    }

    @Override
    public @Nullable TransportOptions options() {
      return null;
    }

    @Override
    public void close() {}
  }
}
