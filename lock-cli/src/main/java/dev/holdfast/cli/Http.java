package dev.holdfast.cli;

import co.elastic.clients.transport.TransportUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Requests that are no business of a lock store's, to one node, with the same credentials and trust
 * as the store's. Prints no secrets.
 */
final class Http {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String url;
  private final @Nullable String authorization;
  private final HttpClient client;

  private Http(String url, @Nullable String authorization, HttpClient client) {
    this.url = url;
    this.authorization = authorization;
    this.client = client;
  }

  /** An answer; the body is missing if it is not JSON. */
  record Answer(int status, JsonNode body, boolean isOfElasticsearch) {
    boolean isOk() {
      return status / 100 == 2;
    }
  }

  /**
   * For a node.
   *
   * @param environment checked by the store already
   * @throws IOException if a file cannot be read or used
   */
  static Http of(String url, Map<String, String> environment) throws IOException {
    URI parsed = URI.create(url);
    String user = environment.get("HOLDFAST_USERNAME");
    String password = secret(environment, "HOLDFAST_PASSWORD");
    String apiKey = secret(environment, "HOLDFAST_API_KEY");
    String basic = user == null ? parsed.getUserInfo() : user + ":" + password;
    HttpClient.Builder builder =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT);
    SSLContext trust = trust(environment);
    if (trust != null) {
      builder.sslContext(trust);
    }
    return new Http(
        url.replaceFirst("//[^/]*@", "//").replaceFirst("/+$", ""),
        apiKey != null ? "ApiKey " + apiKey : basic == null ? null : "Basic " + base64(basic),
        builder.build());
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static @Nullable String secret(Map<String, String> environment, String name)
      throws IOException {
    String file = environment.get(name + "_FILE");
    return file == null ? environment.get(name) : Files.readString(Path.of(file)).strip();
  }

  private static @Nullable SSLContext trust(Map<String, String> environment) throws IOException {
    String ca = environment.get("HOLDFAST_CA");
    String fingerprint = environment.get("HOLDFAST_CA_FINGERPRINT");
    String store = environment.get("HOLDFAST_TRUST_STORE");
    if (ca != null) {
      return TransportUtils.sslContextFromHttpCaCrt(Path.of(ca).toFile());
    } else if (fingerprint != null) {
      return TransportUtils.sslContextFromCaFingerprint(fingerprint);
    } else if (store != null) {
      String password = secret(environment, "HOLDFAST_TRUST_STORE_PASSWORD");
      return ofStore(Path.of(store), password == null ? "" : password);
    }
    return null;
  }

  private static SSLContext ofStore(Path file, String password) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      // Reads JKS too.
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, password.toCharArray());
      TrustManagerFactory managers =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("the trust store " + file + " cannot be used", e);
    }
  }

  Answer get(String path) throws IOException, InterruptedException {
    return send("GET", path, null);
  }

  Answer post(String path, String body) throws IOException, InterruptedException {
    return send("POST", path, body);
  }

  private Answer send(String method, String path, @Nullable String body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(LIMIT)
            .header("Content-Type", "application/json")
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    HttpResponse<String> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    return new Answer(
        response.statusCode(),
        parsed(response.body()),
        response.headers().firstValue("X-elastic-product").isPresent());
  }

  private static JsonNode parsed(String body) {
    try {
      JsonNode node = MAPPER.readTree(body);
      return node == null ? MissingNode.getInstance() : node;
    } catch (IOException e) {
      return MissingNode.getInstance();
    }
  }
}
