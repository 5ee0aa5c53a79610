package dev.holdfast.cluster;

import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.apache.hc.core5.util.Timeout;

/** Transports of the Java client, set up as the lock store sets up its own. Stateless. */
public final class Transports {

  /** A media type that servers of 8.x and of 9.x both accept. */
  private static final String MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";

  private Transports() {}

  /**
   * Opens a transport that resends nothing and asks for no compression.
   *
   * @param nodes the nodes to send to
   * @param responseTimeout how long to wait for an answer
   * @return the transport, to be closed by the caller
   */
  public static ElasticsearchTransport open(List<URI> nodes, Duration responseTimeout) {
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", MEDIA_TYPE);
    options.addHeader("Content-Type", MEDIA_TYPE);
    Timeout timeout = Timeout.ofMilliseconds(responseTimeout.toMillis());
    Rest5Client client =
        Rest5Client.builder(nodes.toArray(URI[]::new))
            .setHttpClientConfigCallback(
                http -> {
                  http.disableAutomaticRetries();
                  http.disableContentCompression();
                })
            .setRequestConfigCallback(request -> request.setResponseTimeout(timeout))
            .build();
    return new Rest5ClientTransport(
        client, new JacksonJsonpMapper(), new Rest5ClientOptions(options.build(), false));
  }
}
