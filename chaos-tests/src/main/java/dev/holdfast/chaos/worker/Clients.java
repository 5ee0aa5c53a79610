package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import java.net.URI;
import org.apache.hc.core5.util.Timeout;

/** Elasticsearch clients for what locks protect: as a user would make them. */
public final class Clients {
  private static final String MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";

  private Clients() {}

  /** A client that gives up a request after 30 s; to be closed by the caller. */
  public static ElasticsearchClient to(URI url) {
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", MEDIA_TYPE);
    options.addHeader("Content-Type", MEDIA_TYPE);
    Rest5Client client =
        Rest5Client.builder(url)
            .setRequestConfigCallback(request -> request.setResponseTimeout(Timeout.ofSeconds(30)))
            .build();
    return new ElasticsearchClient(
        new Rest5ClientTransport(
            client, new JacksonJsonpMapper(), new Rest5ClientOptions(options.build(), false)));
  }
}
