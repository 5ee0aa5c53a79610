package dev.holdfast.bench.ttl;

import co.elastic.clients.transport.TransportUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The cluster under measurement, and how to get in. Prints no secrets.
 *
 * <p>Renewals go through {@link #store}, as users' do; the rest, which is not measured, through a
 * plain HTTP client.
 */
final class Target {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final List<URI> urls;
  private final @Nullable String user;
  private final @Nullable String password;
  private final @Nullable String apiKey;
  private final @Nullable SSLContext tls;
  private final HttpClient http;

  private Target(
      List<URI> urls,
      @Nullable String user,
      @Nullable String password,
      @Nullable String apiKey,
      @Nullable SSLContext tls) {
    this.urls = List.copyOf(urls);
    this.user = user;
    this.password = password;
    this.apiKey = apiKey;
    this.tls = tls;
    HttpClient.Builder builder =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT);
    if (tls != null) {
      builder.sslContext(tls);
    }
    this.http = builder.build();
  }

  /** Nodes that ask for no credentials. */
  static Target of(List<URI> urls) {
    return new Target(urls, null, null, null, null);
  }

  /**
   * Checks what the user said.
   *
   * @param caCertificate a PEM file, or null for what this JVM trusts
   * @throws IllegalArgumentException if it makes no sense; the message has no secrets
   */
  static Target of(
      List<String> urls,
      @Nullable String user,
      @Nullable String password,
      @Nullable String apiKey,
      @Nullable Path caCertificate) {
    // Whatever is wrong with a URL, the store says it without repeating what may be a password.
    ElasticsearchLockStore.builder(urls.toArray(String[]::new)).build().close();
    List<URI> parsed = urls.stream().map(URI::create).toList();
    String inUrl =
        parsed.stream().map(URI::getUserInfo).filter(u -> u != null).findFirst().orElse(null);
    if (inUrl != null && user == null) {
      int colon = inUrl.indexOf(':');
      if (colon < 0) {
        throw new IllegalArgumentException("a URL names a user, but no password");
      }
      return of(urls, inUrl.substring(0, colon), inUrl.substring(colon + 1), apiKey, caCertificate);
    }
    if ((user == null) != (password == null)) {
      throw new IllegalArgumentException("a user and a password go together: one is missing");
    }
    if (user != null && apiKey != null) {
      throw new IllegalArgumentException("give a user or an API key, not both");
    }
    return new Target(
        parsed.stream().map(Target::withoutUser).toList(),
        user,
        password,
        apiKey,
        caCertificate == null ? null : trusting(caCertificate));
  }

  private static SSLContext trusting(Path certificate) {
    try {
      return TransportUtils.sslContextFromHttpCaCrt(certificate.toFile());
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException(
          "the CA certificate " + certificate + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static URI withoutUser(URI url) {
    String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
    String port = url.getPort() < 0 ? "" : ":" + url.getPort();
    return URI.create(url.getScheme() + "://" + url.getHost() + port + path);
  }

  List<URI> urls() {
    return urls;
  }

  /** A store as users have it, with an index of its own. */
  ElasticsearchLockStore store(String index, String alias) {
    ElasticsearchLockStore.Builder builder =
        ElasticsearchLockStore.builder(urls.stream().map(URI::toString).toArray(String[]::new))
            .indexNames(index, alias);
    if (user != null && password != null) {
      builder.basicAuth(user, password);
    }
    if (apiKey != null) {
      builder.apiKey(apiKey);
    }
    if (tls != null) {
      builder.sslContext(tls);
    }
    return builder.build();
  }

  /**
   * Asks one node.
   *
   * @throws IOException if it does not answer, or not with success; the message says how
   */
  JsonNode request(String method, URI node, String path) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(node + path))
            .timeout(LIMIT)
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (user != null) {
      request.header(
          "Authorization",
          "Basic "
              + Base64.getEncoder()
                  .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)));
    } else if (apiKey != null) {
      request.header("Authorization", "ApiKey " + apiKey);
    }
    HttpResponse<String> response =
        http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() / 100 != 2) {
      throw new IOException(method + " " + path + " was answered " + response.statusCode());
    }
    return MAPPER.readTree(response.body());
  }

  @Override
  public String toString() {
    return String.join(", ", urls.stream().map(URI::toString).toList());
  }
}
