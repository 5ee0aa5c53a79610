package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.SecuredNode.PASSWORD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A node whose certificate comes from a private CA, and stores that trust the right or the wrong.
 */
@Timeout(180)
class TlsIT {
  private static final String STORE_PASSWORD = "store-word";
  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(30));

  @TempDir Path folder;

  private final SecuredNode node = SecuredNode.get();
  private final SecretsWatch watch = new SecretsWatch();

  @AfterEach
  void nothingSecretIsAnywhere() {
    try (watch) {
      watch.assertNoneOf("maker", PASSWORD, STORE_PASSWORD);
    }
  }

  /** How a user may say which CA is trusted. */
  enum By {
    CERTIFICATE {
      @Override
      ElasticsearchLockStore.Builder trust(
          CertificateAuthority authority, Path folder, ElasticsearchLockStore.Builder builder)
          throws IOException {
        return builder.trustCertificates(authority.inPem(folder));
      }
    },
    FINGERPRINT {
      @Override
      ElasticsearchLockStore.Builder trust(
          CertificateAuthority authority, Path folder, ElasticsearchLockStore.Builder builder) {
        return builder.trustFingerprint(authority.fingerprint());
      }
    },
    TRUST_STORE {
      @Override
      ElasticsearchLockStore.Builder trust(
          CertificateAuthority authority, Path folder, ElasticsearchLockStore.Builder builder)
          throws IOException {
        return builder.trustStore(authority.inTrustStore(folder, STORE_PASSWORD), STORE_PASSWORD);
      }
    };

    abstract ElasticsearchLockStore.Builder trust(
        CertificateAuthority authority, Path folder, ElasticsearchLockStore.Builder builder)
        throws IOException;
  }

  private static ElasticsearchLockStore.Builder at(String url) {
    return ElasticsearchLockStore.builder(url).basicAuth("maker", PASSWORD);
  }

  /** Refused at once: no time-out has to pass for it, of which the shortest is the test's limit. */
  private LockStoreUnavailableException refusal(
      ElasticsearchLockStore.Builder builder, boolean retryable) {
    try (ElasticsearchLockStore store = builder.responseTimeout(Duration.ofHours(1)).build();
        LockManager locks =
            LockManager.builder(store).requestTimeout(Duration.ofMinutes(10)).build()) {
      LockStoreUnavailableException refusal =
          catchThrowableOfType(
              LockStoreUnavailableException.class,
              () -> locks.tryAcquire("x", LockOptions.defaults().withTtl(Duration.ofHours(1))));
      assertThat(refusal).isNotNull();
      watch.show(refusal);
      watch.show(store);
      assertThat(refusal).hasMessageContaining(store.description());
      assertThat(refusal.isRetryable()).as(refusal.getMessage()).isEqualTo(retryable);
      return refusal;
    }
  }

  @ParameterizedTest
  @EnumSource
  void lock_onANodeWhoseAuthorityIsTrusted_isHad(By by) throws Exception {
    try (ElasticsearchLockStore store = by.trust(node.authority, folder, at(node.url())).build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("tls", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @Test
  void lock_withAllSettingsFromTheEnvironment_isHad() throws Exception {
    Map<String, String> environment =
        Map.of(
            "HOLDFAST_URL",
            node.url(),
            "HOLDFAST_USERNAME",
            "maker",
            "HOLDFAST_PASSWORD",
            PASSWORD,
            "HOLDFAST_CA",
            node.authority.inPem(folder).toString());
    try (ElasticsearchLockStore store = new EnvironmentSettings(environment).builder().build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("tls", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void authority_thatDidNotSignIt_isRefused(By by) throws Exception {
    CertificateAuthority other = CertificateAuthority.create("Other CA");

    assertThat(refusal(by.trust(other, folder, at(node.url())), false))
        .hasMessageContaining(
            by == By.FINGERPRINT ? node.authority.fingerprint() : "not signed by an authority");
  }

  @Test
  void authority_thatNobodyNamed_isRefused() {
    assertThat(refusal(at(node.url()), false)).hasMessageContaining("give its CA to the store");
  }

  @ParameterizedTest
  @EnumSource
  void name_thatTheCertificateHasNot_isRefused(By by) throws Exception {
    assertThat(refusal(by.trust(node.authority, folder, at(node.urlByOtherName())), false))
        .hasMessageContaining("for other names than the URL's")
        .hasMessageContaining("localhost");
  }

  @Test
  void certificate_thatHasExpired_orIsNotValidYet_isRefused_andLeasesOfThatTimeGoOn()
      throws Exception {
    Instant now = Instant.now();
    try (ElasticsearchLockStore store =
            By.CERTIFICATE.trust(node.authority, folder, at(node.url())).build();
        LockManager locks = LockManager.create(store)) {
      Lease lease = locks.acquire("tls-held", PATIENT);
      try {
        node.certify(now.minus(CertificateAuthority.AGE), now.minus(Duration.ofDays(1)));
        for (By by : By.values()) {
          assertThat(refusal(by.trust(node.authority, folder, at(node.url())), false))
              .hasMessageContaining("has expired");
        }
        node.certify(now.plus(Duration.ofDays(1)), now.plus(CertificateAuthority.AGE));
        for (By by : By.values()) {
          assertThat(refusal(by.trust(node.authority, folder, at(node.url())), false))
              .hasMessageContaining("not valid yet");
        }
      } finally {
        node.certify(now.minus(CertificateAuthority.AGE), now.plus(CertificateAuthority.AGE));
      }
      assertThat(lease.renew()).isTrue();
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @Test
  void plainHttp_toATlsPort_isAnOutageThatSaysHttps() {
    assertThat(refusal(at(node.urlWithoutTls()), true)).hasMessageContaining("https://");
  }

  @Test
  void tls_toAPlainPort_isRefused_andSaysHttp() throws Exception {
    try (LockCluster plain = LockCluster.on(ElasticsearchVersion.V8)) {
      String url = plain.node().toString().replace("http:", "https:");

      assertThat(refusal(By.CERTIFICATE.trust(node.authority, folder, at(url)), false))
          .hasMessageContaining("does not speak TLS")
          .hasMessageContaining("http://");
    }
  }
}
