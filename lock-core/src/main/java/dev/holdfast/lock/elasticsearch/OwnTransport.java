package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.HttpAsyncResponseConsumerFactory;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import co.elastic.clients.transport.rest5_client.low_level.Rest5ClientBuilder;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.HostnameVerificationPolicy;
import org.apache.hc.client5.http.ssl.HttpsSupport;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a store that makes its own: with a response timeout, which the Java client
 * does not have by default, and without the silent resending that it does by default. Asks for the
 * media types of Elasticsearch 8, which both 8 and 9 understand.
 */
final class OwnTransport {
  private static final String MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";

  /** The defaults of the Java client. */
  private static final int MAX_CONNECTIONS_PER_HOST = 10;

  private static final int MAX_CONNECTIONS = 30;

  /** Of the Java client too: how long to wait for one of those. */
  private static final Timeout CONNECTION_REQUEST_TIMEOUT = Timeout.ofSeconds(30);

  /** Room for a record with the most metadata that a manager may allow, 10 MiB. */
  static final int MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

  /** A document may be nested as deeply as Jackson reads by default; answers wrap it in more. */
  private static final int MAX_NESTING = StreamReadConstraints.DEFAULT_MAX_DEPTH + 50;

  private final PoolingAsyncClientConnectionManager connections;
  private final ElasticsearchTransport transport;
  private final List<ElasticsearchTransport> nodes;

  private OwnTransport(
      PoolingAsyncClientConnectionManager connections,
      ElasticsearchTransport transport,
      List<ElasticsearchTransport> nodes) {
    this.connections = connections;
    this.transport = transport;
    this.nodes = nodes;
  }

  static URI parsed(String url) {
    Objects.requireNonNull(url, "url");
    // No part of the text is repeated in errors: it may hold a password.
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "a URL such as https://localhost:9200 is expected, but the one given is malformed at"
              + " position "
              + e.getIndex());
    }
    boolean http = "http".equalsIgnoreCase(uri.getScheme());
    if ((!http && !"https".equalsIgnoreCase(uri.getScheme())) || uri.getHost() == null) {
      throw new IllegalArgumentException(
          "a URL such as https://localhost:9200 is expected, but the one given has scheme "
              + uri.getScheme()
              + " and host "
              + uri.getHost());
    }
    if (uri.getRawPath() != null && uri.getRawPath().indexOf('@') >= 0) {
      // A password with a slash in it reads like this, and paths are shown.
      throw new IllegalArgumentException(
          "a URL such as https://localhost:9200 is expected, but the one given has an @ in its path;"
              + " a user or password with a special character goes to basicAuth");
    }
    if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "a URL such as https://localhost:9200 is expected, but the one given has a query or a"
              + " fragment");
    }
    return uri;
  }

  static OwnTransport open(Settings settings) {
    settings.check();
    PoolingAsyncClientConnectionManager connections = connections(settings);
    // Elasticsearch never redirects: to follow somebody else would be to tell it our credentials.
    CloseableHttpAsyncClient http =
        HttpAsyncClientBuilder.create()
            .disableAutomaticRetries()
            .disableRedirectHandling()
            // What is small is not worth compressing, and what inflates has no bound.
            .disableContentCompression()
            .disableCookieManagement()
            .disableAuthCaching()
            .setConnectionManager(connections)
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setConnectionRequestTimeout(CONNECTION_REQUEST_TIMEOUT)
                    .setResponseTimeout(timeout(settings.responseTimeout))
                    .build())
            .addExecInterceptorFirst("holdfast-answer-guard", new AnswerGuard())
            .addExecInterceptorFirst("holdfast-reactor-guard", new ReactorGuard())
            .setThreadFactory(daemons())
            .build();
    List<URI> urls = settings.urls.stream().map(OwnTransport::withoutUser).toList();
    JsonpMapper mapper = mapper();
    String authorization = settings.authorization();
    return new OwnTransport(
        connections,
        to(urls, http, mapper, authorization),
        urls.stream()
            .distinct()
            .map(url -> to(List.of(url), http, mapper, authorization))
            .toList());
  }

  /** A transport on connections that it shares, and closes. */
  private static ElasticsearchTransport to(
      List<URI> urls,
      CloseableHttpAsyncClient http,
      JsonpMapper mapper,
      @Nullable String authorization) {
    Rest5ClientBuilder builder = Rest5Client.builder(urls).setHttpClient(http);
    if (authorization != null) {
      builder.setDefaultHeaders(new Header[] {new BasicHeader("Authorization", authorization)});
    }
    RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
    options.addHeader("Accept", MEDIA_TYPE);
    options.addHeader("Content-Type", MEDIA_TYPE);
    options.setHttpAsyncResponseConsumerFactory(
        new HttpAsyncResponseConsumerFactory.BasicAsyncResponseConsumerFactory(MAX_RESPONSE_BYTES));
    return new Rest5ClientTransport(
        builder.build(), mapper, new Rest5ClientOptions(options.build(), false));
  }

  private static JsonpMapper mapper() {
    return new JacksonJsonpMapper(
        JsonMapper.builder(
                JsonFactory.builder()
                    .streamReadConstraints(
                        StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build())
                    .build())
            .defaultPropertyInclusion(
                JsonInclude.Value.construct(
                    JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
            .build());
  }

  private static PoolingAsyncClientConnectionManager connections(Settings settings) {
    return PoolingAsyncClientConnectionManagerBuilder.create()
        .setMaxConnPerRoute(MAX_CONNECTIONS_PER_HOST)
        .setMaxConnTotal(MAX_CONNECTIONS)
        // Both: what the JDK is to check, it is told too late in httpclient5 5.6.3, and checks not.
        .setTlsStrategy(
            new DefaultClientTlsStrategy(
                settings.sslContext(),
                HostnameVerificationPolicy.BOTH,
                HttpsSupport.getDefaultHostnameVerifier()))
        .setDefaultConnectionConfig(
            ConnectionConfig.custom()
                .setConnectTimeout(timeout(settings.connectTimeout))
                .setSocketTimeout(timeout(settings.responseTimeout))
                .build())
        .build();
  }

  /** To any of the nodes. */
  ElasticsearchTransport transport() {
    return transport;
  }

  /** To one node each, whether it answered last time or not. */
  List<ElasticsearchTransport> nodes() {
    return nodes;
  }

  /**
   * Closes the connections at once: the client by itself would wait for answers that may not come.
   */
  void close() throws IOException {
    connections.close(CloseMode.IMMEDIATE);
    transport.close();
  }

  /**
   * Threads that do not keep the JVM running: a process whose work is over, but that does not close
   * its store, is not to hold its locks for ever.
   */
  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      // Nothing of the thread that happens to send first stays with it: see Defaults of the engine.
      String name = "holdfast-elasticsearch-" + number.incrementAndGet();
      Thread thread = new Thread(null, task, name, 0, false);
      thread.setDaemon(true);
      thread.setContextClassLoader(OwnTransport.class.getClassLoader());
      return thread;
    };
  }

  private static Timeout timeout(Duration duration) {
    return Timeout.ofMilliseconds(duration.toMillis());
  }

  private static URI withoutUser(URI url) {
    try {
      return new URI(
          url.getScheme(), null, url.getHost(), url.getPort(), url.getPath(), null, null);
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a URL without its user is a URL", e);
    }
  }

  /** What the user set. Never printed. */
  static final class Settings {
    private static final Duration MIN_TIMEOUT = Duration.ofMillis(1);
    private static final Duration MAX_TIMEOUT = Duration.ofHours(1);
    private static final Pattern ENCODED = Pattern.compile("[A-Za-z0-9+/_=-]+");

    private final List<URI> urls;
    private @Nullable String authorization;
    private @Nullable SSLContext sslContext;
    private Duration connectTimeout = Duration.ofSeconds(2);

    /**
     * So short that a request of a lease with the default TTL, which has 10 s, can be sent to
     * another node in time; and long enough for a node to be remembered as silent, and not asked
     * again for a while: a request that is given up from above leaves no such memory.
     */
    private Duration responseTimeout = Duration.ofSeconds(4);

    Settings(List<URI> urls) {
      this.urls = List.copyOf(urls);
    }

    void basicAuth(String user, String password) {
      Objects.requireNonNull(user, "user");
      Objects.requireNonNull(password, "password");
      if (user.isBlank() || user.contains(":") || hasControls(user) || hasControls(password)) {
        throw new IllegalArgumentException(
            "a user's name must not be blank or have a colon, and neither name nor password may have"
                + " control characters");
      }
      authorization = basic(user + ":" + password);
    }

    private static String basic(String userAndPassword) {
      return "Basic "
          + Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    }

    void apiKey(String apiKey) {
      Objects.requireNonNull(apiKey, "apiKey");
      if (!ENCODED.matcher(apiKey).matches()) {
        throw new IllegalArgumentException(
            "an API key is expected in the form that Elasticsearch calls \"encoded\": Base64, without"
                + " white space");
      }
      authorization = "ApiKey " + apiKey;
    }

    private static boolean hasControls(String text) {
      return text.chars().anyMatch(Character::isISOControl);
    }

    private void check() {
      if (sslContext != null && urls.stream().noneMatch(Settings::isTls)) {
        throw new IllegalStateException(
            "it was said which servers to trust, but no URL begins with https://");
      }
    }

    private static boolean isTls(URI url) {
      return "https".equalsIgnoreCase(url.getScheme());
    }

    void sslContext(SSLContext context) {
      sslContext = Objects.requireNonNull(context, "sslContext");
    }

    private SSLContext sslContext() {
      try {
        return sslContext != null ? sslContext : SSLContext.getDefault();
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("this JVM has no default SSL context", e);
      }
    }

    void connectTimeout(Duration timeout) {
      connectTimeout = checked(timeout, "connectTimeout");
    }

    Duration responseTimeout() {
      return responseTimeout;
    }

    void responseTimeout(Duration timeout) {
      responseTimeout = checked(timeout, "responseTimeout");
    }

    private static Duration checked(Duration timeout, String name) {
      Objects.requireNonNull(timeout, name);
      if (timeout.compareTo(MIN_TIMEOUT) < 0 || timeout.compareTo(MAX_TIMEOUT) > 0) {
        throw new IllegalArgumentException(name + " must be from 1 ms to 1 h, but is " + timeout);
      }
      return timeout;
    }

    private @Nullable String authorization() {
      if (authorization != null) {
        return authorization;
      }
      return urls.stream()
          .map(URI::getUserInfo)
          .filter(Objects::nonNull)
          .findFirst()
          .map(Settings::basic)
          .orElse(null);
    }

    String description() {
      return "Elasticsearch at "
          + urls.stream().map(url -> withoutUser(url).toString()).collect(Collectors.joining(", "));
    }
  }
}
