package dev.holdfast.bench.peers;

import co.elastic.clients.transport.ElasticsearchTransport;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.Transports;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** The cluster under measurement, and one transport to it that all benchmarks of a run share. */
public final class Server {
  /** Tells a forked JVM where the cluster is. */
  public static final String URL_PROPERTY = "holdfast.bench.url";

  /** By which the raw requests, and all stores, find one index. */
  public static final String ALIAS = "holdfast-bench";

  private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(30);

  /**
   * By default a node counts what the next collection will free as memory in use, and under the raw
   * requests' load it then refuses requests of any client.
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
          "no cluster: run the benchmarks with java -jar benchmarks.jar, which starts one, or set"
              + " -D"
              + URL_PROPERTY);
    }
    return URI.create(url);
  }

  public static ElasticsearchLockStore store(ElasticsearchTransport transport) {
    return ElasticsearchLockStore.builder(transport).indexNames(ALIAS + "-1", ALIAS).build();
  }

  /**
   * A store on connections of its own, as the quick start has it, and not on a transport of ours.
   */
  public static ElasticsearchLockStore ownStore() {
    return ElasticsearchLockStore.builder(url().toString()).indexNames(ALIAS + "-1", ALIAS).build();
  }

  public static ElasticsearchTransport transport() {
    return Transports.open(List.of(url()), RESPONSE_TIMEOUT);
  }
}
