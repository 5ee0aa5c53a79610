package dev.holdfast.cluster;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A running Elasticsearch node: a process of its own, with files of its own, on 127.0.0.1.
 *
 * <pre>{@code
 * try (ElasticsearchNode node = ElasticsearchNode.builder(ElasticsearchVersion.V9).start()) {
 *   connectTo(node.httpUri());
 * }
 * }</pre>
 *
 * <p>Closing it kills the server and throws its data away. When the JVM ends without closing it, in
 * whatever way, the same happens by itself within seconds.
 *
 * <p>For root, whom Elasticsearch refuses, each node runs under an unprivileged uid of its own.
 *
 * <p>Thread-safe; {@link #pause}, {@link #resume}, {@link #kill}, {@link #stop}, {@link #relaunch}
 * and {@link #close} take turns.
 */
public final class ElasticsearchNode implements Node {

  private final NodeSpec spec;
  private final WorkDir dir;
  private final Supervisor supervisor;
  private final RunAs runAs;
  private final URI httpUri;
  private final int transportPort;
  private final NodeStarter starter;
  private volatile OsProcess server;
  private volatile boolean closed;

  ElasticsearchNode(
      NodeSpec spec,
      WorkDir dir,
      Supervisor supervisor,
      RunAs runAs,
      URI httpUri,
      int transportPort,
      OsProcess server,
      NodeStarter starter) {
    this.spec = spec;
    this.dir = dir;
    this.supervisor = supervisor;
    this.runAs = runAs;
    this.httpUri = httpUri;
    this.transportPort = transportPort;
    this.server = server;
    this.starter = starter;
  }

  /** Returns a builder of a single node of the version; all its options have defaults. */
  public static Builder builder(ElasticsearchVersion version) {
    return new Builder(version);
  }

  /**
   * Returns why nodes of the version cannot run on this machine, for a test to skip with; empty if
   * they can.
   */
  public static Optional<String> unsupportedReason(ElasticsearchVersion version) {
    if (System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows")) {
      return Optional.of("Elasticsearch nodes are started by a POSIX shell, not on Windows");
    }
    JavaHomes homes = JavaHomes.ofThisMachine();
    return homes.find(version.minimumJava()).isPresent()
        ? Optional.empty()
        : Optional.of(
            "no JDK %d+ found: looked in %s".formatted(version.minimumJava(), homes.places()));
  }

  /** Returns the node's name. */
  @Override
  public String name() {
    return spec.nodeName();
  }

  /**
   * Returns where the node answers HTTP, for example {@code http://127.0.0.1:39475}; {@code https}
   * if its settings switch TLS on.
   */
  @Override
  public URI httpUri() {
    return httpUri;
  }

  /** Returns the port on 127.0.0.1 where other nodes reach this one. */
  public int transportPort() {
    return transportPort;
  }

  /** Returns the process id of the server itself, not of its launcher. */
  public long serverPid() {
    return server.handle().pid();
  }

  /** Returns the uid that the node runs under, if it is not that of this JVM. */
  public OptionalInt uid() {
    return runAs.uid();
  }

  /** Returns the folder with the node's config, data and logs; gone once it is closed. */
  public Path workDir() {
    return dir.root();
  }

  /** Returns the text of the node's log up to now; empty once it is closed. */
  @Override
  public String log() {
    return WorkDir.read(dir.log(spec.clusterName()));
  }

  /**
   * Stops the server where it is, as a long collection of garbage would: its connections stay open
   * and are not answered. On Linux it has stopped when this returns, elsewhere it may go on for a
   * moment. Idempotent.
   *
   * @throws IllegalStateException if the server does not run, or the wait was interrupted
   */
  @Override
  public synchronized void pause() {
    requireOpen();
    server.pause();
  }

  /**
   * Lets a paused server go on. Idempotent.
   *
   * @throws IllegalStateException if the server does not run, or the wait was interrupted
   */
  @Override
  public synchronized void resume() {
    requireOpen();
    server.resume();
  }

  /**
   * Kills the server, paused or not, as a crash would, and returns when its process is gone. Its
   * files stay until {@link #close}. Idempotent.
   *
   * @throws IllegalStateException if the process is not gone after 30 s, or the wait was
   *     interrupted
   */
  @Override
  public synchronized void kill() {
    if (!closed) {
      server.kill();
    }
  }

  /**
   * Stops the server in an orderly way, as an operator would, kills it if it has not ended after 30
   * s (one that has lost its master may take longer), and returns when its process is gone. Its
   * files stay until {@link #close}. Idempotent.
   *
   * @throws IllegalStateException if the process is not gone then, or the wait was interrupted
   */
  @Override
  public synchronized void stop() {
    if (!closed) {
      server.terminate();
    }
  }

  /**
   * Starts the server again on its data, after {@link #kill} or {@link #stop}; does nothing while
   * it runs. Returns when there is a process, which is long before it answers, see {@link
   * #awaitUp}. A node whose ports were chosen by the system has others then, which {@link #httpUri}
   * does not tell: set {@code http.port} and {@code transport.port}.
   *
   * @throws NodeStartException if it did not start, or this thread was interrupted
   * @throws IllegalStateException if the node is closed
   */
  @Override
  public synchronized void relaunch() {
    requireOpen();
    if (server.handle().isAlive()) {
      return;
    }
    try {
      server = starter.relaunch(supervisor);
    } catch (IOException e) {
      throw new NodeStartException(spec + " could not be started again: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeStartException(spec + " was starting when this thread was interrupted", e);
    }
  }

  /**
   * Waits until the node answers and its cluster has a master, at most for its start limit.
   *
   * @throws NodeStartException if it did not answer, or died, or this thread was interrupted
   */
  @Override
  public void awaitUp() {
    try {
      starter.awaitBack(supervisor);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeStartException(spec + " was awaited when this thread was interrupted", e);
    }
  }

  /**
   * Kills the node, paused or not, and removes its files. Returns when both are done. Idempotent;
   * an interrupt does not cut it short.
   *
   * @throws IllegalStateException if something is left after a minute; the message says what
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      supervisor.close();
      closed = true;
    }
  }

  /** Returns the version, name and address, for diagnostics only. */
  @Override
  public String toString() {
    return spec + " at " + httpUri;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(spec + " is closed");
    }
  }

  /** Options of a node. Not thread-safe. */
  public static final class Builder {

    private final ElasticsearchVersion version;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Map<String, String> configFiles = new LinkedHashMap<>();
    private String clusterName = "holdfast";
    private String nodeName = "n1";
    private int heapMebibytes = 256;
    private Duration startLimit = Duration.ofMinutes(3);
    private @Nullable Path distribution;

    private Builder(ElasticsearchVersion version) {
      this.version = Objects.requireNonNull(version);
    }

    /** Sets the name of the cluster: letters, digits, _ and -. The default is "holdfast". */
    public Builder clusterName(String name) {
      clusterName = Objects.requireNonNull(name);
      return this;
    }

    /** Sets the name of the node: letters, digits, _ and -. The default is "n1". */
    public Builder nodeName(String name) {
      nodeName = Objects.requireNonNull(name);
      return this;
    }

    /**
     * Adds a setting to {@code elasticsearch.yml}, or replaces a default: security off, ports
     * chosen by the system, disk watermarks off. Without a setting about discovery, the node is a
     * cluster of its own.
     *
     * @param value the value as text; the items of a list are separated by commas
     */
    public Builder setting(String key, String value) {
      settings.put(Objects.requireNonNull(key), Objects.requireNonNull(value));
      return this;
    }

    /** Adds a file to the node's config folder, or replaces one, for example {@code roles.yml}. */
    public Builder configFile(String path, String content) {
      configFiles.put(Objects.requireNonNull(path), Objects.requireNonNull(content));
      return this;
    }

    /** Sets the size of the heap in MiB. The default is 256. */
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
     * Sets the unpacked distribution to run, such as one with plugins. The default is that of the
     * version.
     */
    public Builder distribution(Path folder) {
      distribution = Objects.requireNonNull(folder);
      return this;
    }

    /**
     * Starts the node, and returns when it answers and its cluster has a master.
     *
     * @throws NodeStartException if it died, did not answer in time, or this thread was
     *     interrupted; nothing of it is left then
     * @throws IllegalStateException if the {@link #unsupportedReason machine} lacks what it takes,
     *     or the distribution is not unpacked
     * @throws IllegalArgumentException if an option is not usable
     */
    public ElasticsearchNode start() {
      unsupportedReason(version)
          .ifPresent(
              reason -> {
                throw new IllegalStateException(reason);
              });
      Path java = JavaHomes.ofThisMachine().find(version.minimumJava()).orElseThrow();
      return NodeStarter.start(
          new NodeSpec(
              distribution == null ? version.distribution() : distribution,
              java,
              clusterName,
              nodeName,
              settings,
              configFiles,
              heapMebibytes,
              startLimit));
    }
  }
}
