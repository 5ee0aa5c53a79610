package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.TransportOptions;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The transport of a user's own client, for requests that may be sent any number of times. Nothing
 * is known of its connections: those that a load balancer has dropped while they were idle are left
 * by sending again. Thread-safe.
 */
final class GivenTransport implements ElasticsearchTransport {
  private final ElasticsearchTransport transport;

  GivenTransport(ElasticsearchTransport transport) {
    this.transport = transport;
  }

  @Override
  public <RequestT, ResponseT, ErrorT> CompletableFuture<ResponseT> performRequestAsync(
      RequestT request,
      Endpoint<RequestT, ResponseT, ErrorT> endpoint,
      @Nullable TransportOptions options) {
    return Failures.untilAnswered(
        () -> transport.performRequestAsync(request, endpoint, options), () -> {});
  }

  @Override
  public <RequestT, ResponseT, ErrorT> ResponseT performRequest(
      RequestT request,
      Endpoint<RequestT, ResponseT, ErrorT> endpoint,
      @Nullable TransportOptions options)
      throws IOException {
    return transport.performRequest(request, endpoint, options);
  }

  @Override
  public JsonpMapper jsonpMapper() {
    return transport.jsonpMapper();
  }

  @Override
  public TransportOptions options() {
    return transport.options();
  }

  @Override
  public void close() throws IOException {
    transport.close();
  }
}
