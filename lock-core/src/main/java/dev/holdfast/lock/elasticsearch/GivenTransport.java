package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.TransportOptions;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The transport of a user's own client, for requests that may be sent any number of times. Nothing
 * is known of its connections: those that a load balancer has dropped while they were idle are left
 * by sending again. Thread-safe.
 */
final class GivenTransport extends DelegatingTransport {
  GivenTransport(ElasticsearchTransport transport) {
    super(transport);
  }

  @Override
  public <RequestT, ResponseT, ErrorT> CompletableFuture<ResponseT> performRequestAsync(
      RequestT request,
      Endpoint<RequestT, ResponseT, ErrorT> endpoint,
      @Nullable TransportOptions options) {
    return Failures.untilAnswered(
        () -> transport.performRequestAsync(request, endpoint, options), () -> {});
  }
}
