package dev.holdfast.lock.elasticsearch;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP server on loopback that answers what a test says, or passes requests on to a node, or
 * misbehaves as servers, proxies and networks do; and keeps what it was asked. Thread-safe.
 */
public final class HttpFront implements AutoCloseable {
  /** One client for all: the JDK's cannot be closed before Java 21. */
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static final Duration FORWARD_LIMIT = Duration.ofSeconds(60);
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "content-length",
          "host",
          "transfer-encoding",
          "expect",
          "upgrade",
          // Bodies are passed on as text.
          "accept-encoding");

  private final ServerSocket server;
  private final @Nullable URI node;
  private final ExecutorService threads = Executors.newCachedThreadPool(HttpFront::daemon);
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile Script script;
  private volatile boolean resetsConnections;

  /** What a request is answered with. Called on many threads. */
  public interface Script {
    /** Returns what is done with a request. */
    Reply reply(Request request);
  }

  /**
   * A request as it arrived.
   *
   * @param target path and query as sent
   * @param headers by name in lower case
   * @param chunks in how many pieces its body came, besides the empty one; 0 if its length was told
   */
  public record Request(
      String method, String target, Map<String, String> headers, String body, int chunks) {
    String path() {
      int query = target.indexOf('?');
      return query < 0 ? target : target.substring(0, query);
    }

    boolean isBulk() {
      return path().endsWith("/_bulk");
    }

    boolean isMget() {
      return path().endsWith("/_mget");
    }

    /** Whether it asks for, or makes, an index. */
    boolean isIndex() {
      return path().lastIndexOf('/') == 0 && !path().startsWith("/_");
    }
  }

  /** What happens to a request. */
  public sealed interface Reply {
    /** Passed on to the node, whose answer is passed back. */
    record Forward() implements Reply {}

    /** Passed on to the node, whose answer is thrown away for this one. */
    record ForwardThen(Reply reply) implements Reply {}

    /** An answer. */
    record Answer(int status, Map<String, String> headers, String body) implements Reply {
      Answer with(String name, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(name, value);
        return new Answer(status, all, body);
      }
    }

    /** The first half of an answer, after which the connection is closed. */
    record Truncated(Answer answer) implements Reply {}

    /** The connection is reset. */
    record Reset() implements Reply {}

    /** Nothing, until this server is closed. */
    record Silence() implements Reply {}

    /** Whatever is written, after which the connection is closed. */
    record Raw(Writer writer) implements Reply {}

    /** Writes to a connection; fails when the peer has hung up or this server is closed. */
    interface Writer {
      /** Writes, then the connection is closed. */
      void write(OutputStream out) throws IOException;
    }
  }

  private HttpFront(@Nullable URI node, Script script) {
    this.node = node;
    this.script = script;
    try {
      this.server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.execute(this::accept);
  }

  /** In front of a node, to which everything is passed on as long as there is no other script. */
  public static HttpFront of(URI node) {
    return new HttpFront(node, request -> new Reply.Forward());
  }

  /** With nothing behind it. */
  static HttpFront alone(Script script) {
    return new HttpFront(null, script);
  }

  /** An answer such as Elasticsearch gives. */
  static Reply.Answer json(int status, String body) {
    return new Reply.Answer(
        status,
        Map.of(
            "Content-Type",
            "application/vnd.elasticsearch+json;compatible-with=8",
            "X-Elastic-Product",
            "Elasticsearch"),
        body);
  }

  /** An error such as Elasticsearch gives. */
  static Reply.Answer error(int status, String type, String reason) {
    String error = "{\"type\":\"" + type + "\",\"reason\":\"" + reason + "\"";
    return json(
        status,
        "{\"error\":" + error + ",\"root_cause\":[" + error + "}]},\"status\":" + status + "}");
  }

  /** A page such as a proxy gives. */
  public static Reply.Answer html(int status) {
    return new Reply.Answer(
        status,
        Map.of("Content-Type", "text/html"),
        "<html><head><title>" + status + "</title></head><body>a proxy speaks</body></html>");
  }

  /** Has requests answered like this from now on. */
  public void script(Script next) {
    script = next;
  }

  /** Whether each new connection is reset before anything is read from it. */
  void resetConnections(boolean resets) {
    resetsConnections = resets;
  }

  String url() {
    return "http://" + host();
  }

  /** Returns host and port. */
  public String host() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  List<Request> requests(Predicate<Request> which) {
    return requests.stream().filter(which).toList();
  }

  /** Forgets the requests that there were. */
  public void forgetRequests() {
    requests.clear();
  }

  int openConnections() {
    return connections.size();
  }

  @Override
  public void close() {
    closing.countDown();
    closeQuietly(server);
    connections.forEach(HttpFront::closeQuietly);
    threads.shutdownNow();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "http-front");
    thread.setDaemon(true);
    return thread;
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // Whatever it was, it is no longer needed.
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket connection = server.accept();
        if (resetsConnections) {
          reset(connection);
        } else {
          connections.add(connection);
          threads.execute(() -> serve(connection));
        }
      } catch (IOException e) {
        // Closed, or the peer has gone already.
      }
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(connection.getInputStream());
      boolean open = true;
      while (open) {
        Request request = read(in);
        if (request == null) {
          return;
        }
        requests.add(request);
        open = carryOut(script.reply(request), request, connection);
      }
    } catch (IOException e) {
      // The peer has gone.
    } finally {
      connections.remove(connection);
    }
  }

  /** Returns whether the connection can be used again. */
  private boolean carryOut(Reply reply, Request request, Socket connection) throws IOException {
    if (reply instanceof Reply.Forward) {
      return carryOut(forwarded(request), request, connection);
    } else if (reply instanceof Reply.ForwardThen then) {
      Reply.Answer unused = forwarded(request);
      return carryOut(then.reply(), request, connection);
    } else if (reply instanceof Reply.Answer answer) {
      write(answer, answer.body().getBytes(StandardCharsets.UTF_8), connection);
      return true;
    } else if (reply instanceof Reply.Truncated truncated) {
      byte[] body = truncated.answer().body().getBytes(StandardCharsets.UTF_8);
      write(truncated.answer(), body, body.length / 2, connection);
      return false;
    } else if (reply instanceof Reply.Reset) {
      reset(connection);
      return false;
    } else if (reply instanceof Reply.Raw raw) {
      raw.writer().write(connection.getOutputStream());
      return false;
    }
    return awaitClose(connection);
  }

  /** Waits until this server is closed, or the peer hangs up. */
  private boolean awaitClose(Socket connection) throws IOException {
    while (closing.getCount() > 0 && connection.getInputStream().read() >= 0) {
      // Nothing more is expected.
    }
    return false;
  }

  private static void reset(Socket connection) throws IOException {
    connection.setSoLinger(true, 0);
    connection.close();
  }

  private static void write(Reply.Answer answer, byte[] body, Socket connection)
      throws IOException {
    write(answer, body, body.length, connection);
  }

  private static void write(Reply.Answer answer, byte[] body, int sent, Socket connection)
      throws IOException {
    StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.status() + " Scripted\r\n");
    answer
        .headers()
        .forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
    bytes.write(body, 0, sent);
    OutputStream out = connection.getOutputStream();
    out.write(bytes.toByteArray());
    out.flush();
  }

  private Reply.Answer forwarded(Request request) throws IOException {
    URI upstream = node;
    if (upstream == null) {
      throw new IllegalStateException("there is no node behind this server");
    }
    HttpRequest.Builder forward =
        HttpRequest.newBuilder(URI.create(upstream + request.target())).timeout(FORWARD_LIMIT);
    request.headers().entrySet().stream()
        .filter(header -> !HOP_BY_HOP.contains(header.getKey()))
        .forEach(header -> forward.header(header.getKey(), header.getValue()));
    forward.method(
        request.method(),
        request.body().isEmpty()
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(request.body()));
    try {
      HttpResponse<String> response =
          CLIENT.send(forward.build(), HttpResponse.BodyHandlers.ofString());
      Map<String, String> headers = new LinkedHashMap<>();
      response
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                if (!name.startsWith(":") && !HOP_BY_HOP.contains(lower(name))) {
                  headers.put(name, String.join(", ", values));
                }
              });
      return new Reply.Answer(response.statusCode(), headers, response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("this server is being closed", e);
    }
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  // --- Reading

  private static @Nullable Request read(InputStream in) throws IOException {
    String start = line(in);
    if (start == null) {
      return null;
    }
    String[] words = start.split(" ", 3);
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.merge(
          lower(line.substring(0, colon)),
          line.substring(colon + 1).strip(),
          (a, b) -> a + ", " + b);
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    int chunks = 0;
    if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
      chunks = readChunks(in, body);
    } else {
      body.write(in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0"))));
    }
    return new Request(words[0], words[1], headers, body.toString(StandardCharsets.UTF_8), chunks);
  }

  /** Returns how many there were, besides the empty one. */
  private static int readChunks(InputStream in, ByteArrayOutputStream body) throws IOException {
    for (int chunks = 0; ; chunks++) {
      String size = line(in);
      if (size == null) {
        throw new EOFException();
      }
      byte[] chunk = in.readNBytes(Integer.parseInt(size.strip(), 16));
      body.write(chunk);
      String unused = line(in);
      if (chunk.length == 0) {
        return chunks;
      }
    }
  }

  private static @Nullable String line(InputStream in) throws IOException {
    List<Byte> bytes = new ArrayList<>();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        return null;
      }
      if (next != '\r') {
        bytes.add((byte) next);
      }
    }
    byte[] array = new byte[bytes.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = bytes.get(i);
    }
    return new String(array, StandardCharsets.ISO_8859_1);
  }
}
