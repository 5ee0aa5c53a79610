package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A node that asks for passwords: what a user needs, and what is said to one who lacks it. */
class SecurityIT {
  private static final String PASSWORD = "secret-word";

  /** The password, hashed as the node keeps it (bcrypt, 4 rounds). */
  private static final String HASH = "$2a$04$Bx01oweuCMzqor7EtYmXWujcHyb8Q0TkY/yW4PAuJ5Mf0NsuE4tT.";

  /** The least that is needed, as the README says, on an index that is there. */
  private static final List<String> PRIVILEGES =
      List.of("read", "index", "delete", "view_index_metadata");

  /** What is needed to make the index. */
  private static final List<String> MAKING =
      List.of("read", "index", "delete", "view_index_metadata", "create_index", "manage");

  private static final LockOptions PATIENT =
      LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(30));

  private static ElasticsearchNode node;

  private LogCapture log;

  @BeforeAll
  static void start() {
    ElasticsearchVersion version = ElasticsearchVersion.V8;
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    Map<String, List<String>> users = new LinkedHashMap<>();
    users.put("all", PRIVILEGES);
    users.put("maker", MAKING);
    users.put("without-manage", MAKING.subList(0, 5));
    users.put("reader", List.of("read", "view_index_metadata"));
    for (String lacking : PRIVILEGES) {
      users.put(
          "without-" + lacking,
          PRIVILEGES.stream().filter(privilege -> !privilege.equals(lacking)).toList());
    }
    StringBuilder roles = new StringBuilder();
    StringBuilder passwords = new StringBuilder("admin:" + HASH + "\n");
    StringBuilder granted = new StringBuilder("superuser:admin\n");
    users.forEach(
        (user, privileges) -> {
          roles
              .append(user)
              .append(":\n  indices:\n    - names: ['holdfast-locks*', 'own-*']\n")
              .append("      privileges: ")
              .append(privileges)
              .append("\n");
          passwords.append(user).append(':').append(HASH).append('\n');
          granted.append(user).append(':').append(user).append('\n');
        });
    node =
        ElasticsearchNode.builder(version)
            .setting("xpack.security.enabled", "true")
            .setting("xpack.security.http.ssl.enabled", "false")
            .setting("discovery.type", "single-node")
            .configFile("roles.yml", roles.toString())
            .configFile("users", passwords.toString())
            .configFile("users_roles", granted.toString())
            .start();
  }

  @AfterAll
  static void stop() {
    if (node != null) {
      node.close();
    }
  }

  @BeforeEach
  void capture() {
    log = LogCapture.ofHoldfast();
  }

  @AfterEach
  void nothingSecretWasLogged() {
    List<String> lines = log.lines();
    log.close();
    assertThat(lines).noneMatch(line -> line.contains(PASSWORD));
  }

  private static ElasticsearchLockStore store(String user, String password) {
    return ElasticsearchLockStore.builder(node.httpUri().toString())
        .basicAuth(user, password)
        .build();
  }

  private static void makeIndex() throws InterruptedException {
    try (ElasticsearchLockStore store = store("admin", PASSWORD);
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("warm-up", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  private static LockStoreUnavailableException refusal(ElasticsearchLockStore store) {
    try (LockManager locks = LockManager.create(store)) {
      LockStoreUnavailableException refusal =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire("x"));
      assertThat(refusal).isNotNull();
      assertThat(refusal.isRetryable()).isFalse();
      assertThat(refusal.toString()).doesNotContain(PASSWORD).contains(node.httpUri().getHost());
      return refusal;
    }
  }

  @Test
  void user_withTheLeastPrivileges_canDoEverythingButMakeTheIndex() throws Exception {
    makeIndex();
    try (ElasticsearchLockStore store = store("all", PASSWORD);
        LockManager locks = LockManager.create(store)) {
      Lease lease = locks.acquire("x", PATIENT);
      assertThat(lease.renew()).isTrue();
      assertThat(locks.find("x")).isPresent();
      assertThat(locks.list()).isNotNull();
      assertThat(locks.forceRelease("x")).isTrue();
      assertThat(store.toString() + store.description()).doesNotContain(PASSWORD);
    }
  }

  @Test
  void user_whoMayMakeIndexesWithAliases_canMakeTheIndex() throws Exception {
    try (ElasticsearchLockStore store =
            ElasticsearchLockStore.builder(node.httpUri().toString())
                .basicAuth("maker", PASSWORD)
                .indexNames("own-1", "own-alias")
                .build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("x", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"read", "index", "delete", "view_index_metadata"})
  void user_whoLacksAPrivilege_isToldWhich(String lacking) throws Exception {
    makeIndex();
    try (ElasticsearchLockStore store = store("without-" + lacking, PASSWORD);
        LockManager locks = LockManager.create(store)) {
      if (lacking.equals("delete")) {
        // What cannot be deleted is left to its TTL; the log says why.
        assertThat(locks.acquire("undeletable", PATIENT).release())
            .isEqualTo(ReleaseResult.UNCONFIRMED);
        assertThat(log.lines()).anyMatch(line -> line.contains("delete") && line.contains("403"));
      } else if (lacking.equals("read")) {
        LockStoreUnavailableException refusal =
            catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.find("x"));
        assertThat(refusal).hasMessageContaining("read");
        assertThat(refusal.isRetryable()).isFalse();
      } else {
        assertThat(refusal(store)).hasMessageContaining(lacking);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"all,create_index", "without-manage,manage"})
  void user_whoMayNotMakeTheIndex_isToldWhatIsMissing(String user, String privilege) {
    try (ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(node.httpUri().toString())
            .basicAuth(user, PASSWORD)
            .indexNames("own-2", "own-alias-2")
            .build()) {
      assertThat(refusal(store)).hasMessageContaining(privilege);
    }
  }

  @Test
  void user_whoMayOnlyRead_canLook_andNothingElse() throws Exception {
    makeIndex();
    try (ElasticsearchLockStore store = store("reader", PASSWORD);
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.find("nothing")).isEmpty();
      assertThat(locks.list()).isNotNull();
      assertThat(refusal(store)).hasMessageContaining("index");
    }
  }

  @Test
  void password_thatIsWrong_isAClearError_thatRepeatsNoSecret() {
    try (ElasticsearchLockStore store = store("all", PASSWORD + "-not")) {
      assertThat(refusal(store)).hasMessageContaining("401").hasMessageContaining("[all]");
    }
  }

  @Test
  void credentials_thatAreMissing_areAClearError() {
    try (ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(node.httpUri().toString()).build()) {
      assertThat(refusal(store)).hasMessageContaining("401");
    }
  }

  @Test
  void apiKey_thatNobodyKnows_isAClearError_thatRepeatsNoSecret() {
    try (ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(node.httpUri().toString())
            .apiKey("c2VjcmV0LXdvcmQ=")
            .build()) {
      LockStoreUnavailableException refusal = refusal(store);
      assertThat(refusal).hasMessageContaining("401");
      assertThat(refusal.toString() + store).doesNotContain("c2VjcmV0LXdvcmQ=");
    }
  }

  @Test
  void userAndPassword_inTheUrl_work_andAreRepeatedNowhere() throws Exception {
    String url = node.httpUri().toString().replace("http://", "http://all:" + PASSWORD + "@");
    try (ElasticsearchLockStore store = ElasticsearchLockStore.builder(url).build();
        LockManager locks = LockManager.create(store)) {
      assertThat(locks.acquire("x", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
      assertThat(store.toString() + store.description())
          .doesNotContain(PASSWORD)
          .doesNotContain("all:");
    }
  }
}
