package dev.holdfast.bench.peers;

import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.net.URI;
import org.apache.hc.core5.util.Timeout;

/** The cluster under measurement, and one transport to it that all benchmarks of a run share. */
public final class Server {
  /** Tells a forked JVM where the cluster is. */
  public static final String URL_PROPERTY = "holdfast.bench.url";

  /** By which the raw requests, and all stores, find one index. */
  public static final String ALIAS = "holdfast-bench";

  private static final String MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";

  /**
   * By default a node counts what the next collection will free as memory in use, and under the raw
   * requests' load it then refuses requests, whoever sent them.
   */
  public static final String BREAKER_COUNTS_GARBAGE = "indices.breaker.total.use_real_memory";

  private Server() {}

  /** One node with room for what the benchmarks send it. */
  public static ElasticsearchNode.Builder node() {
    return ElasticsearchNode.builder(ElasticsearchVersion.V8)
        .heapMebibytes(1_024)
        .setting(BREAKER_COUNTS_GARBAGE, "false");
  }

  public static URI url() {
    String url = System.getProperty(URL_PROPERTY);
    if (url == null) {
      throw new IllegalStateException(
          "no cluster: run the benchmarks with java -jar benchmarks.jar, which starts one, or set -D"
              + URL_PROPERTY);
    }
    return URI.create(url);
  }

  public static ElasticsearchLockStore store(ElasticsearchTransport transport) {
    return ElasticsearchLockStore.builder(transport).indexNames(ALIAS + "-1", ALIAS).build();
  }

  public static ElasticsearchTransport transport() {
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", MEDIA_TYPE);
    options.addHeader("Content-Type", MEDIA_TYPE);
    Rest5Client client =
        Rest5Client.builder(url())
            .setHttpClientConfigCallback(
                http -> {
                  // As the store's own connections are.
                  http.disableAutomaticRetries();
                  http.disableContentCompression();
                })
            .setRequestConfigCallback(request -> request.setResponseTimeout(Timeout.ofSeconds(30)))
            .build();
    return new Rest5ClientTransport(
        client, new JacksonJsonpMapper(), new Rest5ClientOptions(options.build(), false));
  }
}
