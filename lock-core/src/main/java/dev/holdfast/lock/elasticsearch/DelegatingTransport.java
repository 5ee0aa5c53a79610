package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.TransportOptions;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A transport that sends asynchronous requests in its own way, and leaves the rest to another. */
abstract class DelegatingTransport implements ElasticsearchTransport {
  final ElasticsearchTransport transport;

  DelegatingTransport(ElasticsearchTransport transport) {
    this.transport = transport;
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
