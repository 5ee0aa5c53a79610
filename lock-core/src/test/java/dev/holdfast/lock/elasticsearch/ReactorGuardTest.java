package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.transport.ElasticsearchTransportBase;
import co.elastic.clients.transport.http.TransportHttpClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request that fails to tidy up takes none of the others with it. */
@Timeout(120)
class ReactorGuardTest {
  private static final String PONG =
      "{\"name\":\"n\",\"cluster_name\":\"c\",\"cluster_uuid\":\"u\",\"tagline\":\"t\",\"version\":{"
          + "\"number\":\"8.19.21\",\"build_flavor\":\"default\",\"build_type\":\"tar\","
          + "\"build_hash\":\"h\",\"build_date\":\"2025-01-01T00:00:00Z\",\"build_snapshot\":false,"
          + "\"lucene_version\":\"9\",\"minimum_wire_compatibility_version\":\"7\","
          + "\"minimum_index_compatibility_version\":\"7\"}}";

  private final HttpFront server = HttpFront.alone(request -> HttpFront.json(200, PONG));
  private final ManagedTransport own =
      ManagedTransport.open(new ManagedTransport.Settings(Address.parse(List.of(server.url()))));

  @AfterEach
  void close() throws Exception {
    own.close();
    server.close();
  }

  /** Its parts can be had once only: the client wants them again to tidy up, and is refused. */
  private static TransportHttpClient.Request requestThatFailsInTheEnd() {
    Iterator<ByteBuffer> parts =
        List.of(ByteBuffer.wrap("{}".getBytes(StandardCharsets.UTF_8))).iterator();
    return new TransportHttpClient.Request(
        "POST", "/", Map.of(), Map.of("Content-Type", "application/json"), () -> parts);
  }

  @Test
  void requestsGoOn_afterOneThatFailedToTidyUp() throws Exception {
    TransportHttpClient client = ((ElasticsearchTransportBase) own.transport()).httpClient();
    // One for each of the threads that serve connections, and more.
    for (int i = 0; i < 20; i++) {
      CompletableFuture<TransportHttpClient.Response> response =
          client.performRequestAsync(
              "test", null, requestThatFailsInTheEnd(), own.transport().options());
      assertThat(response.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      assertThat(
              new ElasticsearchAsyncClient(own.transport())
                  .info()
                  .get(60, TimeUnit.SECONDS)
                  .clusterName())
          .isEqualTo("c");
    }
  }

  /** A library that is not all there fails like this, on the thread of all connections. */
  @Test
  @SuppressWarnings("NullAway") // The guard passes on what it is given, and looks at none of it.
  void threadOfConnections_survivesAnError_atTheEndOfARequest() throws Exception {
    List<AsyncExecCallback> guarded = new ArrayList<>();
    new ReactorGuard()
        .execute(
            new BasicHttpRequest("GET", "/"),
            null,
            null,
            (request, body, scope, callback) -> guarded.add(callback),
            new Broken());

    assertThat(guarded).hasSize(1);
    assertThatCode(guarded.get(0)::completed).doesNotThrowAnyException();
    assertThatCode(() -> guarded.get(0).failed(new IOException())).doesNotThrowAnyException();
  }

  private static final class Broken implements AsyncExecCallback {
    @Override
    public AsyncDataConsumer handleResponse(HttpResponse response, EntityDetails details) {
      throw new NoClassDefFoundError("x");
    }

    @Override
    public void handleInformationResponse(HttpResponse response) {
      throw new NoClassDefFoundError("x");
    }

    @Override
    public void completed() {
      throw new NoClassDefFoundError("x");
    }

    @Override
    public void failed(Exception cause) {
      throw new NoClassDefFoundError("x");
    }
  }
}
