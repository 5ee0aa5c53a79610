package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import java.net.URI;
import java.util.List;
import org.apache.hc.core5.util.Timeout;

/** Elasticsearch clients for what locks protect. */
public final class Clients {
  private static final String MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";
  private static final Timeout RESPONSE_TIMEOUT = Timeout.ofSeconds(5);

  private Clients() {}

  /** A client that waits 5 s for an answer and resends nothing; to be closed by the caller. */
  public static ElasticsearchClient to(List<URI> urls) {
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", MEDIA_TYPE);
    options.addHeader("Content-Type", MEDIA_TYPE);
    Rest5Client client =
        Rest5Client.builder(urls.toArray(URI[]::new))
            .setHttpClientConfigCallback(http -> http.disableAutomaticRetries())
            .setRequestConfigCallback(request -> request.setResponseTimeout(RESPONSE_TIMEOUT))
            .build();
    return new ElasticsearchClient(
        new Rest5ClientTransport(
            client, new JacksonJsonpMapper(), new Rest5ClientOptions(options.build(), false)));
  }
}
