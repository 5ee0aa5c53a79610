package dev.holdfast.chaos.toxiproxy;

import static dev.holdfast.chaos.toxiproxy.Wire.address;
import static dev.holdfast.chaos.toxiproxy.Wire.connect;
import static dev.holdfast.chaos.toxiproxy.Wire.drain;
import static dev.holdfast.chaos.toxiproxy.Wire.listen;
import static dev.holdfast.chaos.toxiproxy.Wire.receive;
import static dev.holdfast.chaos.toxiproxy.Wire.send;
import static dev.holdfast.chaos.toxiproxy.Wire.silent;
import static eu.rekawek.toxiproxy.model.ToxicDirection.DOWNSTREAM;
import static eu.rekawek.toxiproxy.model.ToxicDirection.UPSTREAM;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.chaos.toxiproxy.Wire.Ending;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import eu.rekawek.toxiproxy.model.toxic.Latency;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * The behaviour of a Toxiproxy server, as a specification that is run against the built-in server
 * and, where {@code toxiproxy-server} is on the {@code PATH}, against the real one, which is the
 * truth.
 *
 * <p>Times are bounded from below only; from above by the 30 s within which everything must happen.
 */
@ParameterizedClass
@EnumSource(ToxiproxyConformanceTest.Implementation.class)
@Timeout(120)
class ToxiproxyConformanceTest {

  enum Implementation {
    BUILT_IN,
    REAL
  }

  /** So long that a test does not live to see it. */
  private static final long AN_HOUR_MILLIS = 3_600_000;

  private static final int A_WHILE_MILLIS = 300;

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ToxiproxyHandle toxiproxy = new ToxiproxyHandle("", 0, "none yet", () -> {});

  private final ToxiproxyClient api;
  private final ServerSocket upstream;
  private final Proxy proxy;

  ToxiproxyConformanceTest(Implementation implementation) throws IOException {
    assumeTrue(
        isThere(implementation), "toxiproxy-server is not on the PATH: the real one is not tested");
    api = new ToxiproxyClient(toxiproxy.host(), toxiproxy.port());
    upstream = listen();
    proxy = api.createProxy("main", "127.0.0.1:0", address(upstream));
  }

  private static boolean isThere(Implementation implementation) {
    return implementation == Implementation.BUILT_IN
        || ToxiproxyServers.executable(System.getenv().getOrDefault("PATH", "")).isPresent();
  }

  @BeforeParameterizedClassInvocation
  static void startServer(Implementation implementation) {
    // The client has no time limit of its own.
    System.setProperty("sun.net.client.defaultReadTimeout", "" + Wire.LIVENESS_MILLIS);
    if (isThere(implementation)) {
      String choice = implementation == Implementation.REAL ? "process" : "builtin";
      toxiproxy = ToxiproxyServers.find(System.getenv(), choice);
      LoggerFactory.getLogger(ToxiproxyConformanceTest.class)
          .info("{} is {}", implementation, toxiproxy);
    }
  }

  @AfterParameterizedClassInvocation
  static void stopServer() {
    toxiproxy.close();
  }

  @AfterEach
  void removeProxies() throws IOException {
    for (Proxy each : api.getProxies()) {
      each.delete();
    }
    upstream.close();
  }

  // ---- helpers

  private record HttpAnswer(int status, String type, String body) {

    JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError(body, e);
      }
    }
  }

  private static HttpAnswer call(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("http://%s:%d%s".formatted(toxiproxy.host(), toxiproxy.port(), path)))
            .timeout(Duration.ofMillis(Wire.LIVENESS_MILLIS))
            .method(method, BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      HttpResponse<String> response = HTTP.send(request.build(), BodyHandlers.ofString());
      String type = response.headers().firstValue("Content-Type").orElse("");
      return new HttpAnswer(response.statusCode(), type, response.body());
    } catch (IOException e) {
      throw new AssertionError(method + " " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static void assertError(HttpAnswer answer, int status, String message) {
    assertThat(answer.body())
        .isEqualTo("{\"error\":\"" + message + "\",\"status\":" + status + "}\n");
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.type()).isEqualTo("text/plain; charset=utf-8");
  }

  private Wire open() throws IOException {
    return Wire.open(proxy.getListen(), upstream);
  }

  /** Adds a toxic whose name is its type. */
  private static void add(String type, ToxicDirection stream, String attributes, double toxicity) {
    String json =
        "{\"name\":\"%s\",\"type\":\"%s\",\"stream\":\"%s\",\"toxicity\":%s,\"attributes\":{%s}}"
            .formatted(type, type, stream.name().toLowerCase(Locale.ROOT), toxicity, attributes);
    HttpAnswer answer = call("POST", "/proxies/main/toxics", json);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }

  private static long millisSince(long startNanos) {
    return NANOSECONDS.toMillis(System.nanoTime() - startNanos);
  }

  private static void assertRefused(String listen) {
    assertThatThrownBy(() -> connect(listen).close()).isInstanceOf(ConnectException.class);
  }

  // ---- the API: proxies

  @Test
  void version_asked_isReported() throws IOException {
    assertThat(api.version()).matches("\\{\"version\": \"[^\"]+\"}\\s*");
    assertThat(call("GET", "/version", "").type()).isEqualTo("application/json;charset=utf-8");
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:0, 127\\.0\\.0\\.1:[1-9]\\d*",
    "localhost:0, 127\\.0\\.0\\.1:[1-9]\\d*",
    "0.0.0.0:0, (\\[::]|0\\.0\\.0\\.0):[1-9]\\d*",
    ":0, (\\[::]|0\\.0\\.0\\.0):[1-9]\\d*",
    "'', (\\[::]|0\\.0\\.0\\.0):[1-9]\\d*"
  })
  void createProxy_withPortZero_reportsTheActualAddress(String listen, String actual)
      throws IOException {
    Proxy created = api.createProxy("other", listen, address(upstream));

    assertThat(created.getListen()).matches(actual);
    Wire.open(created.getListen(), upstream).roundTrip().close();
  }

  @Test
  void createProxy_complete_isAnsweredWithAllOfIt() {
    HttpAnswer created =
        call(
            "POST", "/proxies", "{\"name\":\"p\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"u:1\"}");

    String listen = created.json().path("listen").asText();
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.type()).isEqualTo("application/json");
    String json =
        "{\"name\":\"p\",\"listen\":\"%s\",\"upstream\":\"u:1\",\"enabled\":true,\"Logger\":{},\"toxics\":[]}";
    assertThat(created.body()).isEqualTo(json, listen);
    assertThat(call("GET", "/proxies/p", "").body()).isEqualTo(created.body());
    assertThat(call("GET", "/proxies", "").json().path("p")).isEqualTo(created.json());
  }

  @Test
  void createProxy_disabled_doesNotListenUntilEnabled() throws IOException {
    HttpAnswer created =
        call("POST", "/proxies", proxyJson("off", "127.0.0.1:0", address(upstream), "false"));

    assertThat(created.json().path("listen").asText()).isEqualTo("127.0.0.1:0");
    assertThat(created.json().path("enabled").asBoolean()).isFalse();
    Proxy off = api.getProxy("off");
    off.enable();
    Wire.open(api.getProxy("off").getListen(), upstream).roundTrip().close();
  }

  private static String proxyJson(String name, String listen, String upstream, String enabled) {
    return "{\"name\":\"%s\",\"listen\":\"%s\",\"upstream\":\"%s\",\"enabled\":%s}"
        .formatted(name, listen, upstream, enabled);
  }

  @Test
  void createProxy_ofNameThatExists_isAConflict() {
    HttpAnswer answer = call("POST", "/proxies", proxyJson("main", "127.0.0.1:0", "u:1", "true"));

    assertError(answer, 409, "proxy already exists");
  }

  @Test
  void createProxy_namesInAnyCaseNullsUnknownAndTrailingText_isUnderstood() {
    String body = "{\"NAME\":\"p\",\"UpStream\":\"u:1\",\"enabled\":null,\"x\":[1]} and more";

    assertThat(call("POST", "/proxies", body).status()).isEqualTo(201);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}                              | missing required field: name",
        "null                            | missing required field: name",
        "{\"upstream\":\"u:1\"}          | missing required field: name",
        "{\"name\":\"\",\"upstream\":\"u:1\"} | missing required field: name",
        "{\"name\":\"p\"}                | missing required field: upstream",
        "''                              | bad request body: EOF",
        "{                               | bad request body: unexpected EOF",
      })
  void createProxy_incomplete_isABadRequest(String body, String message) {
    assertError(call("POST", "/proxies", body), 400, message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nope",
        "[]",
        "\"text\"",
        "{\"name\":5,\"upstream\":\"u:1\"}",
        "{\"name\":\"p\",\"upstream\":{}}",
        "{\"name\":\"p\",\"upstream\":\"u:1\",\"enabled\":\"yes\"}"
      })
  void createProxy_badJson_isABadRequest(String body) {
    assertBadBody(call("POST", "/proxies", body));
    assertBadBody(call("PATCH", "/proxies/main", body.replace("\"name\":\"p\",", "")));
  }

  private static void assertBadBody(HttpAnswer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.json().path("status").asInt()).isEqualTo(400);
    assertThat(answer.json().path("error").asText()).startsWith("bad request body: ");
    assertThat(answer.json().size()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "nonsense, address nonsense: missing port in address",
    "127.0.0.1:99999, address 99999: invalid port",
    "127.0.0.1:abc, lookup tcp/abc: unknown port",
    "::1:0, address ::1:0: too many colons in address",
    "[::1], address [::1]: missing port in address"
  })
  void listenAddress_invalid_isAnInternalError(String listen, String message) {
    assertError(
        call("POST", "/proxies", proxyJson("p", listen, "u:1", "true")),
        500,
        "listen tcp: " + message);
    assertError(call("PATCH", "/proxies/main", "{\"listen\":\"" + listen + "\"}"), 500, message);
    assertThat(call("GET", "/proxies/p", "").status()).isEqualTo(404);
  }

  @Test
  void listenAddress_inUse_isAnInternalErrorAndLeavesNoProxy() {
    String taken = address(upstream);

    assertError(
        call("POST", "/proxies", proxyJson("p", taken, "u:1", "true")),
        500,
        "listen tcp " + taken + ": bind: address already in use");
    assertThat(call("GET", "/proxies/p", "").status()).isEqualTo(404);
  }

  @Test
  void listenAddress_ofUpdateInUse_disablesTheProxyWithIt() {
    String taken = address(upstream);

    assertError(
        call("PATCH", "/proxies/main", "{\"listen\":\"" + taken + "\"}"),
        500,
        "listen tcp " + taken + ": bind: address already in use");
    assertThat(call("GET", "/proxies/main", "").json().path("enabled").asBoolean()).isFalse();
    assertThat(call("GET", "/proxies/main", "").json().path("listen").asText()).isEqualTo(taken);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /proxies/none, proxy",
    "POST, /proxies/none, proxy",
    "PATCH, /proxies/none, proxy",
    "DELETE, /proxies/none, proxy",
    "GET, /proxies/none/toxics, proxy",
    "POST, /proxies/none/toxics, proxy",
    "GET, /proxies/none/toxics/t, proxy",
    "PATCH, /proxies/none/toxics/t, proxy",
    "DELETE, /proxies/none/toxics/t, proxy",
    "GET, /proxies/main/toxics/none, toxic",
    "POST, /proxies/main/toxics/none, toxic",
    "PATCH, /proxies/main/toxics/none, toxic",
    "DELETE, /proxies/main/toxics/none, toxic"
  })
  void unknownName_inAnyRequest_isNotFound(String method, String path, String what) {
    assertError(call(method, path, "{"), 404, what + " not found");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/nothing", "/proxies/", "/proxies/main/", "/proxies/a%2Fb"})
  void unknownPath_isNotFound(String path) {
    assertThat(call("GET", path, ""))
        .isEqualTo(new HttpAnswer(404, "text/plain; charset=utf-8", "404 page not found\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "PUT, /proxies",
    "GET, /reset",
    "GET, /populate",
    "PUT, /proxies/main",
    "HEAD, /version"
  })
  void unknownMethod_isNotAllowed(String method, String path) {
    assertThat(call(method, path, "")).isEqualTo(new HttpAnswer(405, "", ""));
  }

  @Test
  void browser_isForbidden() {
    HttpAnswer answer = call("GET", "/proxies", "", "User-Agent", "Mozilla/5.0");

    assertThat(answer)
        .isEqualTo(new HttpAnswer(403, "text/plain; charset=utf-8", "User agent not allowed\n"));
  }

  @Test
  void updateProxy_otherUpstream_closesConnectionsAndConnectsToIt() throws IOException {
    try (ServerSocket other = listen();
        Wire wire = open().roundTrip()) {
      proxy.setUpstream(address(other));

      assertThat(drain(wire.client()).text()).isEmpty();
      assertThat(drain(wire.server()).text()).isEmpty();
      Wire.open(proxy.getListen(), other).roundTrip().close();
    }
  }

  @Test
  void updateProxy_otherListenAddress_moves() throws IOException {
    String before = proxy.getListen();

    HttpAnswer moved =
        call("POST", "/proxies/main", "{\"listen\":\"127.0.0.1:0\",\"name\":\"ignored\"}");

    String after = moved.json().path("listen").asText();
    assertThat(moved.json().path("name").asText()).isEqualTo("main");
    assertThat(after).isNotEqualTo(before);
    assertRefused(before);
    Wire.open(after, upstream).roundTrip().close();
  }

  @Test
  void updateProxy_sameAddressOtherwiseSpelled_leavesConnections() throws IOException {
    try (Wire wire = open().roundTrip()) {
      String spelled = proxy.getListen().replace("127.0.0.1", "localhost");
      HttpAnswer answer = call("PATCH", "/proxies/main", "{\"listen\":\"" + spelled + "\"}");

      assertThat(answer.json().path("listen").asText()).isEqualTo(proxy.getListen());
      wire.roundTrip();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "nonsense", "127.0.0.1:99999", "127.0.0.1:x"})
  void upstreamAddress_invalid_isTakenAndClosesEveryClient(String address) throws IOException {
    HttpAnswer answer = call("PATCH", "/proxies/main", "{\"upstream\":\"" + address + "\"}");

    assertThat(answer.json().path("upstream").asText()).isEqualTo(address);
    assertClosedAtOnce();
  }

  private void assertClosedAtOnce() throws IOException {
    try (Socket client = connect(proxy.getListen())) {
      assertThat(drain(client).text()).isEmpty();
    }
  }

  @Test
  void deleteProxy_withConnections_closesThemAndStopsListening() throws IOException {
    try (Wire wire = open().roundTrip()) {
      proxy.delete();

      assertThat(drain(wire.client()).text()).isEmpty();
      assertThat(drain(wire.server()).text()).isEmpty();
      assertRefused(proxy.getListen());
      assertThat(api.getProxies()).isEmpty();
    }
  }

  @Test
  void disable_withConnections_closesThemAndRefusesMoreUntilEnabled() throws IOException {
    try (Wire wire = open().roundTrip()) {
      proxy.disable();

      assertThat(proxy.isEnabled()).isFalse();
      assertThat(drain(wire.client()).text()).isEmpty();
      assertThat(drain(wire.server()).text()).isEmpty();
      assertRefused(proxy.getListen());
    }
    proxy.enable();
    assertThat(api.getProxy("main").getListen()).isEqualTo(proxy.getListen());
    open().roundTrip().close();
  }

  @Test
  void disableAndEnable_manyTimes_keepsThePort() throws IOException {
    for (int i = 0; i < 20; i++) {
      Wire wire = open().roundTrip();
      proxy.disable();
      assertRefused(proxy.getListen());
      proxy.enable();
      wire.close();
    }
    open().roundTrip().close();
  }

  @Test
  void populate_newSameAndOtherProxies_createsLeavesAndReplaces() throws IOException {
    api.createProxy("gone", "127.0.0.1:0", "u:1").toxics().latency("l", DOWNSTREAM, 1);
    proxy.toxics().latency("l", DOWNSTREAM, 1);
    proxy.disable();
    String body =
        "["
            + proxyJson("main", proxy.getListen(), address(upstream), "true")
            + ","
            + proxyJson("gone", "127.0.0.1:0", "u:2", "null")
            + ","
            + proxyJson("new", "127.0.0.1:0", "u:3", "false")
            + "]";

    HttpAnswer answer = call("POST", "/populate", body);

    assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    JsonNode proxies = answer.json().path("proxies");
    assertThat(proxies.findValuesAsText("upstream"))
        .containsExactly(address(upstream), "u:2", "u:3");
    assertThat(proxies.get(0).path("enabled").asBoolean()).as("left alone").isFalse();
    assertThat(proxies.get(0).path("toxics")).as("left alone").hasSize(1);
    assertThat(proxies.get(1).path("enabled").asBoolean()).as("replaced").isTrue();
    assertThat(proxies.get(1).path("toxics")).as("replaced").isEmpty();
    assertThat(proxies.get(2).path("enabled").asBoolean()).as("new").isFalse();
    assertThat(call("GET", "/proxies", "").json()).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "null"})
  void populate_nothing_isFine(String body) {
    assertThat(call("POST", "/populate", body))
        .isEqualTo(new HttpAnswer(201, "application/json", "{\"proxies\":null}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                  | bad request body: EOF",
        "[{\"upstream\":\"u:1\"}]            | missing required field: name at proxy 1",
        "[{\"name\":\"p\",\"upstream\":\"u:1\"},{\"name\":\"q\"}] | missing required field:"
            + " upstream at proxy 2"
      })
  void populate_incomplete_isABadRequestAndCreatesNothing(String body, String message) {
    String json = "{\"error\":\"" + message + "\",\"status\":400,\"proxies\":null}";
    assertThat(call("POST", "/populate", body))
        .isEqualTo(new HttpAnswer(400, "application/json", json));
    assertThat(call("GET", "/proxies", "").json()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[5]", "nope", "[{\"name\":1}]"})
  void populate_badJson_isABadRequest(String body) {
    HttpAnswer answer = call("POST", "/populate", body);

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().path("error").asText()).startsWith("bad request body: ");
    assertThat(answer.json().has("proxies")).isTrue();
  }

  @Test
  void populate_addressInUse_isAnErrorAndKeepsTheOnesBefore() {
    String taken = address(upstream);
    HttpAnswer answer =
        call(
            "POST",
            "/populate",
            "["
                + proxyJson("p", "127.0.0.1:0", "u:1", "true")
                + ","
                + proxyJson("q", taken, "u:1", "true")
                + "]");

    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.json().path("error").asText()).endsWith("bind: address already in use");
    assertThat(answer.json().path("proxies").findValuesAsText("name")).containsExactly("p");
    assertThat(call("GET", "/proxies/p", "").status()).isEqualTo(200);
    assertThat(call("GET", "/proxies/q", "").status()).isEqualTo(404);
  }

  @Test
  void reset_disabledProxiesAndToxics_enablesAllAndRemovesToxics() throws IOException {
    proxy.toxics().latency("l", DOWNSTREAM, AN_HOUR_MILLIS);
    proxy.toxics().bandwidth("b", UPSTREAM, 0);
    proxy.disable();

    assertThat(call("POST", "/reset", "").status()).isEqualTo(204);

    assertThat(api.getProxy("main").isEnabled()).isTrue();
    assertThat(proxy.toxics().getAll()).isEmpty();
    open().roundTrip().close();
  }

  @Test
  void reset_liveConnection_letsGoOfWhatWasHeld() throws IOException {
    proxy.toxics().latency("l", DOWNSTREAM, AN_HOUR_MILLIS);
    proxy.toxics().latency("m", DOWNSTREAM, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.server(), "held");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      api.reset();

      receive(wire.client(), "held");
      wire.roundTrip();
    }
  }

  // ---- the API: toxics

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "latency    | {\"latency\":0,\"jitter\":0}",
        "bandwidth  | {\"rate\":0}",
        "slow_close | {\"delay\":0}",
        "timeout    | {\"timeout\":0}",
        "reset_peer | {\"timeout\":0}",
        "slicer     | {\"average_size\":0,\"size_variation\":0,\"delay\":0}",
        "limit_data | {\"bytes\":0}",
        "noop       | {}"
      })
  void createToxic_ofTypeOnly_hasTheDefaults(String type, String attributes) {
    HttpAnswer created = call("POST", "/proxies/main/toxics", "{\"type\":\"" + type + "\"}");

    String json =
        "{\"attributes\":%s,\"name\":\"%s_downstream\",\"type\":\"%s\",\"stream\":\"downstream\",\"toxicity\":1}"
            .formatted(attributes, type, type);
    assertThat(created).isEqualTo(new HttpAnswer(200, "application/json", json));
    assertThat(call("GET", "/proxies/main/toxics/" + type + "_downstream", "").body())
        .isEqualTo(json);
    assertThat(call("GET", "/proxies/main/toxics", "").body()).isEqualTo("[" + json + "]");
  }

  @Test
  void createToxic_withEverything_isAnsweredAsSpelled() {
    String body =
        "{\"name\":\"u\",\"type\":\"latency\",\"stream\":\"UPstream\",\"toxicity\":0.25,"
            + "\"attributes\":{\"LATENCY\":5,\"jitter\":null,\"other\":true}}";

    assertThat(call("POST", "/proxies/main/toxics", body).body())
        .isEqualTo(
            "{\"attributes\":{\"latency\":5,\"jitter\":0},\"name\":\"u\",\"type\":\"latency\","
                + "\"stream\":\"UPstream\",\"toxicity\":0.25}");
  }

  @Test
  void createToxic_ofNameThatExistsInEitherStream_isAConflict() {
    call("POST", "/proxies/main/toxics", "{\"type\":\"latency\",\"name\":\"n\"}");

    String again = "{\"type\":\"timeout\",\"name\":\"n\",\"stream\":\"upstream\"}";
    assertError(call("POST", "/proxies/main/toxics", again), 409, "toxic already exists");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"type\":\"latency\",\"stream\":\"side\"} | stream was invalid, can be either upstream or"
            + " downstream",
        "{\"type\":\"none\",\"stream\":\"\"}        | stream was invalid, can be either upstream or"
            + " downstream",
        "{\"type\":\"none\"}                        | invalid toxic type",
        "{\"type\":\"LATENCY\"}                     | invalid toxic type",
        "{}                                         | invalid toxic type",
        "''                                         | bad request body: EOF"
      })
  void createToxic_invalid_isABadRequest(String body, String message) {
    assertError(call("POST", "/proxies/main/toxics", body), 400, message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nope",
        "[]",
        "{\"type\":5}",
        "{\"type\":\"latency\",\"toxicity\":\"1\"}",
        "{\"type\":\"latency\",\"toxicity\":1e400}",
        "{\"type\":\"latency\",\"attributes\":[]}",
        "{\"type\":\"latency\",\"attributes\":{\"latency\":\"1\"}}",
        "{\"type\":\"latency\",\"attributes\":{\"latency\":1.5}}",
        "{\"type\":\"latency\",\"attributes\":{\"latency\":99999999999999999999}}"
      })
  void createToxic_badJson_isABadRequest(String body) {
    call("POST", "/proxies/main/toxics", "{\"type\":\"latency\",\"name\":\"there\"}");

    assertBadBody(call("POST", "/proxies/main/toxics", body));
    assertThat(call("GET", "/proxies/main/toxics", "").json()).hasSize(1);
    if (!body.contains("type\":5")) {
      assertBadBody(call("PATCH", "/proxies/main/toxics/there", body));
    }
  }

  @Test
  void updateToxic_inPart_keepsTheRest() {
    call("POST", "/proxies/main/toxics", "{\"type\":\"latency\",\"name\":\"n\"}");
    String path = "/proxies/main/toxics/n";

    call("PATCH", path, "{\"attributes\":{\"jitter\":7},\"name\":\"x\",\"stream\":\"upstream\"}");
    call("POST", path, "{\"toxicity\":0.5}");
    HttpAnswer updated = call("PATCH", path, "{\"attributes\":{\"latency\":9}}");

    assertThat(updated.body())
        .isEqualTo(
            "{\"attributes\":{\"latency\":9,\"jitter\":7},\"name\":\"n\",\"type\":\"latency\","
                + "\"stream\":\"downstream\",\"toxicity\":0.5}");
    assertThat(call("GET", path, "").body()).isEqualTo(updated.body());
  }

  @Test
  void toxics_ofBothStreams_areListedUpstreamFirstInOrderOfCreation() throws IOException {
    proxy.toxics().latency("d1", DOWNSTREAM, 1);
    proxy.toxics().latency("u1", UPSTREAM, 1);
    proxy.toxics().latency("d2", DOWNSTREAM, 1);
    proxy.toxics().latency("u2", UPSTREAM, 1);
    proxy.toxics().get("d1").remove();
    proxy.toxics().latency("d1", DOWNSTREAM, 1);

    assertThat(proxy.toxics().getAll())
        .extracting(Toxic::getName)
        .containsExactly("u1", "u2", "d2", "d1");
  }

  @Test
  void deleteToxic_there_isGone() {
    call("POST", "/proxies/main/toxics", "{\"type\":\"latency\",\"name\":\"n\"}");

    assertThat(call("DELETE", "/proxies/main/toxics/n", "")).isEqualTo(new HttpAnswer(204, "", ""));
    assertThat(call("GET", "/proxies/main/toxics/n", "").status()).isEqualTo(404);
  }

  // ---- streams without toxics

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void stream_withoutToxics_arrivesUnchanged(ToxicDirection direction) throws Exception {
    byte[] data = new byte[3_000_000];
    new Random(1).nextBytes(data);
    try (Wire wire = open()) {
      Thread sender = new Thread(() -> sendAndFinish(wire.sender(direction), data));
      sender.start();

      assertThat(wire.receiver(direction).getInputStream().readAllBytes()).isEqualTo(data);
      sender.join();
    }
  }

  private static void sendAndFinish(Socket socket, byte[] data) {
    try {
      socket.getOutputStream().write(data);
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void close_byEitherSide_arrivesAtTheOther(ToxicDirection direction) throws IOException {
    try (Wire wire = open().roundTrip()) {
      send(wire.sender(direction), "last words");
      wire.sender(direction).close();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("last words", false));
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void halfClose_byEitherSide_closesTheOtherWhole(ToxicDirection direction) throws IOException {
    try (Wire wire = open().roundTrip()) {
      send(wire.sender(direction), "question");
      wire.sender(direction).shutdownOutput();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("question", false));
      assertThat(drain(wire.sender(direction)).text()).isEmpty();
    }
  }

  @Test
  void upstream_unreachable_closesTheClient() throws IOException {
    upstream.close();

    assertClosedAtOnce();
  }

  @Test
  void upstream_thatResets_closesTheClient() throws IOException {
    try (Wire wire = open().roundTrip()) {
      wire.server().setSoLinger(true, 0);
      wire.server().close();

      assertThat(drain(wire.client()).text()).isEmpty();
    }
  }

  // ---- latency

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void latency_ofNewConnection_delaysInOrder(ToxicDirection direction) throws IOException {
    add("latency", direction, "\"latency\":300", 1);
    try (Wire wire = open()) {
      assertDelayed(wire, direction, 290);
      assertDelayed(wire, direction, 290);
      send(wire.sender(direction), "1");
      send(wire.sender(direction), "2");
      send(wire.sender(direction), "3");
      wire.sender(direction).close();
      assertThat(drain(wire.receiver(direction)).text()).isEqualTo("123");
    }
  }

  private static void assertDelayed(Wire wire, ToxicDirection direction, long millis)
      throws IOException {
    long startNanos = System.nanoTime();
    send(wire.sender(direction), "delayed");
    receive(wire.receiver(direction), "delayed");
    assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(millis);
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void latency_addedToLiveConnection_delays(ToxicDirection direction) throws IOException {
    try (Wire wire = open().roundTrip()) {
      add("latency", direction, "\"latency\":300", 1);

      assertDelayed(wire, direction, 290);
    }
  }

  @Test
  void latency_ofOneDirection_leavesTheOther() throws IOException {
    add("latency", DOWNSTREAM, "\"latency\":" + AN_HOUR_MILLIS, 1);
    try (Wire wire = open()) {
      send(wire.client(), "request");
      receive(wire.server(), "request");
    }
  }

  @Test
  void latency_withJitter_delaysByAtLeastTheDifference() throws IOException {
    add("latency", DOWNSTREAM, "\"latency\":300,\"jitter\":100", 1);
    try (Wire wire = open()) {
      assertDelayed(wire, DOWNSTREAM, 190);
    }
  }

  @Test
  void latency_twice_addsUp() throws IOException {
    proxy.toxics().latency("first", DOWNSTREAM, 200);
    proxy.toxics().latency("second", DOWNSTREAM, 200);
    try (Wire wire = open()) {
      assertDelayed(wire, DOWNSTREAM, 390);
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void latency_removed_letsGoOfAllThatItHeld(ToxicDirection direction) throws IOException {
    Latency latency = proxy.toxics().latency("l", direction, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.sender(direction), "held");
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();
      send(wire.sender(direction), " and queued");
      wire.sender(direction).shutdownOutput();
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();

      latency.remove();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("held and queued", false));
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void latency_updated_takesEffectOnWhatIsInFlight(ToxicDirection direction) throws IOException {
    Latency latency = proxy.toxics().latency("l", direction, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.sender(direction), "held");
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();
      send(wire.sender(direction), " and queued");

      latency.setLatency(1);

      receive(wire.receiver(direction), "held and queued");
      wire.roundTrip();
    }
  }

  @Test
  void latency_thatGetsANeighbour_letsGoOfTheChunkItHolds() throws IOException {
    proxy.toxics().latency("l", DOWNSTREAM, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.server(), "held");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      proxy.toxics().limitData("neighbour", DOWNSTREAM, 2);

      receive(wire.client(), "held");
      send(wire.server(), "more");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();
    }
  }

  @Test
  void latency_disabledWhileHolding_losesWhatItHeld() throws IOException {
    proxy.toxics().latency("l", DOWNSTREAM, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.server(), "held");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      proxy.disable();

      assertThat(drain(wire.client()).text()).isEmpty();
    }
  }

  // ---- bandwidth

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void bandwidth_ofTenKilobytesASecond_takesASecondForTen(ToxicDirection direction)
      throws IOException {
    add("bandwidth", direction, "\"rate\":10", 1);
    String data = "x".repeat(10_000);
    try (Wire wire = open()) {
      long startNanos = System.nanoTime();
      send(wire.sender(direction), data);
      receive(wire.receiver(direction), data);
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(990);
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void bandwidth_ofZero_letsNothingThroughUntilRemoved(ToxicDirection direction)
      throws IOException {
    add("bandwidth", direction, "\"rate\":0", 1);
    try (Wire wire = open()) {
      send(wire.sender(direction), "held");
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();

      proxy.toxics().get("bandwidth").remove();

      receive(wire.receiver(direction), "held");
      wire.roundTrip();
    }
  }

  @Test
  void bandwidth_updated_takesEffectOnWhatIsInFlight() throws IOException {
    var bandwidth = proxy.toxics().bandwidth("b", DOWNSTREAM, 1);
    try (Wire wire = open()) {
      Thread sender = new Thread(() -> sendAndFinish(wire.server(), new byte[200_000]));
      sender.start();
      receive(wire.client(), "\0");

      bandwidth.setRate(100_000);

      assertThat(drain(wire.client()).text()).hasSize(199_999);
    }
  }

  // ---- slow_close

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void slowClose_onClose_delaysTheEndButNotTheData(ToxicDirection direction) throws IOException {
    add("slow_close", direction, "\"delay\":300", 1);
    try (Wire wire = open()) {
      send(wire.sender(direction), "data");
      receive(wire.receiver(direction), "data");
      long startNanos = System.nanoTime();
      wire.sender(direction).close();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(290);
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void slowClose_removedDuringTheDelay_closes(ToxicDirection direction) throws IOException {
    add("slow_close", direction, "\"delay\":" + AN_HOUR_MILLIS, 1);
    try (Wire wire = open().roundTrip()) {
      wire.sender(direction).shutdownOutput();
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();

      proxy.toxics().get("slow_close").remove();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void slowClose_updatedDuringTheDelay_waitsForTheNewOne() throws IOException {
    var slowClose = proxy.toxics().slowClose("s", DOWNSTREAM, AN_HOUR_MILLIS);
    try (Wire wire = open().roundTrip()) {
      wire.server().close();
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      slowClose.setDelay(1);

      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void slowClose_ofHalfClosedClient_leavesTimeForTheAnswer() throws IOException {
    add("slow_close", UPSTREAM, "\"delay\":" + AN_HOUR_MILLIS, 1);
    try (Wire wire = open().roundTrip()) {
      send(wire.client(), "question");
      wire.client().shutdownOutput();
      receive(wire.server(), "question");
      assertThat(silent(wire.server(), A_WHILE_MILLIS)).isTrue();

      send(wire.server(), "answer");

      receive(wire.client(), "answer");
    }
  }

  // ---- timeout

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void timeout_ofZero_dropsDataUntilItsRemovalCloses(ToxicDirection direction) throws IOException {
    Toxic timeout = proxy.toxics().timeout("t", direction, 0);
    try (Wire wire = open()) {
      send(wire.sender(direction), "lost");
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();

      timeout.remove();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
      assertThat(drain(wire.sender(direction)).text()).isEmpty();
    }
    open().roundTrip().close();
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void timeout_addedToLiveConnection_dropsDataUntilItsRemovalCloses(ToxicDirection direction)
      throws IOException {
    try (Wire wire = open().roundTrip()) {
      Toxic timeout = proxy.toxics().timeout("t", direction, 0);
      send(wire.sender(direction), "lost");
      assertThat(silent(wire.receiver(direction), A_WHILE_MILLIS)).isTrue();

      timeout.remove();

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void timeout_ofSomeTime_closesAfterIt(ToxicDirection direction) throws IOException {
    add("timeout", direction, "\"timeout\":300", 1);
    long startNanos = System.nanoTime();
    try (Wire wire = open()) {
      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(290);
      assertThat(drain(wire.sender(direction)).text()).isEmpty();
    }
  }

  @Test
  void timeout_withDataMeanwhile_countsFromTheLast() throws IOException {
    add("timeout", DOWNSTREAM, "\"timeout\":1500", 1);
    try (Wire wire = open()) {
      assertThat(silent(wire.client(), 2 * A_WHILE_MILLIS)).isTrue();
      long startNanos = System.nanoTime();
      send(wire.server(), "lost");

      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(1490);
    }
  }

  @Test
  void timeout_updated_startsAgain() throws IOException {
    var timeout = proxy.toxics().timeout("t", DOWNSTREAM, 0);
    try (Wire wire = open()) {
      timeout.setTimeout(1);

      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void timeout_ofToxicityZero_closesAllTheSameWhenRemoved() throws IOException {
    add("timeout", DOWNSTREAM, "\"timeout\":0", 0);
    try (Wire wire = open().roundTrip()) {
      proxy.toxics().get("timeout").remove();

      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void timeout_onClose_passesTheEndOnAtOnce(ToxicDirection direction) throws IOException {
    add("timeout", direction, "\"timeout\":" + AN_HOUR_MILLIS, 1);
    try (Wire wire = open()) {
      send(wire.sender(direction), "lost");
      wire.sender(direction).close();

      assertThat(drain(wire.receiver(direction)).text()).isEmpty();
    }
  }

  // ---- reset_peer

  /**
   * The case that matters for a lock: a request takes effect, and its sender does not learn of it.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 300})
  void resetPeer_downstream_losesTheAnswerOfAnAppliedRequest(int timeoutMillis) throws IOException {
    add("reset_peer", DOWNSTREAM, "\"timeout\":" + timeoutMillis, 1);
    try (Wire wire = open()) {
      send(wire.client(), "request");
      receive(wire.server(), "request");
      long startNanos = System.nanoTime();
      send(wire.server(), "answer");

      assertThat(drain(wire.client())).isEqualTo(new Ending("", true));
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(timeoutMillis - 10);
      assertThat(drain(wire.server())).isEqualTo(new Ending("", true));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 300})
  void resetPeer_upstream_losesTheRequest(int timeoutMillis) throws IOException {
    add("reset_peer", UPSTREAM, "\"timeout\":" + timeoutMillis, 1);
    try (Wire wire = open()) {
      long startNanos = System.nanoTime();
      send(wire.client(), "request");

      assertThat(drain(wire.client())).isEqualTo(new Ending("", true));
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(timeoutMillis - 10);
      assertThat(drain(wire.server())).isEqualTo(new Ending("", true));
    }
  }

  @Test
  void resetPeer_withoutData_waits() throws IOException {
    add("reset_peer", DOWNSTREAM, "\"timeout\":0", 1);
    try (Wire wire = open()) {
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void resetPeer_addedToLiveConnection_dropsTheDataAndClosesWithoutAReset(ToxicDirection direction)
      throws IOException {
    try (Wire wire = open().roundTrip()) {
      add("reset_peer", direction, "\"timeout\":0", 1);
      send(wire.sender(direction), "lost");

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("", false));
      assertThat(drain(wire.sender(direction))).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void resetPeer_ofToxicityZero_passesDataButAnyCloseIsAReset() throws IOException {
    add("reset_peer", DOWNSTREAM, "\"timeout\":0", 0);
    try (Wire wire = open().roundTrip()) {
      wire.client().close();

      assertThat(drain(wire.server())).isEqualTo(new Ending("", true));
    }
  }

  @Test
  void resetPeer_removed_leavesTheConnectionWhichStillClosesByAReset() throws IOException {
    add("reset_peer", UPSTREAM, "\"timeout\":0", 1);
    try (Wire wire = open()) {
      send(wire.server(), "x");
      receive(wire.client(), "x");
      proxy.toxics().get("reset_peer").remove();

      wire.roundTrip();
      wire.client().close();
      assertThat(drain(wire.server())).isEqualTo(new Ending("", true));
    }
  }

  // ---- slicer

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void slicer_withDelay_deliversAllAndPausesAfterEachSlice(ToxicDirection direction)
      throws IOException {
    add("slicer", direction, "\"average_size\":10,\"size_variation\":2,\"delay\":20000", 1);
    String data = "0123456789".repeat(10);
    try (Wire wire = open()) {
      long startNanos = System.nanoTime();
      send(wire.sender(direction), data);
      receive(wire.receiver(direction), data);
      // A slice is at most 12 bytes, so that there are 8 pauses or more.
      assertThat(millisSince(startNanos)).isGreaterThanOrEqualTo(8 * 20 - 10);
    }
  }

  @Test
  void slicer_ofMuchData_leavesItUnchanged() throws Exception {
    add("slicer", DOWNSTREAM, "\"average_size\":300,\"size_variation\":100,\"delay\":0", 1);
    stream_withoutToxics_arrivesUnchanged(DOWNSTREAM);
  }

  @Test
  void slicer_removed_letsGoOfTheRest() throws IOException {
    add("slicer", DOWNSTREAM, "\"average_size\":10,\"delay\":" + AN_HOUR_MILLIS * 1000, 1);
    String data = "0123456789".repeat(10);
    try (Wire wire = open()) {
      send(wire.server(), data);
      receive(wire.client(), data.substring(0, 1));

      proxy.toxics().get("slicer").remove();

      receive(wire.client(), data.substring(1));
    }
  }

  // ---- limit_data

  @ParameterizedTest
  @EnumSource(ToxicDirection.class)
  void limitData_reached_closesAfterExactlySoManyBytes(ToxicDirection direction)
      throws IOException {
    add("limit_data", direction, "\"bytes\":10", 1);
    try (Wire wire = open()) {
      send(wire.sender(direction), "0123");
      receive(wire.receiver(direction), "0123");
      send(wire.sender(direction), "456789more");

      assertThat(drain(wire.receiver(direction))).isEqualTo(new Ending("456789", false));
      assertThat(drain(wire.sender(direction)).text()).isEmpty();
    }
  }

  @Test
  void limitData_reachedExactly_closesWithoutWaitingForMore() throws IOException {
    add("limit_data", DOWNSTREAM, "\"bytes\":4", 1);
    try (Wire wire = open()) {
      send(wire.server(), "0123");

      assertThat(drain(wire.client())).isEqualTo(new Ending("0123", false));
    }
  }

  @Test
  void limitData_updated_keepsTheCount() throws IOException {
    var limit = proxy.toxics().limitData("l", DOWNSTREAM, 100);
    try (Wire wire = open()) {
      send(wire.server(), "0123456789");
      receive(wire.client(), "0123456789");
      limit.setBytes(12);
      send(wire.server(), "abcdef");

      assertThat(drain(wire.client())).isEqualTo(new Ending("ab", false));
    }
  }

  @Test
  void limitData_addedToLiveConnection_countsFromThen() throws IOException {
    try (Wire wire = open().roundTrip()) {
      add("limit_data", DOWNSTREAM, "\"bytes\":3", 1);
      send(wire.server(), "abcdef");

      assertThat(drain(wire.client())).isEqualTo(new Ending("abc", false));
    }
  }

  // ---- toxicity and order

  @ParameterizedTest
  @ValueSource(strings = {"timeout", "bandwidth", "limit_data", "latency"})
  void toxicity_zero_passesEverything(String type) throws IOException {
    add(type, DOWNSTREAM, "\"latency\":" + AN_HOUR_MILLIS, 0);
    add("noop", UPSTREAM, "", 0);
    for (int i = 0; i < 10; i++) {
      open().roundTrip().close();
    }
  }

  @Test
  void toxicity_one_affectsEveryConnection() throws IOException {
    add("limit_data", DOWNSTREAM, "\"bytes\":0", 1);
    for (int i = 0; i < 10; i++) {
      try (Wire wire = open()) {
        send(wire.server(), "x");
        assertThat(drain(wire.client()).text()).isEmpty();
      }
    }
  }

  @Test
  void toxicity_updatedToZero_freesLiveConnections() throws IOException {
    Latency latency = proxy.toxics().latency("l", DOWNSTREAM, AN_HOUR_MILLIS);
    try (Wire wire = open()) {
      send(wire.server(), "held");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      latency.setToxicity(0);

      receive(wire.client(), "held");
      wire.roundTrip();
    }
  }

  @Test
  void order_limitBeforeLatency_closesAtOnce() throws IOException {
    add("limit_data", DOWNSTREAM, "\"bytes\":0", 1);
    add("latency", DOWNSTREAM, "\"latency\":" + AN_HOUR_MILLIS, 1);
    try (Wire wire = open()) {
      send(wire.server(), "x");
      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void order_latencyBeforeLimit_closesAfterTheLatency() throws IOException {
    add("latency", DOWNSTREAM, "\"latency\":" + AN_HOUR_MILLIS, 1);
    add("limit_data", DOWNSTREAM, "\"bytes\":0", 1);
    try (Wire wire = open()) {
      send(wire.server(), "x");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      proxy.toxics().get("latency").remove();

      assertThat(drain(wire.client())).isEqualTo(new Ending("", false));
    }
  }

  @Test
  void order_middleToxicRemoved_keepsTheOthers() throws IOException {
    add("slow_close", DOWNSTREAM, "\"delay\":1", 1);
    add("latency", DOWNSTREAM, "\"latency\":" + AN_HOUR_MILLIS, 1);
    add("limit_data", DOWNSTREAM, "\"bytes\":6", 1);
    try (Wire wire = open()) {
      send(wire.server(), "held");
      assertThat(silent(wire.client(), A_WHILE_MILLIS)).isTrue();

      proxy.toxics().get("latency").remove();

      receive(wire.client(), "held");
      send(wire.server(), "1234");
      assertThat(drain(wire.client())).isEqualTo(new Ending("12", false));
    }
  }
}
