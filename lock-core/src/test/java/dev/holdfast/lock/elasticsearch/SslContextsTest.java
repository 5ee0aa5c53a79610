package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whom a CA by file, fingerprint or trust store makes trusted, in real handshakes. */
@Timeout(120)
class SslContextsTest {
  private static final CertificateAuthority AUTHORITY = CertificateAuthority.create("Test CA");
  private static final CertificateAuthority OTHER = CertificateAuthority.create("Other CA");
  private static final KeyPair SERVER = CertificateAuthority.newKeys();

  @TempDir Path folder;

  /** A handshake with a server that has these; throws what the client is told. */
  private static void shake(SSLContext client, X509Certificate... chain) throws Exception {
    SSLContext server = SSLContext.getInstance("TLS");
    server.init(new KeyManager[] {new Showing(chain)}, null, null);
    try (SSLServerSocket socket =
        (SSLServerSocket)
            server
                .getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Void> served = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try (SSLSocket accepted = (SSLSocket) socket.accept()) {
                  accepted.startHandshake();
                  served.complete(null);
                } catch (IOException e) {
                  served.complete(null); // the client says what is wrong
                }
              });
      thread.start();
      try (SSLSocket asking =
          (SSLSocket)
              client
                  .getSocketFactory()
                  .createSocket(socket.getInetAddress(), socket.getLocalPort())) {
        asking.startHandshake();
      } finally {
        served.get(60, TimeUnit.SECONDS);
      }
    }
  }

  /**
   * Shows a chain whether its certificates have to do with each other or not: key stores do not.
   */
  private static final class Showing extends X509ExtendedKeyManager {
    private final X509Certificate[] chain;

    Showing(X509Certificate[] chain) {
      this.chain = chain;
    }

    @Override
    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
      return "server";
    }

    @Override
    public @Nullable String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return type.equals("EC") ? "server" : null;
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return new String[] {"server"};
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return SERVER.getPrivate();
    }

    @Override
    public String @Nullable [] getClientAliases(String type, Principal[] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return null;
    }
  }

  private static X509Certificate leaf(CertificateAuthority authority) {
    return authority.issue(SERVER.getPublic());
  }

  // --- Fingerprint

  @Test
  void fingerprint_ofTheAuthority_trustsWhatItSigned() throws Exception {
    SSLContext trust = SslContexts.ofFingerprint(AUTHORITY.fingerprint());

    shake(trust, leaf(AUTHORITY), AUTHORITY.certificate());
  }

  @Test
  void fingerprint_inAnyNotation_isTheSame() throws Exception {
    String plain = AUTHORITY.fingerprint();
    String colons = String.join(":", plain.toUpperCase(Locale.ROOT).split("(?<=\\G..)"));

    shake(SslContexts.ofFingerprint(" " + colons + "\n"), leaf(AUTHORITY), AUTHORITY.certificate());
  }

  /**
   * A CA's certificate is public: to show it proves nothing. The Java client's own helper for
   * fingerprints is satisfied with that.
   */
  @Test
  void impostor_whoShowsTheAuthority_butWasNotSignedByIt_isRefused() throws Exception {
    SSLContext trust = SslContexts.ofFingerprint(AUTHORITY.fingerprint());

    assertThatThrownBy(() -> shake(trust, leaf(OTHER), AUTHORITY.certificate()))
        .isInstanceOf(SSLHandshakeException.class);
    assertThatThrownBy(
            () -> shake(trust, leaf(OTHER), OTHER.certificate(), AUTHORITY.certificate()))
        .isInstanceOf(SSLHandshakeException.class);
  }

  @Test
  void fingerprint_ofAnAuthorityThatIsNotShown_saysWhatWasShown() {
    X509Certificate leaf = leaf(AUTHORITY);

    assertThatThrownBy(() -> shake(SslContexts.ofFingerprint(AUTHORITY.fingerprint()), leaf))
        .isInstanceOf(SSLHandshakeException.class)
        .hasMessageContaining(CertificateAuthority.fingerprint(leaf));
  }

  @Test
  void fingerprint_ofTheServerItself_trustsIt_whileItIsValid() throws Exception {
    X509Certificate leaf = leaf(AUTHORITY);
    shake(SslContexts.ofFingerprint(CertificateAuthority.fingerprint(leaf)), leaf);

    Instant now = Instant.now();
    X509Certificate expired =
        AUTHORITY.issue(
            SERVER.getPublic(), now.minus(CertificateAuthority.AGE), now.minus(Duration.ofDays(1)));
    assertThatThrownBy(
            () ->
                shake(
                    SslContexts.ofFingerprint(CertificateAuthority.fingerprint(expired)), expired))
        .isInstanceOf(SSLHandshakeException.class);
  }

  @Test
  void fingerprint_thatIsNone_isRefused_withoutRepeatingIt() {
    String sha1 = "0".repeat(40);
    for (String bad :
        new String[] {"", "secret", sha1, AUTHORITY.fingerprint() + "00", "z".repeat(64)}) {
      assertThatThrownBy(() -> SslContexts.ofFingerprint(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("64 hexadecimal digits")
          .message()
          .doesNotContain("secret");
    }
  }

  // --- Files

  @Test
  void certificates_ofSeveralAuthorities_areAllTrusted_andNoOthers() throws Exception {
    Path pem =
        Files.writeString(
            folder.resolve("two.pem"),
            CertificateAuthority.pem(OTHER.certificate(), AUTHORITY.certificate()));
    SSLContext trust = SslContexts.ofCertificates(pem);

    shake(trust, leaf(AUTHORITY));
    shake(trust, leaf(OTHER));
    assertThatThrownBy(() -> shake(trust, leaf(CertificateAuthority.create("Third CA"))))
        .isInstanceOf(SSLHandshakeException.class);
  }

  @Test
  void certificate_inDer_isTrusted() throws Exception {
    Path der = Files.write(folder.resolve("ca.der"), AUTHORITY.certificate().getEncoded());

    shake(SslContexts.ofCertificates(der), leaf(AUTHORITY));
  }

  @Test
  void trustStore_isTrusted() throws Exception {
    shake(SslContexts.ofStore(AUTHORITY.inTrustStore(folder, "word"), "word"), leaf(AUTHORITY));
  }

  @Test
  void file_thatCannotBeUsed_isNamed_andItsPasswordIsNot() throws Exception {
    Path missing = folder.resolve("missing");
    Path empty = Files.createFile(folder.resolve("empty"));
    Path text = Files.writeString(folder.resolve("text"), "no certificate", StandardCharsets.UTF_8);
    Path store = AUTHORITY.inTrustStore(folder, "word");
    Path keyless = folder.resolve("keyless");
    KeyStore nothing = KeyStore.getInstance("PKCS12");
    nothing.load(null, null);
    try (var out = Files.newOutputStream(keyless)) {
      nothing.store(out, "secret-word".toCharArray());
    }
    for (Path file : new Path[] {missing, empty, text}) {
      assertThatThrownBy(() -> SslContexts.ofCertificates(file))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(file.toString());
    }
    for (Path file : new Path[] {missing, empty, text, store, keyless}) {
      assertThatThrownBy(() -> SslContexts.ofStore(file, "secret-word"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(file.toString())
          .satisfies(
              e -> {
                for (Throwable t = e; t != null; t = t.getCause()) {
                  assertThat(t.toString()).doesNotContain("secret-word");
                }
              });
    }
  }

  @Test
  void store_thatIsToTrustSomebody_butHasNoTls_isRefused() throws Exception {
    Path pem = AUTHORITY.inPem(folder);

    assertThatThrownBy(
            () -> ElasticsearchLockStore.builder("http://h").trustCertificates(pem).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("https://");
  }
}
