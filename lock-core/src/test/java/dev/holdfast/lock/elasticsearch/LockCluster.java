package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import dev.holdfast.lock.LockManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A test's own place on the node that all tests share: an index and an alias of its own, stores and
 * managers on it as if they were in processes of their own, and a plain way to look at the index
 * and to spoil it. Closing it closes and deletes everything.
 */
final class LockCluster implements AutoCloseable {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final URI node;
  private final String name = "test-" + NUMBERS.incrementAndGet();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  private LockCluster(URI node) {
    this.node = node;
  }

  /** On the shared node of that version; the test is skipped where it cannot run. */
  static LockCluster on(ElasticsearchVersion version) {
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    return new LockCluster(SharedNodes.get(version).httpUri());
  }

  /** On that node, which stays the caller's to close. */
  static LockCluster at(URI node) {
    return new LockCluster(node);
  }

  URI node() {
    return node;
  }

  String index() {
    return name + "-1";
  }

  String alias() {
    return name;
  }

  // --- Stores and managers

  /** For a store of its own, with this test's names. */
  ElasticsearchLockStore.Builder storeBuilder() {
    return storeBuilder(node.toString());
  }

  ElasticsearchLockStore.Builder storeBuilder(String... urls) {
    return ElasticsearchLockStore.builder(urls).indexNames(index(), alias());
  }

  ElasticsearchLockStore store() {
    return closing(storeBuilder().build());
  }

  /** A manager with a store of its own, as in another process. */
  LockManager manager() {
    return manager(store());
  }

  LockManager manager(ElasticsearchLockStore store) {
    return closing(LockManager.create(store));
  }

  /** A server in front of the node. */
  HttpFront front() {
    return closing(HttpFront.of(node));
  }

  /** A client as a user has it, with the defaults of the Java client, for that address. */
  ElasticsearchClient userClient(String url) {
    return userClient(url, new JacksonJsonpMapper());
  }

  ElasticsearchClient userClient(String url, JsonpMapper mapper) {
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", "application/vnd.elasticsearch+json; compatible-with=8");
    options.addHeader("Content-Type", "application/vnd.elasticsearch+json; compatible-with=8");
    return closing(
        new ElasticsearchClient(
            new Rest5ClientTransport(
                Rest5Client.builder(URI.create(url)).build(),
                mapper,
                new Rest5ClientOptions(options.build(), false))));
  }

  /** Closes it at the end, before what was opened earlier. */
  <T extends AutoCloseable> T closing(T closeable) {
    opened.push(closeable);
    return closeable;
  }

  // --- The index

  /** An answer of the node. */
  record Raw(int status, JsonNode body) {}

  Raw send(String method, String path, @Nullable String body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(node + path))
            .timeout(Duration.ofSeconds(60))
            .header("Content-Type", "application/json")
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    try {
      HttpResponse<String> response =
          CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return new Raw(response.statusCode(), parsed(response.body()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static JsonNode parsed(String json) {
    try {
      return MAPPER.readTree(json.isEmpty() ? "null" : json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("not JSON: " + json, e);
    }
  }

  /** The node's answer, which must be success. */
  JsonNode ok(String method, String path, @Nullable String body) {
    Raw raw = send(method, path, body);
    assertThat(raw.status()).as("%s %s: %s", method, path, raw.body()).isBetween(200, 299);
    return raw.body();
  }

  JsonNode get(String path) {
    return ok("GET", path, null);
  }

  boolean exists(String indexOrAlias) {
    return send("GET", "/" + indexOrAlias, null).status() != 404;
  }

  /** The only index behind this test's alias: its aliases, mappings and settings. */
  JsonNode state() {
    JsonNode indices = get("/" + alias());
    assertThat(indices).hasSize(1);
    return indices.elements().next();
  }

  /** What stands in the index under that id. */
  Optional<JsonNode> document(String lockId) {
    Raw raw = send("GET", documentPath(lockId), null);
    return raw.status() == 404 ? Optional.empty() : Optional.of(raw.body().get("_source"));
  }

  /** Writes into the index whatever it is, past the library. */
  void writeDocument(String lockId, String json) {
    JsonNode unused = ok("PUT", documentPath(lockId) + "?refresh=true", json);
  }

  private String documentPath(String lockId) {
    return "/"
        + index()
        + "/_doc/"
        + URLEncoder.encode(lockId, StandardCharsets.UTF_8).replace("+", "%20");
  }

  void refresh() {
    JsonNode unused = ok("POST", "/" + index() + "/_refresh", null);
  }

  void deleteIndex() {
    JsonNode unused = ok("DELETE", "/" + index(), null);
  }

  @Override
  public void close() {
    List<Exception> failures = new ArrayList<>();
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        failures.add(e);
      }
    }
    send("GET", "/" + name + "-*?expand_wildcards=all", null)
        .body()
        .fieldNames()
        .forEachRemaining(
            index -> {
              Raw unused = send("DELETE", "/" + index, null);
            });
    assertThat(failures).isEmpty();
  }
}
