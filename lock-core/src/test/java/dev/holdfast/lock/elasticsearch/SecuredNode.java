package dev.holdfast.lock.elasticsearch;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.TrustAnything;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A node with TLS and passwords, with the roles of docs/operations.md and users who have them:
 * {@code locker} and {@code second}, {@code maker}, {@code reader}, and those who lack one
 * privilege of a locker or a maker ({@code locker-without-read}). One for all tests of a JVM, as
 * starting takes long.
 */
final class SecuredNode {
  static final String PASSWORD = "secret-word";

  /** The password, hashed as the node keeps it (bcrypt, 4 rounds). */
  private static final String HASH = "$2a$04$Bx01oweuCMzqor7EtYmXWujcHyb8Q0TkY/yW4PAuJ5Mf0NsuE4tT.";

  /** May do everything. */
  private static final String ADMIN = "admin";

  private static @Nullable SecuredNode shared;

  final CertificateAuthority authority = CertificateAuthority.create("Test CA");
  private final KeyPair keys = CertificateAuthority.newKeys();
  private final ElasticsearchNode node;

  private SecuredNode(ElasticsearchVersion version) {
    Map<String, JsonNode> roles = new LinkedHashMap<>();
    for (String role : new String[] {"locker", "maker", "reader"}) {
      roles.put(role, Roles.named("holdfast-" + role));
    }
    roles.put("second", Roles.named("holdfast-locker"));
    for (String role : new String[] {"locker", "maker"}) {
      for (String privilege : Roles.privileges("holdfast-" + role)) {
        roles.put(role + "-without-" + privilege, Roles.without("holdfast-" + role, privilege));
      }
    }
    StringBuilder definitions = new StringBuilder();
    StringBuilder passwords = new StringBuilder();
    StringBuilder granted = new StringBuilder();
    roles.forEach(
        (user, role) -> {
          definitions.append(user).append(": ").append(role).append('\n'); // JSON is YAML
          passwords.append(user).append(':').append(HASH).append('\n');
          granted.append(user).append(':').append(user).append('\n');
        });
    passwords.append(ADMIN).append(':').append(HASH).append('\n');
    granted.append("superuser:").append(ADMIN).append('\n');
    node =
        ElasticsearchNode.builder(version)
            .distribution(
                SecurityIndexParts.addedTo(
                    version.distribution(),
                    version.number(),
                    Path.of("target/secured-node").toAbsolutePath()))
            .setting("xpack.security.authc.api_key.enabled", "true")
            .setting("xpack.security.enabled", "true")
            .setting("xpack.security.http.ssl.enabled", "true")
            .setting("xpack.security.http.ssl.certificate", "http.crt")
            .setting("xpack.security.http.ssl.key", "http.key")
            .setting("resource.reload.interval.high", "200ms")
            .setting("discovery.type", "single-node")
            .configFile("http.crt", chain(authority.issue(keys.getPublic())))
            .configFile("http.key", CertificateAuthority.pemOfKey(keys))
            .configFile("roles.yml", definitions.toString())
            .configFile("users", passwords.toString())
            .configFile("users_roles", granted.toString())
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(node::close, "stop-secured-node"));
  }

  /** The node; the test is skipped where it cannot run. */
  static synchronized SecuredNode get() {
    ElasticsearchVersion version = ElasticsearchVersion.V8;
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    if (shared == null) {
      shared = new SecuredNode(version);
    }
    return shared;
  }

  /** Such as {@code https://127.0.0.1:9200}. */
  String url() {
    return node.httpUri().toString();
  }

  /** The same place by the name that the node's certificate has not. */
  String urlByOtherName() {
    return "https://localhost:" + node.httpUri().getPort();
  }

  String urlWithoutTls() {
    return url().replace("https:", "http:");
  }

  /** For a store that trusts the node, and has no credentials. */
  ElasticsearchLockStore.Builder storeOfNobody() {
    return ElasticsearchLockStore.builder(url()).trustFingerprint(authority.fingerprint());
  }

  /** For a store as a user of that name has it. */
  ElasticsearchLockStore.Builder store(String user) {
    return storeOfNobody().basicAuth(user, PASSWORD);
  }

  /** An API key. */
  record Key(String id, String encoded) {}

  /** A new API key that may do what a role of docs/operations.md may. */
  Key newApiKey(String role) throws IOException {
    JsonNode made =
        asAdmin(
            "POST",
            "{\"name\": \"test\", \"role_descriptors\": {\"test\": " + Roles.named(role) + "}}");
    return new Key(made.required("id").asText(), made.required("encoded").asText());
  }

  /** From now on it opens nothing. */
  void invalidate(Key key) throws IOException {
    JsonNode answer = asAdmin("DELETE", "{\"ids\": [\"" + key.id() + "\"]}");
    if (answer.required("invalidated_api_keys").size() != 1) {
      throw new IOException("not invalidated: " + answer);
    }
  }

  private JsonNode asAdmin(String method, String body) throws IOException {
    HttpClient http = HttpClient.newBuilder().sslContext(TrustAnything.context()).build();
    String credentials =
        Base64.getEncoder()
            .encodeToString((ADMIN + ":" + PASSWORD).getBytes(StandardCharsets.UTF_8));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url() + "/_security/api_key"))
            .header("Authorization", "Basic " + credentials)
            .header("Content-Type", "application/json")
            .timeout(Duration.ofSeconds(60))
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new IOException(response.statusCode() + " " + response.body());
      }
      return new ObjectMapper().readTree(response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private String chain(X509Certificate certificate) {
    return CertificateAuthority.pem(certificate, authority.certificate());
  }

  /** Gives the running node a certificate of other dates, and waits until it shows that. */
  void certify(Instant from, Instant to) throws IOException {
    X509Certificate certificate = authority.issue(keys.getPublic(), from, to);
    Path config = node.workDir().resolve("config");
    Path next = Files.writeString(config.resolve("http.crt.next"), chain(certificate));
    Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-r--r--"));
    Files.move(
        next,
        config.resolve("http.crt"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    Poll.until("the node shows its new certificate", () -> certificate.equals(shown()));
  }

  private @Nullable X509Certificate shown() {
    try {
      try (SSLSocket socket =
          (SSLSocket)
              TrustAnything.context()
                  .getSocketFactory()
                  .createSocket("127.0.0.1", node.httpUri().getPort())) {
        socket.startHandshake();
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
      }
    } catch (IOException e) {
      return null; // while it changes over
    }
  }
}
