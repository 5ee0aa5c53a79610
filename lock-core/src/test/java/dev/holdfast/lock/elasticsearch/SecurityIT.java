package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.SecuredNode.PASSWORD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A node with TLS that asks who one is: what each role of docs/operations.md may do, what is said
 * to one who lacks a privilege, and that secrets are repeated nowhere.
 */
class SecurityIT {
  private static final String WRONG = "wrong-word";
  private static final String API_KEY = "c2VjcmV0LWtleTpzZWNyZXQ=";

  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(30));

  private final SecuredNode node = SecuredNode.get();
  private final SecretsWatch watch = new SecretsWatch();

  @BeforeEach
  void makeIndex() throws InterruptedException {
    try (ElasticsearchLockStore store = node.store("maker").build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("warm-up", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @AfterEach
  void nothingSecretIsAnywhere() {
    try (watch) {
      for (String user : List.of("locker", "maker", "reader", "second")) {
        watch.assertNoneOf(user, PASSWORD, WRONG);
      }
      watch.assertNoneOf("", API_KEY);
    }
  }

  private LockStoreUnavailableException refusal(ThrowingCallable call) {
    LockStoreUnavailableException refusal =
        catchThrowableOfType(LockStoreUnavailableException.class, call);
    assertThat(refusal).isNotNull();
    watch.show(refusal);
    assertThat(refusal.isRetryable()).isFalse();
    return refusal;
  }

  private LockStoreUnavailableException refusal(ElasticsearchLockStore store) {
    watch.show(store);
    watch.show(store.description());
    try (store;
        LockManager locks = LockManager.create(store)) {
      return refusal(() -> locks.tryAcquire("refused"));
    }
  }

  // --- Roles

  @Test
  void locker_canDoEverything() throws Exception {
    try (ElasticsearchLockStore store = node.store("locker").build();
        LockManager locks = LockManager.create(store)) {
      Lease lease = locks.acquire("all", PATIENT);
      assertThat(lease.renew()).isTrue();
      assertThat(locks.find("all")).isPresent();
      assertThat(locks.list()).isNotNull();
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
      locks.acquire("all", PATIENT);
      assertThat(locks.forceRelease("all")).isTrue();
      watch.show(store);
      watch.show(locks);
    }
  }

  static Stream<String> privilegesOfLockers() {
    return Roles.privileges("holdfast-locker").stream();
  }

  @ParameterizedTest
  @MethodSource("privilegesOfLockers")
  void locker_whoLacksAPrivilege_isToldWhich(String lacking) throws Exception {
    assertToldWhatALockerLacks(node.store("locker-without-" + lacking).build(), lacking);
  }

  private void assertToldWhatALockerLacks(ElasticsearchLockStore without, String lacking)
      throws InterruptedException {
    try (ElasticsearchLockStore store = without;
        LockManager locks = LockManager.create(store)) {
      switch (lacking) {
        case "delete" -> {
          // What cannot be deleted is left to its TTL; the log says why.
          LockOptions brief = PATIENT.withTtl(Duration.ofSeconds(10));
          assertThat(locks.acquire("undeletable", brief).release())
              .isEqualTo(ReleaseResult.UNCONFIRMED);
          assertThat(watch.lines())
              .anyMatch(line -> line.contains("403") && line.contains("privileges [delete"));
        }
        case "read" ->
            assertThat(refusal(() -> locks.find("x"))).hasMessageContaining("privileges [read");
        case "index" ->
            assertThat(refusal(() -> locks.tryAcquire("x"))).hasMessageContaining("index,");
        default -> assertThat(refusal(() -> locks.tryAcquire("x"))).hasMessageContaining(lacking);
      }
    }
  }

  static Stream<String> privilegesOfMakers() {
    return Roles.privileges("holdfast-maker").stream();
  }

  @ParameterizedTest
  @MethodSource("privilegesOfMakers")
  void maker_whoLacksAPrivilege_isToldWhich(String lacking) throws Exception {
    ElasticsearchLockStore.Builder builder = node.store("maker-without-" + lacking);
    if (lacking.equals("manage")) {
      assertThat(refusal(builder.indexNames("holdfast-locks-2", "holdfast-locks-new").build()))
          .hasMessageContaining("manage");
    } else {
      assertToldWhatALockerLacks(builder.build(), lacking);
    }
  }

  @Test
  void locker_cannotMakeTheIndex_andIsToldWhatIsMissing() {
    assertThat(
            refusal(
                node.store("locker")
                    .indexNames("holdfast-locks-unmade", "holdfast-locks-of-nobody")
                    .build()))
        .hasMessageContaining("create_index");
  }

  @Test
  void reader_canLook_andNothingElse() throws Exception {
    try (ElasticsearchLockStore owners = node.store("locker").build();
        LockManager owner = LockManager.create(owners);
        ElasticsearchLockStore store = node.store("reader").build();
        LockManager locks = LockManager.create(store)) {
      Lease lease = owner.acquire("looked-at", PATIENT);

      assertThat(locks.find("looked-at").map(LockInfo::token)).contains(lease.token());
      Poll.until(
          "the listing shows it",
          () -> locks.list().stream().anyMatch(info -> info.lockId().equals("looked-at")));
      assertThat(refusal(() -> locks.tryAcquire("free"))).hasMessageContaining("index,");
      assertThat(refusal(() -> locks.forceRelease("looked-at"))).hasMessageContaining("delete,");
      assertThat(lease.renew()).isTrue();
    }
  }

  @Test
  void secondUser_neitherReleasesNorExtendsTheLockOfTheFirst() throws Exception {
    try (ElasticsearchLockStore owners = node.store("locker").build();
        LockManager owner = LockManager.create(owners);
        ElasticsearchLockStore store = node.store("second").build();
        LockManager locks = LockManager.create(store)) {
      // A lease of the second, which ends; then the first has the lock.
      Lease ended =
          locks.acquire("own", PATIENT.withTtl(Duration.ofSeconds(1)).withAutoRenew(false));
      Lease lease = owner.acquire("own", PATIENT);
      LockInfo before = owner.find("own").orElseThrow();

      assertThat(locks.tryAcquire("own")).isEmpty();
      assertThat(ended.renew()).isFalse();
      assertThat(ended.release()).isEqualTo(ReleaseResult.NOT_HELD);

      assertThat(owner.find("own").orElseThrow().version()).isEqualTo(before.version());
      assertThat(owner.find("own").orElseThrow().expiresAt()).isEqualTo(before.expiresAt());
      assertThat(lease.renew()).isTrue();
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  // --- Credentials

  @Test
  void password_thatIsWrong_isAClearError_thatRepeatsNoSecret() {
    assertThat(refusal(node.store("locker").basicAuth("locker", WRONG).build()))
        .hasMessageContaining("401")
        .hasMessageContaining("[locker]")
        .hasMessageContaining("127.0.0.1");
  }

  @Test
  void credentials_thatAreMissing_areAClearError() {
    assertThat(refusal(node.storeOfNobody().build())).hasMessageContaining("401");
  }

  @Test
  void apiKey_thatNobodyKnows_isAClearError_thatRepeatsNoSecret() {
    assertThat(refusal(node.storeOfNobody().apiKey(API_KEY).build())).hasMessageContaining("401");
  }

  @Test
  void apiKey_withTheLockersRole_locks_untilItIsInvalidated() throws Exception {
    SecuredNode.Key key = node.newApiKey("holdfast-locker");
    try (ElasticsearchLockStore store = node.storeOfNobody().apiKey(key.encoded()).build();
        LockManager locks = LockManager.create(store)) {
      Lease lease = locks.acquire("by-key", PATIENT);
      assertThat(lease.renew()).isTrue();
      assertThat(locks.find("by-key")).isPresent();
      assertThat(locks.list()).isNotNull();
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

      node.invalidate(key);

      assertThat(refusal(() -> locks.tryAcquire("by-key"))).hasMessageContaining("401");
    } finally {
      watch.assertNoneOf("", key.encoded());
    }
  }

  @Test
  void apiKey_withTheReadersRole_isToldWhatItLacks() throws Exception {
    SecuredNode.Key key = node.newApiKey("holdfast-reader");
    try (ElasticsearchLockStore store = node.storeOfNobody().apiKey(key.encoded()).build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.find("by-key")).isEmpty();
      assertThat(refusal(() -> locks.tryAcquire("by-key")))
          .hasMessageContaining("403")
          .hasMessageContaining("privileges");
    }
  }

  /** A front sees what a node does not tell: where the key is. */
  @Test
  void apiKey_isSentWithEveryRequest_andNowhereElse() throws Exception {
    try (LockCluster cluster = LockCluster.on(ElasticsearchVersion.V8)) {
      HttpFront front = cluster.front();
      front.script(
          request ->
              ("ApiKey " + API_KEY).equals(request.headers().get("authorization"))
                  ? new HttpFront.Reply.Forward()
                  : HttpFront.error(401, "security_exception", "no key"));
      ElasticsearchLockStore store =
          cluster.closing(cluster.storeBuilder(front.url()).apiKey(API_KEY).build());
      LockManager locks = cluster.manager(store);

      assertThat(locks.acquire("x", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
      // It may show for a second what was deleted.
      Poll.until("the listing is empty", () -> locks.list().isEmpty());

      assertThat(front.requests())
          .isNotEmpty()
          .noneMatch(request -> (request.target() + request.body()).contains(API_KEY));
      watch.show(store);
      watch.show(store.description());
    }
  }

  @Test
  void userAndPassword_inTheUrl_work_andAreRepeatedNowhere() throws Exception {
    String url = node.url().replace("https://", "https://locker:" + PASSWORD + "@");
    try (ElasticsearchLockStore store =
            ElasticsearchLockStore.builder(url)
                .trustFingerprint(node.authority.fingerprint())
                .build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("x", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
      watch.show(store);
      watch.show(store.description());
      assertThat(store.toString()).doesNotContain("locker:");
    }
  }

  /**
   * What is looked for would be found: these two loggers do print it, as docs/operations.md says.
   */
  @Test
  void watch_wouldSeeASecret_thatIsLogged() throws Exception {
    try (LogCapture headers =
            LogCapture.of(SecretsWatch.HEADERS, ch.qos.logback.classic.Level.TRACE);
        ElasticsearchLockStore store = node.storeOfNobody().apiKey(API_KEY).build();
        LockManager locks = LockManager.create(store)) {
      refusal(() -> locks.find("x"));

      assertThat(headers.lines()).anyMatch(line -> line.contains(API_KEY));
    }
  }
}
