package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.SharedNodes;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A test's own lock index on the node that all tests share. Managers are on stores of their own, as
 * if they were in processes of their own. Closing it closes and deletes everything.
 */
public final class TestIndex implements AutoCloseable {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final String name = "test-" + NUMBERS.incrementAndGet();
  private final ElasticsearchNode node;
  private final Deque<Runnable> closings = new ArrayDeque<>();

  /** On a node of the version that the build tests. */
  public TestIndex() {
    ElasticsearchVersion version = version();
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    node = SharedNodes.get(version);
  }

  private static ElasticsearchVersion version() {
    // With "both", the newest: the store itself is tested on each.
    return System.getProperty("holdfast.test.elasticsearch", "8").equals("8")
        ? ElasticsearchVersion.V8
        : ElasticsearchVersion.V9;
  }

  public URI node() {
    return node.httpUri();
  }

  /** The node does not answer while this runs. */
  public void whileItIsPaused(Runnable body) {
    node.pause();
    try {
      body.run();
    } finally {
      node.resume();
    }
  }

  public LockManager manager() {
    ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(node().toString()).indexNames(name + "-1", name).build();
    closings.push(store::close);
    LockManager manager = LockManager.create(store);
    closings.push(manager::close);
    return manager;
  }

  /** The body of the node's answer, which must be success. */
  public String ok(String method, String path, String body) {
    HttpResponse<String> answer = send(method, path, body);
    assertThat(answer.statusCode()).as("%s %s: %s", method, path, answer.body()).isLessThan(300);
    return answer.body();
  }

  public HttpResponse<String> send(String method, String path, String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(node() + path))
            .timeout(Duration.ofSeconds(60))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    // Managers before their stores.
    closings.forEach(Runnable::run);
    HttpResponse<String> unused = send("DELETE", "/" + name + "-1", "");
  }
}
