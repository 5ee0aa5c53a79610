package dev.holdfast.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A cluster of Elasticsearch nodes. One that a builder starts is of processes on 127.0.0.1 with
 * fixed ports, which they keep when they are killed and started again.
 *
 * <p>Closing it kills all nodes and throws their data away; the same happens by itself when the JVM
 * ends without closing it. Thread-safe as its nodes are.
 *
 * @param <N> what its nodes are
 */
public final class Cluster<N extends Node> implements AutoCloseable {

  private static final Duration GREEN_LIMIT = Duration.ofMinutes(2);
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(10);
  private static final Duration CHANGE_LIMIT = Duration.ofMinutes(1);

  /**
   * The limit for questions that a node answers at once, or not at all: it may be stopped, or cut
   * off.
   */
  private static final Duration QUESTION_LIMIT = Duration.ofSeconds(3);

  private final List<N> nodes;
  private final HttpClient http =
      HttpClient.newBuilder()
          .proxy(HttpClient.Builder.NO_PROXY)
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();

  private Cluster(List<N> nodes) {
    this.nodes = List.copyOf(nodes);
  }

  /**
   * Starts nodes that are to form a cluster, all at the same time, and returns when all have joined
   * it.
   *
   * @param builders of the nodes, n1 first
   * @param start starts one, and returns when its cluster has a master
   * @throws NodeStartException if a node did not start; nothing is left then
   */
  public static <B, N extends Node> Cluster<N> startAll(List<B> builders, Function<B, N> start)
      throws InterruptedException {
    List<N> started = new CopyOnWriteArrayList<>();
    try {
      List<N> nodes =
          inParallel(
              builders,
              builder -> {
                N node = start.apply(builder);
                started.add(node);
                return node;
              });
      Cluster<N> cluster = new Cluster<>(nodes);
      cluster.awaitGreen(GREEN_LIMIT);
      return cluster;
    } catch (RuntimeException | InterruptedException e) {
      new Cluster<>(started).close();
      throw e;
    }
  }

  /** Returns a builder of a cluster of three nodes of the version. */
  public static Builder builder(ElasticsearchVersion version) {
    return new Builder(version);
  }

  /** Returns the nodes, n1 first, whether they run or not. */
  public List<N> nodes() {
    return nodes;
  }

  /** Returns where the nodes answer HTTP, n1 first. */
  public List<URI> httpUris() {
    return nodes.stream().map(Node::httpUri).toList();
  }

  /**
   * Returns the node of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public N node(String name) {
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no node " + name));
  }

  /**
   * Returns the node that the cluster says is its master; empty if it has none, or none can be
   * asked. Nodes that are cut off may think otherwise.
   */
  public Optional<N> master() throws InterruptedException {
    return cat("/_cat/master?h=node").map(String::strip).flatMap(this::named);
  }

  /**
   * Returns the node with the primary of the first shard of an index; empty if it has none, or none
   * can be asked.
   */
  public Optional<N> primaryOf(String index) throws InterruptedException {
    return cat("/_cat/shards/" + index + "?h=shard,prirep,node")
        .flatMap(
            table ->
                table
                    .lines()
                    .map(line -> line.strip().split("\\s+"))
                    .filter(words -> words.length == 3)
                    .filter(words -> words[0].equals("0") && words[1].equals("p"))
                    .findFirst())
        .flatMap(words -> named(words[2]));
  }

  private Optional<N> named(String name) {
    return nodes.stream().filter(node -> node.name().equals(name)).findFirst();
  }

  private Optional<String> cat(String path) throws InterruptedException {
    try {
      return Optional.of(request("GET", path, "", QUESTION_LIMIT));
    } catch (IOException e) {
      return Optional.empty(); // a fact about the cluster, for the caller to check
    }
  }

  /**
   * Asks one node after the other, until one answers with success.
   *
   * @param body JSON, or empty
   * @return the body of the answer
   * @throws IOException if none does; the message has what each said
   */
  public String request(String method, String path, String body)
      throws IOException, InterruptedException {
    return request(method, path, body, REQUEST_LIMIT);
  }

  /**
   * The same, but waits a minute for each node: a change that is sent to the next node may repeat
   * what the first has done.
   */
  public String change(String method, String path, String body)
      throws IOException, InterruptedException {
    return request(method, path, body, CHANGE_LIMIT);
  }

  /** The same, but waits no longer than so long for each node. */
  public String request(String method, String path, String body, Duration limit)
      throws IOException, InterruptedException {
    List<String> failures = new ArrayList<>();
    for (Node node : nodes) {
      try {
        return request(node, method, path, body, limit);
      } catch (IOException e) {
        failures.add(node.name() + ": " + e.getMessage());
      }
    }
    throw new IOException(method + " " + path + " was not answered: " + failures);
  }

  private String request(Node node, String method, String path, String body, Duration limit)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(node.httpUri().resolve(path))
            .header("Content-Type", "application/json")
            .method(
                method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> response = Requests.send(http, request, limit);
    if (response.statusCode() / 100 != 2) {
      throw new IOException(response.statusCode() + " " + response.body());
    }
    return response.body();
  }

  /**
   * Waits until every node is part of the one cluster and every shard is where it should be.
   *
   * @throws IllegalStateException if that is not so within the limit; the message has what the
   *     nodes said
   */
  public void awaitGreen(Duration limit) throws InterruptedException {
    if (!Polling.until(limit, this::isGreen)) {
      throw new IllegalStateException(
          "the cluster is not green after %s: %s; %s"
              .formatted(
                  limit,
                  nodes.stream().map(this::health).toList(),
                  cat("/_cat/shards").orElse("no shards known")));
    }
  }

  /** Returns whether every node sees all nodes and no shard missing. */
  public boolean isGreen() {
    return nodes.stream()
        .allMatch(
            node -> {
              String health = health(node);
              return health.contains("\"status\":\"green\"")
                  && health.contains("\"number_of_nodes\":" + nodes.size() + ",")
                  && health.contains("\"relocating_shards\":0,");
            });
  }

  private String health(Node node) {
    try {
      return request(
          node, "GET", "/_cluster/health?timeout=1s&master_timeout=1s", "", REQUEST_LIMIT);
    } catch (IOException e) {
      return node.name() + ": " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // ends the polling at its next pause
      return node.name() + ": interrupted";
    }
  }

  /**
   * Resumes every node that is paused and starts every one that does not run. Returns when all are
   * up.
   *
   * @throws NodeStartException as {@link Node#relaunch} and {@link Node#awaitUp} do
   */
  public void reviveAll() {
    inParallel(
        nodes,
        node -> {
          node.relaunch();
          node.resume();
          return node;
        });
    nodes.forEach(Node::awaitUp);
  }

  /** Kills all nodes and removes their files. Idempotent. */
  @Override
  public void close() {
    inParallel(
        nodes,
        node -> {
          node.close();
          return node;
        });
  }

  /** Does something to all at the same time; throws what a failing one threw, when all are done. */
  private static <S, T> List<T> inParallel(List<S> all, Function<S, T> task) {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      List<Future<T>> futures =
          all.stream().map(each -> threads.submit(() -> task.apply(each))).toList();
      List<T> results = new ArrayList<>();
      RuntimeException failure = null;
      for (Future<T> future : futures) {
        try {
          results.add(future.get());
        } catch (ExecutionException | CancellationException e) {
          failure =
              e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          futures.forEach(each -> each.cancel(true));
          failure = new IllegalStateException("interrupted", e);
        }
      }
      if (failure != null) {
        throw failure;
      }
      return results;
    } finally {
      threads.shutdown();
    }
  }

  /** Options of a cluster. Not thread-safe. */
  public static final class Builder {

    private final ElasticsearchVersion version;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private int size = 3;
    private int heapMebibytes = 256;
    private IntUnaryOperator publishedPort = port -> port;

    private Builder(ElasticsearchVersion version) {
      this.version = Objects.requireNonNull(version);
    }

    /** Sets how many nodes there are, all of them able to be master: 1 to 9. The default is 3. */
    public Builder size(int nodes) {
      if (nodes < 1 || nodes > 9) {
        throw new IllegalArgumentException("1 to 9 nodes, not " + nodes);
      }
      size = nodes;
      return this;
    }

    /** Adds a setting to {@code elasticsearch.yml} of every node. */
    public Builder setting(String key, String value) {
      settings.put(Objects.requireNonNull(key), Objects.requireNonNull(value));
      return this;
    }

    /** Sets the size of each node's heap in MiB. The default is 256. */
    public Builder heapMebibytes(int mebibytes) {
      heapMebibytes = mebibytes;
      return this;
    }

    /**
     * Has the nodes tell each other another port than the one they listen at, such as a proxy's,
     * which thereby sees all that the others send to a node.
     *
     * @param publishedPort takes a node's transport port on 127.0.0.1, and returns the one to
     *     publish; called once for each node, n1 first, before any is started
     */
    public Builder publishTransportAt(IntUnaryOperator publishedPort) {
      this.publishedPort = Objects.requireNonNull(publishedPort);
      return this;
    }

    /**
     * Starts the cluster, and returns when all nodes have joined it.
     *
     * @throws NodeStartException if a node did not start; nothing is left then
     * @throws IllegalStateException as {@link ElasticsearchNode.Builder#start} does
     */
    public Cluster<ElasticsearchNode> start() throws InterruptedException {
      List<Integer> ports = Ports.free(2 * size);
      List<Integer> published =
          ports.subList(0, size).stream().map(publishedPort::applyAsInt).toList();
      String names =
          IntStream.rangeClosed(1, size).mapToObj(i -> "n" + i).collect(Collectors.joining(","));
      String seeds =
          published.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
      List<ElasticsearchNode.Builder> builders = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        ElasticsearchNode.Builder node =
            ElasticsearchNode.builder(version)
                .clusterName("holdfast-cluster")
                .nodeName("n" + (i + 1))
                .heapMebibytes(heapMebibytes)
                .setting("transport.port", Integer.toString(ports.get(i)))
                .setting("transport.publish_port", Integer.toString(published.get(i)))
                .setting("http.port", Integer.toString(ports.get(size + i)))
                .setting("discovery.seed_hosts", seeds)
                .setting("cluster.initial_master_nodes", names);
        settings.forEach(node::setting);
        builders.add(node);
      }
      return startAll(builders, ElasticsearchNode.Builder::start);
    }
  }
}
