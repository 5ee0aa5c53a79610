package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A real browser without a window, told what to do over the DevTools protocol. Collects what pages
 * complain about and what they load.
 */
final class Browser implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PROPERTY = "holdfast.test.chromium";
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
  private static final Pattern LISTENING = Pattern.compile("DevTools listening on (ws://\\S+)");
  private static final long TIMEOUT_SECONDS = 60;

  private final Process process;
  private final HttpClient http = HttpClient.newHttpClient();
  private final WebSocket socket;
  private final AtomicLong ids = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private volatile CompletableFuture<Void> loaded = new CompletableFuture<>();
  private final String session;

  /** Returns where a browser is, if there is one. */
  static Optional<Path> executable() {
    String told = System.getProperty(PROPERTY, "");
    if (!told.isEmpty()) {
      return Optional.of(Path.of(told));
    }
    for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
      for (String name : NAMES) {
        Path file = Path.of(folder, name);
        if (Files.isExecutable(file)) {
          return Optional.of(file);
        }
      }
    }
    return Optional.empty();
  }

  /** Returns what to say where there is none. */
  static String missing() {
    return "no Chromium: looked for "
        + String.join(", ", NAMES)
        + " on the PATH (-D"
        + PROPERTY
        + "=FILE names another)";
  }

  Browser(Path executable, Path profile) throws Exception {
    process =
        new ProcessBuilder(
                executable.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--disable-sync",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .start();
    socket =
        http.newWebSocketBuilder()
            .buildAsync(address(process), new Listener())
            .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    String target =
        callIn("", "Target.createTarget", "url", "about:blank").path("targetId").asText();
    session =
        callIn("", "Target.attachToTarget", "targetId", target, "flatten", true)
            .path("sessionId")
            .asText();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable");
    }
  }

  private static URI address(Process process) throws IOException {
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    StringBuilder said = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      said.append(line).append('\n');
      Matcher matcher = LISTENING.matcher(line);
      if (matcher.find()) {
        Thread reader = new Thread(() -> lines.lines().forEach(each -> {}), "browser-output");
        reader.setDaemon(true);
        reader.start();
        return URI.create(matcher.group(1));
      }
    }
    throw new IOException("the browser ended: " + said);
  }

  /** Sets the size of the window and what colours the reader prefers. */
  void look(int width, int height, boolean dark) {
    call(
        "Emulation.setDeviceMetricsOverride",
        "width",
        width,
        "height",
        height,
        "deviceScaleFactor",
        1,
        "mobile",
        width < 600);
    ObjectNode parameters = JSON.createObjectNode();
    parameters
        .putArray("features")
        .addObject()
        .put("name", "prefers-color-scheme")
        .put("value", dark ? "dark" : "light");
    send(session, "Emulation.setEmulatedMedia", parameters);
  }

  /** Opens a page and waits until it has been loaded. */
  void open(URI page) {
    load(() -> call("Page.navigate", "url", page.toString()));
  }

  /** Follows a link, and waits until what it leads to has been loaded. */
  void follow(String selector) {
    load(() -> evaluate("setTimeout(() => document.querySelector('" + selector + "').click())"));
  }

  private void load(Runnable how) {
    loaded = new CompletableFuture<>();
    how.run();
    loaded.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
  }

  /** Evaluates JavaScript, and waits if it promises something. */
  JsonNode evaluate(String expression) {
    JsonNode answer =
        call(
            "Runtime.evaluate",
            "expression",
            expression,
            "returnByValue",
            true,
            "awaitPromise",
            true);
    if (answer.has("exceptionDetails")) {
      throw new IllegalStateException(expression + ": " + answer.get("exceptionDetails"));
    }
    return answer.path("result").path("value");
  }

  /** Waits for the next frame in which a condition holds. */
  void await(String condition) {
    boolean held =
        evaluate(
                "new Promise(done => { const end = performance.now() + "
                    + TIMEOUT_SECONDS * 500 // before we give up waiting for its answer
                    + "; const look = () => ("
                    + condition
                    + ") ? done(true) : performance.now() > end ? done(false)"
                    + " : requestAnimationFrame(look); look(); })")
            .asBoolean();
    if (!held) {
      throw new IllegalStateException("timed out waiting for " + condition);
    }
  }

  /** Presses a key; text is what it types, empty for keys such as ArrowLeft. */
  void press(String key) {
    String text = key.length() == 1 ? key : "";
    call(
        "Input.dispatchKeyEvent",
        "type",
        text.isEmpty() ? "rawKeyDown" : "keyDown",
        "key",
        key,
        "text",
        text);
    call("Input.dispatchKeyEvent", "type", "keyUp", "key", key);
  }

  void mouse(String type, double x, double y) {
    call(
        "Input.dispatchMouseEvent",
        "type",
        type,
        "x",
        x,
        "y",
        y,
        "button",
        type.equals("mouseMoved") ? "none" : "left",
        "buttons",
        type.equals("mouseReleased") ? 0 : 1,
        "clickCount",
        type.equals("mouseMoved") ? 0 : 1);
  }

  void wheel(double x, double y, double deltaX, double deltaY, boolean control) {
    call(
        "Input.dispatchMouseEvent",
        "type",
        "mouseWheel",
        "x",
        x,
        "y",
        y,
        "deltaX",
        deltaX,
        "deltaY",
        deltaY,
        "modifiers",
        control ? 2 : 0);
  }

  /** Saves what the window shows, or the whole page. */
  void screenshot(Path file, boolean whole) throws IOException {
    JsonNode answer =
        call("Page.captureScreenshot", "format", "png", "captureBeyondViewport", whole);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, Base64.getDecoder().decode(answer.path("data").asText()));
  }

  /** Errors and warnings that pages put on the console, and what they threw. */
  List<String> complaints() {
    return complaints;
  }

  /** The addresses of all that pages loaded. */
  List<String> requests() {
    return requests;
  }

  private JsonNode call(String method, Object... parameters) {
    return callIn(session, method, parameters);
  }

  private JsonNode callIn(String inSession, String method, Object... parameters) {
    ObjectNode node = JSON.createObjectNode();
    for (int i = 0; i < parameters.length; i += 2) {
      node.putPOJO((String) parameters[i], parameters[i + 1]);
    }
    return send(inSession, method, node);
  }

  private JsonNode send(String inSession, String method, ObjectNode parameters) {
    long id = ids.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    pending.put(id, answer);
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", parameters);
    if (!inSession.isEmpty()) {
      message.put("sessionId", inSession);
    }
    try {
      socket
          .sendText(JSON.writeValueAsString(message), true)
          .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      JsonNode told = answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      if (told.has("error")) {
        throw new IllegalStateException(method + ": " + told.get("error"));
      }
      return told.path("result");
    } catch (Exception e) {
      throw new IllegalStateException(method + " failed", e);
    }
  }

  private void hear(JsonNode message) {
    JsonNode about = message.path("params");
    switch (message.path("method").asText()) {
      case "" -> {
        CompletableFuture<JsonNode> answer = pending.remove(message.path("id").asLong());
        if (answer != null) {
          answer.complete(message);
        }
      }
      case "Page.loadEventFired" -> loaded.complete(null);
      case "Runtime.exceptionThrown" -> complaints.add(about.path("exceptionDetails").toString());
      case "Runtime.consoleAPICalled" -> complaints.add(about.path("args").toString());
      case "Log.entryAdded" -> complaints.add(about.path("entry").toString());
      case "Network.requestWillBeSent" -> requests.add(about.path("request").path("url").asText());
      default -> {}
    }
  }

  @Override
  public void close() {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(each -> each.onExit().join());
    socket.abort();
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        try {
          hear(JSON.readTree(text.toString()));
        } catch (IOException e) {
          complaints.add("not JSON: " + e);
        }
        text.setLength(0);
      }
      webSocket.request(1);
      return CompletableFuture.completedFuture(null);
    }
  }
}
