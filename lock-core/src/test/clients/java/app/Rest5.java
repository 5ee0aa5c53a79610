package app;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.net.URI;

/** An application with the client of elasticsearch-java 9. */
public final class Rest5 {
  private Rest5() {}

  public static void main(String[] args) throws Exception {
    String url = args[0];
    String index = args[1];
    Locks.use("own connections", index + "-own", () -> ElasticsearchLockStore.builder(url));
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", "application/vnd.elasticsearch+json; compatible-with=8");
    options.addHeader("Content-Type", "application/vnd.elasticsearch+json; compatible-with=8");
    try (ElasticsearchClient client =
        new ElasticsearchClient(
            new Rest5ClientTransport(
                Rest5Client.builder(URI.create(url)).build(),
                new JacksonJsonpMapper(),
                new Rest5ClientOptions(options.build(), false)))) {
      Locks.use("given client", index + "-given", () -> ElasticsearchLockStore.builder(client));
    }
  }
}
