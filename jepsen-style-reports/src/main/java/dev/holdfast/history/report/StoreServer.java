package dev.holdfast.history.report;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Shows a store to browsers of this machine, and to nobody else: it listens on the loopback
 * address, answers only to its own names (another site may have made its name lead here), only
 * reads, and only what really lies in the folder, wherever links lead. Thread-safe.
 */
public final class StoreServer implements AutoCloseable {

  private static final int THREADS = 4;
  private static final String HTML = "text/html; charset=utf-8";
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final Map<String, String> TYPES =
      Map.of(
          "html", HTML,
          "svg", "image/svg+xml",
          "png", "image/png",
          "json", "application/json",
          "edn", TEXT,
          "txt", TEXT,
          "log", TEXT,
          "md", TEXT);
  private static final Set<String> NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

  private final RunStore store;
  private final Path root;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  /**
   * Starts to serve.
   *
   * @param folder what to show: a store, or a single run
   * @param port where to listen; 0 for any that is free
   * @throws IOException if the folder cannot be read, or the port is taken
   */
  public StoreServer(Path folder, int port) throws IOException {
    this.root = folder.toRealPath();
    this.store = new RunStore(root);
    this.server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /**
   * Returns its address.
   *
   * @return the address of the list of all runs, such as {@code http://localhost:8080/}
   */
  public URI uri() {
    return URI.create("http://localhost:" + server.getAddress().getPort() + "/");
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
      exchange.getResponseHeaders().set("Cache-Control", "no-cache");
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        answer(exchange, 405, "This server only shows what there is.");
      } else if (!isForUs(exchange.getRequestHeaders().getFirst("Host"))) {
        answer(exchange, 403, "This server answers only to the name localhost.");
      } else {
        serve(exchange);
      }
    }
  }

  private static boolean isForUs(@Nullable String host) {
    return host != null && NAMES.contains(host.replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT));
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    Path file = path == null ? null : find(path);
    if (file == null) {
      answer(exchange, 404, "There is no such file in this store.");
    } else if (Files.isDirectory(file)) {
      serveFolder(exchange, file, path);
    } else if (file.equals(root.resolve(Run.INDEX)) && !isRun(root)) {
      answer(exchange, 200, HTML, store.indexHtml().getBytes(StandardCharsets.UTF_8));
    } else {
      String name = String.valueOf(file.getFileName());
      String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      exchange
          .getResponseHeaders()
          .set("Content-Type", TYPES.getOrDefault(ending, "application/octet-stream"));
      long size = Files.size(file);
      boolean empty = size == 0 || exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(200, empty ? -1 : size);
      if (!empty) {
        try (OutputStream out = exchange.getResponseBody()) {
          Files.copy(file, out);
        }
      }
    }
  }

  private void serveFolder(HttpExchange exchange, Path folder, String path) throws IOException {
    if (!path.endsWith("/")) { // or links in the page would lead beside it
      exchange.getResponseHeaders().set("Location", exchange.getRequestURI().getRawPath() + "/");
      answer(exchange, 301, "It is a folder.");
    } else if (folder.equals(root) && !isRun(root)) {
      answer(exchange, 200, HTML, store.indexHtml().getBytes(StandardCharsets.UTF_8));
    } else if (Files.isRegularFile(folder.resolve(Run.INDEX))) {
      answer(exchange, 200, HTML, Files.readAllBytes(folder.resolve(Run.INDEX)));
    } else {
      answer(exchange, 404, "There is no page about this folder; \"report\" writes those of runs.");
    }
  }

  private static boolean isRun(Path folder) {
    return Files.exists(folder.resolve(Run.HISTORY));
  }

  /** The file of that name, links followed, if it lies in the store. */
  private @Nullable Path find(String path) throws IOException {
    try {
      String relative = path.replaceFirst("^/+", "");
      Path file = root.resolve(relative).normalize();
      if (!file.startsWith(root)) {
        return null;
      }
      if (file.equals(root.resolve(Run.INDEX)) && !Files.exists(file)) {
        return file; // made when asked for
      }
      Path real = Files.exists(file) ? file.toRealPath() : null;
      return real != null && real.startsWith(root) ? real : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    answer(exchange, status, TEXT, (text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private static void answer(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }
}
