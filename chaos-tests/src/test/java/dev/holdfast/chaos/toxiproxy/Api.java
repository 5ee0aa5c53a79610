package dev.holdfast.chaos.toxiproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP API and the set of proxies. All requests come on the one API thread, one after the
 * other.
 */
@Sharable
@SuppressWarnings("FutureReturnValueIgnored") // Failures come to the pipeline.
final class Api extends SimpleChannelInboundHandler<FullHttpRequest> {

  private static final Logger LOG = LoggerFactory.getLogger(Api.class);

  /** The version whose behaviour this is, marked as not the original. */
  private static final String VERSION = "2.12.0+builtin";

  private static final String JSON = "application/json";
  private static final String PLAIN = "text/plain; charset=utf-8";

  private final Supplier<Traffic> traffic;
  private final Map<String, Proxy> proxies = new TreeMap<>();
  private final List<Route> routes =
      List.of(
          new Route("GET", "/version", call -> version()),
          new Route("POST", "/reset", call -> reset()),
          new Route("POST", "/populate", this::populate),
          new Route("GET", "/proxies", call -> json(200, allJson())),
          new Route("POST", "/proxies", this::createProxy),
          new Route("GET", "/proxies/*", call -> json(200, proxy(call).json())),
          new Route("POST PATCH", "/proxies/*", this::updateProxy),
          new Route("DELETE", "/proxies/*", this::deleteProxy),
          new Route("GET", "/proxies/*/toxics", call -> json(200, proxy(call).toxicsJson())),
          new Route("POST", "/proxies/*/toxics", this::createToxic),
          new Route("GET", "/proxies/*/toxics/*", call -> json(200, toxic(call).json())),
          new Route("POST PATCH", "/proxies/*/toxics/*", this::updateToxic),
          new Route("DELETE", "/proxies/*/toxics/*", this::deleteToxic));

  Api(Supplier<Traffic> traffic) {
    this.traffic = traffic;
  }

  /** A request: the parts of its path, and its body. */
  private record ApiCall(List<String> path, String body) {

    Fields fields() {
      return new Fields(Fields.parse(body));
    }
  }

  private record ApiAnswer(int status, String contentType, String body) {}

  /**
   * A route of the HTTP API.
   *
   * @param methods separated by a blank
   * @param pattern a path in which * stands for any one part
   * @param action what makes the answer
   */
  private record Route(String methods, String pattern, Function<ApiCall, ApiAnswer> action) {

    boolean matches(List<String> path) {
      List<String> parts = parts(pattern);
      if (parts.size() != path.size()) {
        return false;
      }
      for (int i = 0; i < parts.size(); i++) {
        boolean same =
            parts.get(i).equals("*") ? !path.get(i).isEmpty() : parts.get(i).equals(path.get(i));
        if (!same) {
          return false;
        }
      }
      return true;
    }

    boolean allows(String method) {
      return List.of(methods.split(" ")).contains(method);
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    ApiAnswer answer = answer(request);
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(answer.status()),
            Unpooled.copiedBuffer(answer.body(), StandardCharsets.UTF_8));
    if (!answer.contentType().isEmpty()) {
      response.headers().set(HttpHeaderNames.CONTENT_TYPE, answer.contentType());
    }
    if (answer.status() != 204) {
      response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
    }
    context.writeAndFlush(response, context.voidPromise());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      LOG.debug("{}: {}", context.channel(), cause.toString());
    } else {
      LOG.warn("{}: closed after an unexpected error", context.channel(), cause);
    }
    context.close();
  }

  private ApiAnswer answer(FullHttpRequest request) {
    if (!request.decoderResult().isSuccess()) {
      return new ApiAnswer(400, PLAIN, "400 Bad Request");
    }
    List<String> path = parts(new QueryStringDecoder(request.uri()).path());
    List<Route> there = routes.stream().filter(route -> route.matches(path)).toList();
    if (there.isEmpty()) {
      return new ApiAnswer(404, PLAIN, "404 page not found\n");
    }
    String method = request.method().name();
    Route route = there.stream().filter(r -> r.allows(method)).findFirst().orElse(null);
    if (route == null) {
      return new ApiAnswer(405, "", "");
    }
    if (request.headers().get(HttpHeaderNames.USER_AGENT, "").startsWith("Mozilla/")) {
      return new ApiAnswer(403, PLAIN, "User agent not allowed\n");
    }
    try {
      return route
          .action()
          .apply(new ApiCall(path, request.content().toString(StandardCharsets.UTF_8)));
    } catch (ApiException e) {
      return new ApiAnswer(e.status(), PLAIN, error(e) + "\n");
    } catch (RuntimeException e) {
      LOG.error("{} {} failed", method, request.uri(), e);
      return new ApiAnswer(500, PLAIN, error(ApiException.internal(e.toString())) + "\n");
    }
  }

  private static List<String> parts(String path) {
    return List.of(path.split("/", -1));
  }

  private static ObjectNode error(ApiException e) {
    return JsonNodeFactory.instance.objectNode().put("error", e.text()).put("status", e.status());
  }

  private static ApiAnswer json(int status, JsonNode json) {
    return new ApiAnswer(status, JSON, json.toString());
  }

  private static ApiAnswer done() {
    return new ApiAnswer(204, "", "");
  }

  // ---- the whole

  private static ApiAnswer version() {
    return new ApiAnswer(200, JSON + ";charset=utf-8", "{\"version\": \"" + VERSION + "\"}\n");
  }

  /** Ends all proxies and their connections. On the API thread. */
  void close() {
    proxies.values().forEach(Proxy::stop);
    proxies.clear();
  }

  private ApiAnswer reset() {
    for (Proxy proxy : proxies.values()) {
      proxy.start();
      proxy.removeAll();
    }
    return done();
  }

  private ObjectNode allJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    proxies.forEach((name, proxy) -> json.set(name, proxy.json()));
    return json;
  }

  private ApiAnswer populate(ApiCall call) {
    List<Proxy> populated = new ArrayList<>();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    int status = 201;
    try {
      populate(Fields.parse(call.body()), populated);
    } catch (ApiException e) {
      status = e.status();
      json = error(e);
    }
    if (populated.isEmpty()) {
      json.putNull("proxies");
    } else {
      populated.stream().map(Proxy::json).forEach(json.putArray("proxies")::add);
    }
    return json(status, json);
  }

  private void populate(JsonNode body, List<Proxy> populated) {
    if (!body.isArray() && !body.isNull()) {
      throw ApiException.badBody(
          "json: cannot unmarshal an object or value into a list of proxies");
    }
    List<Proxy.Settings> all = new ArrayList<>();
    body.forEach(element -> all.add(Proxy.Settings.from(new Fields(element))));
    for (int i = 0; i < all.size(); i++) {
      all.get(i).requireComplete(" at proxy " + (i + 1));
    }
    for (Proxy.Settings settings : all) {
      populated.add(addOrReplace(settings));
    }
  }

  /** Leaves a proxy alone, with its toxics and even if disabled, if its addresses are the same. */
  private Proxy addOrReplace(Proxy.Settings settings) {
    Proxy existing = proxies.get(settings.name());
    if (existing != null) {
      if (!existing.differs(settings)) {
        return existing;
      }
      existing.stop();
    }
    return add(settings);
  }

  private Proxy add(Proxy.Settings settings) {
    Proxy proxy = new Proxy(settings, traffic.get());
    if (settings.enabled()) {
      proxy.start();
    }
    proxies.put(settings.name(), proxy);
    return proxy;
  }

  // ---- a proxy

  private Proxy proxy(ApiCall call) {
    Proxy proxy = proxies.get(call.path().get(2));
    if (proxy == null) {
      throw new ApiException(404, "proxy not found");
    }
    return proxy;
  }

  private ApiAnswer createProxy(ApiCall call) {
    Proxy.Settings settings = Proxy.Settings.from(call.fields());
    settings.requireComplete("");
    if (proxies.containsKey(settings.name())) {
      throw new ApiException(409, "proxy already exists");
    }
    return json(201, add(settings).json());
  }

  private ApiAnswer updateProxy(ApiCall call) {
    Proxy proxy = proxy(call);
    proxy.update(proxy.settings().updated(call.fields()));
    return json(200, proxy.json());
  }

  private ApiAnswer deleteProxy(ApiCall call) {
    Proxy proxy = proxy(call);
    proxy.stop();
    proxies.remove(proxy.name());
    return done();
  }

  // ---- a toxic

  private Toxic toxic(ApiCall call) {
    return proxy(call).toxic(call.path().get(4));
  }

  private ApiAnswer createToxic(ApiCall call) {
    return json(200, proxy(call).add(call.fields()).json());
  }

  private ApiAnswer updateToxic(ApiCall call) {
    Toxic toxic = toxic(call);
    return json(200, proxy(call).update(toxic, call.fields()).json());
  }

  private ApiAnswer deleteToxic(ApiCall call) {
    proxy(call).remove(toxic(call));
    return done();
  }
}
