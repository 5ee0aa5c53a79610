package dev.holdfast.chaos.toxiproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Finds a Toxiproxy server, or starts one. */
public final class ToxiproxyServers {

  /** The environment variable with the URL of a running server. */
  public static final String URL_VARIABLE = "TOXIPROXY_URL";

  /**
   * The system property that forces the choice: {@code auto}, {@code process} or {@code builtin}.
   */
  public static final String CHOICE_PROPERTY = "holdfast.test.toxiproxy";

  private static final String EXECUTABLE = "toxiproxy-server";
  private static final String LOOPBACK = "127.0.0.1";
  private static final int HTTP_TIMEOUT_MILLIS = 5_000;

  /** It gives its own requests up after 25 s. */
  private static final int STUCK_MILLIS = 40_000;

  private static final long START_SECONDS = 20;
  private static final long STOP_SECONDS = 10;

  /**
   * Runs "$@" until it ends or the standard input does, which is a pipe whose other end this JVM
   * has: so it ends also when the JVM is killed. Only the one child is killed.
   */
  private static final String SUPERVISOR =
      """
      exec 3<&0
      "$@" </dev/null 3<&- &
      child=$!
      { read -r _ <&3; kill -9 "$child"; } &
      watcher=$!
      exec 3<&-
      wait "$child"
      status=$?
      kill "$watcher"
      exit "$status"
      """;

  private ToxiproxyServers() {}

  /**
   * Finds a server; the first of these that there is:
   *
   * <ol>
   *   <li>the one running at the URL in the environment variable {@value #URL_VARIABLE};
   *   <li>{@code toxiproxy-server} from the {@code PATH}, started as a process on a free loopback
   *       port, which ends with the handle or with this JVM, even if that is killed;
   *   <li>the built-in {@link ToxiproxyServer}, on a free loopback port.
   * </ol>
   *
   * <p>The system property {@value #CHOICE_PROPERTY} may force the second ({@code process}) or the
   * third ({@code builtin}); its default is {@code auto}.
   *
   * @throws IllegalStateException if the server chosen is not there or does not answer; there is no
   *     falling back to the next one
   * @throws IllegalArgumentException if the system property or the URL makes no sense
   */
  public static ToxiproxyHandle find() {
    return find(System.getenv(), System.getProperty(CHOICE_PROPERTY, "auto"));
  }

  static ToxiproxyHandle find(Map<String, String> environment, String choice) {
    Optional<Path> executable = executable(environment.getOrDefault("PATH", ""));
    String url = environment.getOrDefault(URL_VARIABLE, "");
    return switch (choice) {
      case "auto" ->
          url.isBlank()
              ? executable.map(ToxiproxyServers::process).orElseGet(ToxiproxyServers::builtin)
              : running(url.strip());
      case "process" ->
          process(
              executable.orElseThrow(
                  () -> new IllegalStateException("no " + EXECUTABLE + " on the PATH")));
      case "builtin" -> builtin();
      default ->
          throw new IllegalArgumentException(
              CHOICE_PROPERTY + " is '" + choice + "', not auto, process or builtin");
    };
  }

  /** The real server's executable on the search path. */
  static Optional<Path> executable(String path) {
    return Arrays.stream(path.split(File.pathSeparator))
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, EXECUTABLE))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }

  private static ToxiproxyHandle builtin() {
    ToxiproxyServer server = new ToxiproxyServer();
    return new ToxiproxyHandle(LOOPBACK, server.start(LOOPBACK, 0), "built-in", server::close);
  }

  private static ToxiproxyHandle running(String url) {
    URI uri = URI.create(url.contains("://") ? url : "http://" + url);
    if (!"http".equals(uri.getScheme()) || uri.getHost() == null) {
      throw new IllegalArgumentException(URL_VARIABLE + " is '" + url + "', not http://host:port");
    }
    int port = uri.getPort() < 0 ? 80 : uri.getPort();
    try {
      String version = version(uri.getHost(), port);
      return new ToxiproxyHandle(
          uri.getHost(), port, describe(version, uri.getHost(), port, URL_VARIABLE), () -> {});
    } catch (IOException e) {
      throw new IllegalStateException(
          URL_VARIABLE + " is " + url + ", but no toxiproxy answers there: " + e.getMessage(), e);
    }
  }

  private static ToxiproxyHandle process(Path executable) {
    int port = freePort();
    Launched server = new Launched(executable, port);
    String version;
    try {
      version = server.awaitVersion();
    } catch (RuntimeException e) {
      server.stop();
      throw e;
    }
    return new ToxiproxyHandle(
        LOOPBACK,
        port,
        describe(version, LOOPBACK, port, "process from PATH"),
        server::stop,
        server::restart);
  }

  /** A process that may be replaced by another. */
  private static final class Launched {
    private final Path executable;
    private final int port;
    private Process supervisor;

    Launched(Path executable, int port) {
      this.executable = executable;
      this.port = port;
      this.supervisor = start(executable, port);
    }

    synchronized String awaitVersion() {
      return ToxiproxyServers.awaitVersion(supervisor, executable, port);
    }

    synchronized void stop() {
      ToxiproxyServers.stop(supervisor);
    }

    synchronized void restart() {
      stop();
      supervisor = start(executable, port);
      String unused = awaitVersion();
    }
  }

  private static Process start(Path executable, int port) {
    try {
      return new ProcessBuilder(
              "sh",
              "-c",
              SUPERVISOR,
              EXECUTABLE,
              executable.toString(),
              "-host",
              LOOPBACK,
              "-port",
              String.valueOf(port))
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String awaitVersion(Process supervisor, Path executable, int port) {
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (true) {
      try {
        return version(LOOPBACK, port);
      } catch (IOException e) {
        boolean ended = endsWithin(supervisor, 20, TimeUnit.MILLISECONDS);
        if (ended || System.nanoTime() - deadlineNanos > 0) {
          String reason =
              ended ? " ended with status " + supervisor.exitValue() : " does not answer";
          throw new IllegalStateException(executable + reason, e);
        }
      }
    }
  }

  /** Ends the supervised child by closing the supervisor's standard input. */
  private static void stop(Process supervisor) {
    try {
      supervisor.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!endsWithin(supervisor, STOP_SECONDS, TimeUnit.SECONDS)) {
      supervisor.descendants().forEach(ProcessHandle::destroyForcibly);
      supervisor.destroyForcibly();
    }
  }

  private static boolean endsWithin(Process process, long time, TimeUnit unit) {
    try {
      return process.waitFor(time, unit);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + EXECUTABLE, e);
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String describe(String version, String host, int port, String origin) {
    return "%s %s at %s:%d (%s)".formatted(EXECUTABLE, version, host, port, origin);
  }

  /** Asks the server for its version. */
  private static String version(String host, int port) throws IOException {
    JsonNode version = get(host, port, "/version", HTTP_TIMEOUT_MILLIS).path("version");
    if (!version.isTextual()) {
      throw new IOException("the answer to GET /version has no version");
    }
    return version.textValue();
  }

  static boolean tellsProxies(String host, int port) {
    return tellsProxies(host, port, STUCK_MILLIS);
  }

  static boolean tellsProxies(String host, int port, int timeoutMillis) {
    try {
      return get(host, port, "/proxies", timeoutMillis).isObject();
    } catch (IOException e) {
      return false;
    }
  }

  private static JsonNode get(String host, int port, String path, int timeoutMillis)
      throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) new URL("http", host, port, path).openConnection();
    connection.setConnectTimeout(HTTP_TIMEOUT_MILLIS);
    connection.setReadTimeout(timeoutMillis);
    try (InputStream body = connection.getInputStream()) {
      return new ObjectMapper().readTree(body);
    } finally {
      connection.disconnect();
    }
  }
}
