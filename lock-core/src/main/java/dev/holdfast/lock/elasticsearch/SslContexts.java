package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Which servers are trusted. In each case the whole chain is checked, with its dates, and the
 * host's name too.
 */
final class SslContexts {
  private static final int FINGERPRINT_BYTES = 32;

  private SslContexts() {}

  /** Those whose certificate was signed by one of the file's: PEM, one or more, or DER. */
  static SSLContext ofCertificates(Path file) {
    Objects.requireNonNull(file, "file");
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> certificates =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (certificates.isEmpty()) {
        throw new IllegalArgumentException("there is no certificate in " + file);
      }
      return context(managerOf(storeOf(List.copyOf(certificates))));
    } catch (IOException | GeneralSecurityException e) {
      throw unusable("certificates", file, e);
    }
  }

  /** Those whose certificate was signed by one in a key store: PKCS#12 or JKS. */
  static SSLContext ofStore(Path file, String password) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(password, "password");
    try {
      X509ExtendedTrustManager manager =
          managerOf(KeyStore.getInstance(file.toFile(), password.toCharArray()));
      if (manager.getAcceptedIssuers().length == 0) {
        throw new IllegalArgumentException(
            "there is no trusted certificate in the trust store "
                + file
                + "; keytool -importcert puts one there");
      }
      return context(manager);
    } catch (IOException | GeneralSecurityException e) {
      throw unusable("trust store", file, e);
    }
  }

  /**
   * Those in whose chain there is a certificate with that fingerprint, which signed the others.
   *
   * @param sha256 in hexadecimal, with or without colons
   */
  static SSLContext ofFingerprint(String sha256) {
    byte[] fingerprint;
    try {
      fingerprint =
          HexFormat.of().parseHex(sha256.replace(":", "").strip().toLowerCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      fingerprint = new byte[0];
    }
    if (fingerprint.length != FINGERPRINT_BYTES) {
      throw new IllegalArgumentException(
          "a SHA-256 fingerprint of 64 hexadecimal digits is expected, with or without colons");
    }
    try {
      return context(new PinnedAuthority(fingerprint));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JVM has no TLS", e);
    }
  }

  private static IllegalArgumentException unusable(String what, Path file, Exception cause) {
    return new IllegalArgumentException(
        "the " + what + " in " + file + " cannot be used: " + cause, cause);
  }

  private static SSLContext context(TrustManager manager) throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {manager}, null);
    return context;
  }

  private static KeyStore storeOf(List<? extends Certificate> certificates)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    for (int i = 0; i < certificates.size(); i++) {
      store.setCertificateEntry("ca-" + i, certificates.get(i));
    }
    return store;
  }

  private static X509ExtendedTrustManager managerOf(KeyStore store)
      throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return Arrays.stream(factory.getTrustManagers())
        .filter(X509ExtendedTrustManager.class::isInstance)
        .map(X509ExtendedTrustManager.class::cast)
        .findFirst()
        .orElseThrow(() -> new GeneralSecurityException("this JVM has no X.509 trust manager"));
  }

  /** No certificate of the chain is the one that was named. */
  static final class UnknownFingerprintException extends CertificateException {
    private static final long serialVersionUID = 1L;

    UnknownFingerprintException(String message) {
      super(message);
    }
  }

  /**
   * Trusts what was signed by the certificate with a fingerprint, if the server shows that too.
   * That one is found by its fingerprint and then is the only authority by which the chain is
   * judged: a chain that merely has it somewhere is anybody's, for a CA's certificate is no secret.
   */
  private static final class PinnedAuthority extends X509ExtendedTrustManager {
    private final byte[] fingerprint;

    PinnedAuthority(byte[] fingerprint) {
      this.fingerprint = fingerprint;
    }

    private X509ExtendedTrustManager judge(X509Certificate[] chain) throws CertificateException {
      try {
        for (X509Certificate certificate : chain) {
          if (Arrays.equals(sha256(certificate), fingerprint)) {
            // One that is named itself is not checked by the JDK: it takes it for an authority.
            chain[0].checkValidity();
            return managerOf(storeOf(List.of(certificate)));
          }
        }
        throw new UnknownFingerprintException(
            "no certificate that it shows has the SHA-256 fingerprint that was given; its chain ends"
                + " with "
                + HexFormat.of().formatHex(sha256(chain[chain.length - 1])));
      } catch (CertificateException e) {
        throw e;
      } catch (GeneralSecurityException | IOException e) {
        throw new CertificateException(e);
      }
    }

    private static byte[] sha256(X509Certificate certificate) throws GeneralSecurityException {
      return MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      judge(chain).checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      judge(chain).checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      judge(chain).checkServerTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable Socket socket)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("for servers only");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
