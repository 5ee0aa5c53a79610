package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A private CA, made for a test, and the certificates that it gives. */
record CertificateAuthority(KeyPair keys, X509Certificate certificate) {
  private static final AtomicLong SERIALS = new AtomicLong(1);

  /** Good for the time of any test; now is far from both ends. */
  static final Duration AGE = Duration.ofDays(365);

  static CertificateAuthority create(String name) {
    KeyPair keys = newKeys();
    Instant now = Instant.now();
    X500Name subject = new X500Name("CN=" + name);
    return new CertificateAuthority(
        keys,
        signed(
            keys,
            new JcaX509v3CertificateBuilder(
                subject,
                BigInteger.valueOf(SERIALS.getAndIncrement()),
                Date.from(now.minus(AGE)),
                Date.from(now.plus(AGE)),
                subject,
                keys.getPublic()),
            true,
            null));
  }

  static KeyPair newKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A server's certificate, for 127.0.0.1 and no other name, good now. */
  X509Certificate issue(PublicKey server) {
    return issue(server, Instant.now().minus(AGE), Instant.now().plus(AGE));
  }

  X509Certificate issue(PublicKey server, Instant from, Instant to) {
    return signed(
        keys,
        new JcaX509v3CertificateBuilder(
            new X500Name(certificate.getSubjectX500Principal().getName()),
            BigInteger.valueOf(SERIALS.getAndIncrement()),
            Date.from(from),
            Date.from(to),
            new X500Name("CN=node"),
            server),
        false,
        new GeneralNames(new GeneralName(GeneralName.iPAddress, "127.0.0.1")));
  }

  private static X509Certificate signed(
      KeyPair keys,
      X509v3CertificateBuilder builder,
      boolean authority,
      @Nullable GeneralNames names) {
    try {
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      if (names != null) {
        builder.addExtension(Extension.subjectAlternativeName, false, names);
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(
                  new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
      throw new IllegalStateException(e);
    }
  }

  String fingerprint() {
    return fingerprint(certificate);
  }

  static String fingerprint(X509Certificate certificate) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  static String pem(X509Certificate... certificates) {
    return Arrays.stream(certificates)
        .map(
            certificate -> {
              try {
                return pem("CERTIFICATE", certificate.getEncoded());
              } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
              }
            })
        .collect(Collectors.joining());
  }

  static String pemOfKey(KeyPair keys) {
    return pem("PRIVATE KEY", keys.getPrivate().getEncoded());
  }

  private static String pem(String what, byte[] der) {
    String text =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der);
    return "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n";
  }

  /** This CA's certificate as a file. */
  Path inPem(Path folder) throws IOException {
    return Files.writeString(folder.resolve("ca-" + SERIALS.getAndIncrement()), pem(certificate));
  }

  /** This CA's certificate in a trust store. */
  Path inTrustStore(Path folder, String password) throws IOException {
    Path file = folder.resolve("trust-" + SERIALS.getAndIncrement());
    try (OutputStream out = Files.newOutputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry("ca", certificate);
      store.store(out, password.toCharArray());
    } catch (GeneralSecurityException e) {
      throw new UncheckedIOException(new IOException(e));
    }
    return file;
  }
}
