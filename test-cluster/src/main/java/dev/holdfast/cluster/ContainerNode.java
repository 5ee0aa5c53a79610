package dev.holdfast.cluster;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.Ports.Binding;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.utility.DockerImageName;

/**
 * A running Elasticsearch node in a container, through Testcontainers, which must be on the class
 * path. The image is the official one unless the system property {@value #IMAGE_PROPERTY} names
 * another, which must take settings from its environment as the official one does.
 *
 * <p>Closing it removes the container with its data. When the JVM ends without closing it,
 * Testcontainers does that. Thread-safe; what changes the node's state takes turns.
 */
public final class ContainerNode implements Node {

  /** The system property with the name of the image to run. */
  public static final String IMAGE_PROPERTY = "holdfast.test.docker.elasticsearch";

  private static final Logger LOG = LoggerFactory.getLogger(ContainerNode.class);
  private static final int HTTP_PORT = 9200;
  private static final int STOP_SECONDS = 30;
  private static final Duration GONE_LIMIT = Duration.ofMinutes(1);
  private static final int LOG_TAIL = 8_000;

  private final String name;
  private final GenericContainer<?> container;
  private final Duration startLimit;
  private final @Nullable URI fixedUri;
  private final HttpClient http =
      HttpClient.newBuilder()
          .proxy(HttpClient.Builder.NO_PROXY)
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private volatile @Nullable URI mappedUri;
  private volatile boolean closed;

  private ContainerNode(Builder builder, GenericContainer<?> container) {
    this.name = builder.name;
    this.container = container;
    this.startLimit = builder.startLimit;
    this.fixedUri = builder.fixedUri;
  }

  /** Returns a builder of a single node of the version; all its options have defaults. */
  public static Builder builder(ElasticsearchVersion version) {
    return new Builder(
        System.getProperty(
            IMAGE_PROPERTY, "docker.elastic.co/elasticsearch/elasticsearch:" + version.release()));
  }

  /**
   * Returns why containers cannot run on this machine, for a test to skip with; empty if they can.
   * The first call may take some seconds.
   */
  public static Optional<String> unsupportedReason() {
    if (DockerClientFactory.instance().isDockerAvailable()) {
      return Optional.empty();
    }
    String host = System.getenv("DOCKER_HOST");
    return Optional.of(
        "no Docker that answers: looked for DOCKER_HOST (%s), docker.host in ~/.testcontainers.properties, /var/run/docker.sock and a user's own docker.sock"
            .formatted(host == null ? "not set" : host));
  }

  @Override
  public String name() {
    return name;
  }

  /**
   * {@inheritDoc} Unless it is reached through another container, its port is another one after
   * {@link #relaunch}.
   */
  @Override
  public URI httpUri() {
    return fixedUri == null ? Objects.requireNonNull(mappedUri) : fixedUri;
  }

  @Override
  public String log() {
    return closed ? "" : container.getLogs();
  }

  @Override
  public synchronized void pause() {
    ContainerState state = requireRunning();
    if (!Boolean.TRUE.equals(state.getPaused())) {
      docker().pauseContainerCmd(id()).exec();
    }
  }

  @Override
  public synchronized void resume() {
    ContainerState state = requireRunning();
    if (Boolean.TRUE.equals(state.getPaused())) {
      docker().unpauseContainerCmd(id()).exec();
    }
  }

  @Override
  public synchronized void kill() {
    if (!closed && isRunning()) {
      docker().killContainerCmd(id()).exec();
      awaitGone();
    }
  }

  @Override
  public synchronized void stop() {
    if (!closed && isRunning()) {
      docker().stopContainerCmd(id()).withTimeout(STOP_SECONDS).exec();
      awaitGone();
    }
  }

  @Override
  public synchronized void relaunch() {
    requireOpen();
    if (!isRunning()) {
      docker().startContainerCmd(id()).exec();
      findAddress();
    }
  }

  @Override
  public void awaitUp() {
    if (!until(startLimit, () -> !isRunning() || Health.answers(http, httpUri()))) {
      throw failure("did not answer within " + startLimit);
    }
    if (!isRunning()) {
      throw failure("died while starting");
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      container.stop();
    }
  }

  /** Returns the name, image and address, for diagnostics only. */
  @Override
  public String toString() {
    return "container node %s of %s at %s"
        .formatted(name, container.getDockerImageName(), closed ? "nowhere" : httpUri());
  }

  private void findAddress() {
    if (fixedUri == null) {
      Binding[] bindings =
          docker()
              .inspectContainerCmd(id())
              .exec()
              .getNetworkSettings()
              .getPorts()
              .getBindings()
              .get(ExposedPort.tcp(HTTP_PORT));
      if (bindings == null || bindings.length == 0) {
        throw failure("died, or has no port " + HTTP_PORT);
      }
      mappedUri = URI.create("http://" + container.getHost() + ":" + bindings[0].getHostPortSpec());
    }
  }

  private DockerClient docker() {
    return container.getDockerClient();
  }

  private String id() {
    return container.getContainerId();
  }

  private ContainerState state() {
    return docker().inspectContainerCmd(id()).exec().getState();
  }

  private boolean isRunning() {
    return Boolean.TRUE.equals(state().getRunning()); // true also while it is paused
  }

  private ContainerState requireRunning() {
    requireOpen();
    ContainerState state = state();
    if (!Boolean.TRUE.equals(state.getRunning())) {
      throw new IllegalStateException(this + " does not run");
    }
    return state;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
  }

  private void awaitGone() {
    if (!until(GONE_LIMIT, () -> !isRunning())) {
      throw new IllegalStateException(this + " still runs after " + GONE_LIMIT);
    }
  }

  private boolean until(Duration limit, BooleanSupplier condition) {
    try {
      return Polling.until(limit, condition);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeStartException(this + " was awaited when this thread was interrupted", e);
    }
  }

  private NodeStartException failure(String reason) {
    String log = log();
    return new NodeStartException(
        "%s %s%n--- end of its log:%n%s"
            .formatted(this.name, reason, log.substring(Math.max(0, log.length() - LOG_TAIL))));
  }

  /** Options of a node. Not thread-safe. */
  public static final class Builder {

    private final String image;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private String name = "n1";
    private int heapMebibytes = 512;
    private Duration startLimit = Duration.ofMinutes(3);
    private @Nullable String networkOf;
    private @Nullable URI fixedUri;

    private Builder(String image) {
      this.image = image;
    }

    /** Sets the name of the node: letters, digits, _ and -. The default is "n1". */
    public Builder nodeName(String nodeName) {
      name = Objects.requireNonNull(nodeName);
      return this;
    }

    /**
     * Adds a setting, or replaces a default: security off, disk watermarks off, no memory-mapped
     * files (which many machines limit too much). Without a setting about discovery, the node is a
     * cluster of its own.
     *
     * @param key with at least one dot, in lower case, as the official image wants it
     * @throws IllegalArgumentException if the key is not like that
     */
    public Builder setting(String key, String value) {
      if (!key.matches("[a-z0-9_]+(\\.[a-z0-9_]+)+")) {
        throw new IllegalArgumentException(
            "not a setting that an image's environment takes: " + key);
      }
      settings.put(key, Objects.requireNonNull(value));
      return this;
    }

    /** Sets the size of the heap in MiB. The default is 512. */
    public Builder heapMebibytes(int mebibytes) {
      heapMebibytes = mebibytes;
      return this;
    }

    /** Sets how long the node may take until it answers. The default is 3 minutes. */
    public Builder startLimit(Duration limit) {
      startLimit = Objects.requireNonNull(limit);
      return this;
    }

    /**
     * Puts the node into the network of another container, as one of the same pod, which stays when
     * the node is killed.
     *
     * @param containerId the other container's id
     * @param httpUri where the node can be reached then, for example through a proxy in there
     */
    public Builder inNetworkOf(String containerId, URI httpUri) {
      networkOf = Objects.requireNonNull(containerId);
      fixedUri = Objects.requireNonNull(httpUri);
      return this;
    }

    /**
     * Starts the node, and returns when it answers and its cluster has a master.
     *
     * @throws NodeStartException if it died, did not answer in time, or this thread was
     *     interrupted; nothing of it is left then
     * @throws IllegalStateException if there is {@link #unsupportedReason no Docker}
     */
    public ContainerNode start() {
      unsupportedReason()
          .ifPresent(
              reason -> {
                throw new IllegalStateException(reason);
              });
      long startNanos = System.nanoTime();
      ContainerNode node = new ContainerNode(this, container());
      try {
        node.container.start();
        node.findAddress();
        node.awaitUp();
      } catch (RuntimeException e) {
        node.close();
        throw e instanceof NodeStartException
            ? e
            : new NodeStartException(name + " of the image " + image + " did not start: " + e, e);
      }
      LOG.info(
          "{} is up after {} s",
          node,
          Duration.ofNanos(System.nanoTime() - startNanos).toSeconds());
      return node;
    }

    @SuppressWarnings("resource") // the node closes it
    private GenericContainer<?> container() {
      Map<String, String> environment = new LinkedHashMap<>();
      environment.put("node.name", name);
      environment.put("xpack.security.enabled", "false");
      environment.putAll(NodeSpec.UNAFFECTED_BY_DISK);
      environment.put("node.store.allow_mmap", "false");
      if (settings.keySet().stream().noneMatch(NodeSpec::isAboutForming)) {
        environment.put("discovery.type", "single-node");
      }
      environment.putAll(settings);
      environment.put("ES_JAVA_OPTS", NodeSpec.javaOptions(heapMebibytes));
      GenericContainer<?> container =
          new GenericContainer<>(DockerImageName.parse(image))
              .withEnv(environment)
              .waitingFor(
                  new AbstractWaitStrategy() {
                    @Override
                    protected void waitUntilReady() {
                      // The node is asked over HTTP instead, see awaitUp.
                    }
                  });
      return networkOf == null
          ? container.withExposedPorts(HTTP_PORT)
          : container.withNetworkMode("container:" + networkOf);
    }
  }
}
