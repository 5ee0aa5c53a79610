package app;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest_client.RestClientTransport;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import org.apache.http.HttpHost;
import org.elasticsearch.client.RestClient;

/** An application with the client of elasticsearch-java 8. */
public final class Rest4 {
  private Rest4() {}

  public static void main(String[] args) throws Exception {
    String url = args[0];
    String index = args[1];
    Locks.use("own connections", index + "-own", () -> ElasticsearchLockStore.builder(url));
    try (RestClient connections = RestClient.builder(HttpHost.create(url)).build()) {
      ElasticsearchClient client =
          new ElasticsearchClient(new RestClientTransport(connections, new JacksonJsonpMapper()));
      Locks.use("given client", index + "-given", () -> ElasticsearchLockStore.builder(client));
    }
  }
}
