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
import dev.holdfast.lock.internal.Daemons;
import dev.holdfast.lock.internal.Timeouts;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
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
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a store that makes its own: with a response timeout, which the Java client
 * does not have by default, and without the silent resending that it does by default. Asks for the
 * media types of Elasticsearch 8, which both 8 and 9 understand.
 */
final class ManagedTransport {
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

  private ManagedTransport(
      PoolingAsyncClientConnectionManager connections,
      ElasticsearchTransport transport,
      List<ElasticsearchTransport> nodes) {
    this.connections = connections;
    this.transport = transport;
    this.nodes = nodes;
  }

  static ManagedTransport open(Settings settings) {
    return open(settings, SystemDefaultDnsResolver.INSTANCE, System::nanoTime);
  }

  /**
   * Opens connections to hosts that this resolver finds.
   *
   * @param nanos a monotonic clock, for the age of its answers
   */
  static ManagedTransport open(Settings settings, DnsResolver resolver, LongSupplier nanos) {
    settings.check();
    JsonpMapper mapper = mapper();
    String authorization = settings.authorization();
    ThreadFactory threads = daemons();
    HostNames hostNames =
        new HostNames(
            settings.addresses.stream().map(Address::host).distinct().toList(),
            resolver,
            task -> threads.newThread(task).start(),
            nanos);
    PoolingAsyncClientConnectionManager connections = connections(settings, hostNames);
    CloseableHttpAsyncClient http = null;
    try {
      CloseableHttpAsyncClient made = client(settings, connections, hostNames, threads);
      http = made;
      return new ManagedTransport(
          connections,
          to(settings.addresses, made, mapper, authorization),
          settings.addresses.stream()
              .map(Address::withoutCredentials)
              .distinct()
              .map(address -> to(List.of(address), made, mapper, authorization))
              .toList());
    } catch (RuntimeException | Error e) {
      // It holds file descriptors from the start, and a caller who is rejected has nothing to
      // close.
      if (http != null) {
        http.close(CloseMode.IMMEDIATE);
      }
      connections.close(CloseMode.IMMEDIATE);
      throw e;
    }
  }

  private static CloseableHttpAsyncClient client(
      Settings settings,
      PoolingAsyncClientConnectionManager connections,
      HostNames hostNames,
      ThreadFactory threads) {
    // Elasticsearch never redirects: to follow somebody else would be to tell it our credentials.
    return HttpAsyncClientBuilder.create()
        .disableAutomaticRetries()
        .disableRedirectHandling()
        .disableCookieManagement()
        .disableAuthCaching()
        .setConnectionManager(connections)
        .setDefaultRequestConfig(
            RequestConfig.custom()
                .setConnectionRequestTimeout(CONNECTION_REQUEST_TIMEOUT)
                .setResponseTimeout(timeout(settings.responseTimeout))
                // What is small is not worth compressing, and what inflates has no bound. The
                // builder's own switch for it is missing before httpclient5 5.6.
                .setContentCompressionEnabled(false)
                .build())
        .setKeepAliveStrategy(StaleConnections.KEEP_ALIVE)
        .addExecInterceptorLast("holdfast-stale-connections", new StaleConnections(connections))
        // Each of the following comes before the one above it.
        .addExecInterceptorFirst("holdfast-host-names", hostNames)
        .addExecInterceptorFirst("holdfast-answer-guard", new ResponseGuard())
        .addExecInterceptorFirst("holdfast-reactor-guard", new ReactorGuard())
        .setThreadFactory(threads)
        .build();
  }

  /** A transport on connections that it shares, and closes. */
  private static ElasticsearchTransport to(
      List<Address> addresses,
      CloseableHttpAsyncClient http,
      JsonpMapper mapper,
      @Nullable String authorization) {
    // Not from URIs, which have no place for host names such as es_node.
    Rest5ClientBuilder builder =
        Rest5Client.builder(
                addresses.stream().map(ManagedTransport::httpHost).toArray(HttpHost[]::new))
            .setHttpClient(http);
    String path = addresses.get(0).path();
    if (!path.isEmpty()) {
      builder.setPathPrefix(path);
    }
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

  private static HttpHost httpHost(Address address) {
    return new HttpHost(address.scheme(), address.host(), address.port());
  }

  static JsonpMapper mapper() {
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

  private static PoolingAsyncClientConnectionManager connections(
      Settings settings, HostNames hostNames) {
    return PoolingAsyncClientConnectionManagerBuilder.create()
        .setDnsResolver(hostNames)
        .setMaxConnPerRoute(MAX_CONNECTIONS_PER_HOST)
        .setMaxConnTotal(MAX_CONNECTIONS)
        .setTlsStrategy(settings.usesTls() ? tls(settings.sslContext()) : new NoTls())
        .setDefaultConnectionConfig(
            ConnectionConfig.custom()
                .setConnectTimeout(timeout(settings.connectTimeout))
                .setSocketTimeout(timeout(settings.responseTimeout))
                .build())
        .build();
  }

  private static TlsStrategy tls(SSLContext context) {
    // Both: what the JDK is to check, it is told too late in httpclient5 5.6.3, and checks not.
    return new DefaultClientTlsStrategy(
        context, HostnameVerificationPolicy.BOTH, HttpsSupport.getDefaultHostnameVerifier());
  }

  /**
   * For addresses of which none is https: reading the JVM's trust store takes a tenth of the time
   * that a new process needs to acquire its first lock.
   */
  private static final class NoTls implements TlsStrategy {
    @Override
    @Deprecated // Abstract all the same.
    public boolean upgrade(
        TransportSecurityLayer layer,
        HttpHost host,
        SocketAddress localAddress,
        SocketAddress remoteAddress,
        Object attachment,
        Timeout handshakeTimeout) {
      throw new IllegalStateException("no address of this store is https, but " + host + " is");
    }
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

  /** Closes what was opened for a store that could not be built for that reason. */
  void closeAfter(Throwable reason) {
    try {
      close();
    } catch (IOException | RuntimeException e) {
      reason.addSuppressed(e);
    }
  }

  /**
   * Threads that do not keep the JVM running: a process whose work is over, but that does not close
   * its store, is not to hold its locks for ever.
   */
  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return task -> Daemons.daemon("holdfast-elasticsearch-" + number.incrementAndGet(), task);
  }

  private static Timeout timeout(Duration duration) {
    return Timeout.ofMilliseconds(duration.toMillis());
  }

  /** What the user set. Never printed. */
  static final class Settings {
    private static final Pattern ENCODED = Pattern.compile("[A-Za-z0-9+/_=-]+");

    private final List<Address> addresses;
    private @Nullable String authorization;
    private @Nullable SSLContext sslContext;
    private Duration connectTimeout = Duration.ofSeconds(2);

    /**
     * So short that a request of a lease with the default TTL, which has 10 s, can be sent to
     * another node in time; and long enough for a node to be remembered as silent, and not asked
     * again for a while: a request that is given up from above leaves no such memory.
     */
    private Duration responseTimeout = Duration.ofSeconds(4);

    Settings(List<Address> addresses) {
      this.addresses = List.copyOf(addresses);
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
      if (sslContext != null && !usesTls()) {
        throw new IllegalStateException(
            "it was said which servers to trust, but no URL begins with https://");
      }
    }

    private boolean usesTls() {
      return addresses.stream().anyMatch(Address::isTls);
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
      connectTimeout = Timeouts.checked(timeout, "connectTimeout");
    }

    Duration responseTimeout() {
      return responseTimeout;
    }

    void responseTimeout(Duration timeout) {
      responseTimeout = Timeouts.checked(timeout, "responseTimeout");
    }

    private @Nullable String authorization() {
      if (authorization != null) {
        return authorization;
      }
      return addresses.stream()
          .map(Address::credentials)
          .filter(Objects::nonNull)
          .findFirst()
          .map(Settings::basic)
          .orElse(null);
    }

    String description() {
      return "Elasticsearch at "
          + addresses.stream().map(Address::toString).collect(Collectors.joining(", "));
    }
  }
}
