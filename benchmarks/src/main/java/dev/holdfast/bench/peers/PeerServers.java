package dev.holdfast.bench.peers;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.curator.test.TestingServer;

/**
 * The servers of Holdfast's {@link Peer}s, on loopback, each with its data in a directory that goes
 * with it. What cannot be started is left out, and {@link #leftOut} says why.
 */
public final class PeerServers implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Map<Peer, String> addresses = new EnumMap<>(Peer.class);
  private final List<String> leftOut = new ArrayList<>();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /** Starts those that can be had. */
  public static PeerServers start() {
    PeerServers servers = new PeerServers();
    // Also when this JVM is told to end.
    Runtime.getRuntime().addShutdownHook(new Thread(servers::close, "stop-peers"));
    servers.tryTo(Peer.CURATOR, servers::startZooKeeper);
    servers.tryTo(Peer.SHEDLOCK, servers::startPostgres);
    servers.tryTo(Peer.ETCD, servers::startEtcd);
    servers.tryTo(Peer.REDIS, servers::startRedis);
    servers.tryTo(Peer.DYNAMODB, servers::startDynamoDb);
    return servers;
  }

  /** Returns where those that run are, in the form that {@link Peer#connect} takes. */
  public Map<Peer, String> addresses() {
    return Collections.unmodifiableMap(addresses);
  }

  /** Returns who is not there, and why. */
  public List<String> leftOut() {
    return List.copyOf(leftOut);
  }

  private void tryTo(Peer peer, Start start) {
    try {
      addresses.put(peer, start.address());
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      leftOut.add(peer.title() + ": " + e.getMessage());
    }
  }

  private String startZooKeeper() throws Exception {
    TestingServer server = new TestingServer();
    open.push(server);
    return server.getConnectString();
  }

  private String startPostgres() throws IOException {
    // Its own default is fsync=off, for tests.
    EmbeddedPostgres server =
        EmbeddedPostgres.builder()
            .setServerConfig("fsync", "on")
            .setServerConfig("synchronous_commit", "on")
            .start();
    open.push(server);
    return server.getJdbcUrl("postgres", "postgres");
  }

  private String startEtcd() throws IOException, InterruptedException {
    String client = "http://127.0.0.1:" + freePort();
    String peer = "http://127.0.0.1:" + freePort();
    Path data = directory("etcd");
    launch(
        client.substring("http://127.0.0.1:".length()),
        data,
        "etcd",
        "--data-dir=" + data,
        "--listen-client-urls=" + client,
        "--advertise-client-urls=" + client,
        "--listen-peer-urls=" + peer,
        "--initial-advertise-peer-urls=" + peer,
        "--initial-cluster=default=" + peer);
    return client;
  }

  private String startRedis() throws IOException, InterruptedException {
    String port = Integer.toString(freePort());
    Path data = directory("redis");
    launch(
        port,
        data,
        "redis-server",
        "--bind",
        "127.0.0.1",
        "--port",
        port,
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        data.toString());
    return "redis://127.0.0.1:" + port;
  }

  private String startDynamoDb() throws IOException, InterruptedException {
    Path jars = dynamoDbLocal();
    String port = Integer.toString(freePort());
    Path data = directory("dynamodb");
    launch(
        port,
        data,
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Dsqlite4java.library.path=" + jars,
        "-cp",
        jars.resolve("*").toString(),
        "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
        "-port",
        port,
        "-dbPath",
        data.toString(),
        "-disableTelemetry");
    return "http://127.0.0.1:" + port;
  }

  /** In the repository, wherever in it this runs. */
  private static Path dynamoDbLocal() throws IOException {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path jars = folder.resolve("benchmarks/target/dynamodb-local");
      if (Files.isDirectory(jars)) {
        return jars;
      }
    }
    throw new IOException(
        "not downloaded, since it comes under its vendor's own terms, not under an open-source"
            + " licence; who accepts them runs: mvn -B package -DskipTests -pl benchmarks -am"
            + " -Pdynamodb-local");
  }

  private void launch(String port, Path data, String... command)
      throws IOException, InterruptedException {
    if (!isOnPath(command[0])) {
      throw new IOException(command[0] + " is not installed");
    }
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(data.resolve("server.log").toFile())
            .start();
    open.push(
        () -> {
          process.destroy();
          if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
          }
        });
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!answers(Integer.parseInt(port))) {
      if (!process.isAlive() || System.nanoTime() - deadline > 0) {
        throw new IOException(
            command[0] + " does not listen: " + Files.readString(data.resolve("server.log")));
      }
      Thread.sleep(50);
    }
  }

  private static boolean isOnPath(String command) {
    String path = System.getenv("PATH");
    // An absolute one is resolved to itself.
    return path != null
        && Stream.of(path.split(File.pathSeparator))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory).resolve(command)));
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Path directory(String name) throws IOException {
    Path directory = Files.createTempDirectory("holdfast-bench-" + name);
    open.push(() -> deleteAll(directory));
    return directory;
  }

  private static void deleteAll(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Stops them all, last first; one that fails to stop keeps none of the others. */
  @Override
  public synchronized void close() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        System.err.println("not stopped in order: " + e);
      }
    }
  }

  private interface Start {
    String address() throws Exception;
  }
}
