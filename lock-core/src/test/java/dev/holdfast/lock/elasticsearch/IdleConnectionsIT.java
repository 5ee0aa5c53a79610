package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * However the connections die, all at once: each call succeeds at its first try, and leases
 * survive.
 */
@Timeout(300)
@Tag("slow")
class IdleConnectionsIT {
  private LockCluster cluster;
  private Relay relay;
  private LockManager locks;

  @BeforeEach
  void open() throws Exception {
    cluster = LockCluster.on(ElasticsearchVersion.V8);
    relay = cluster.closing(new Relay(cluster.node()));
    locks = cluster.manager(cluster.closing(cluster.storeBuilder(relay.url()).build()));
    assertThat(locks.acquire("first").release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @AfterEach
  void close() {
    cluster.close();
  }

  /** As many connections as a store ever makes to a node, or nearly. */
  private void useManyConnections() {
    List<CompletableFuture<Boolean>> all = new ArrayList<>();
    Poll.until(
        "there are several connections",
        () -> {
          for (int i = 0; i < 20; i++) {
            String id = "warm-" + ThreadLocalRandom.current().nextLong();
            all.add(
                locks
                    .acquireAsync(id)
                    .thenCompose(Lease::releaseAsync)
                    .thenApply(ReleaseResult.RELEASED::equals));
            all.add(CompletableFuture.supplyAsync(() -> locks.find(id).isPresent()));
          }
          all.forEach(CompletableFuture::join);
          return relay.alive() >= 3;
        });
  }

  private void die(Relay.Death death) {
    useManyConnections();
    relay.forgetAll(death);
  }

  /** Where the client is told; silence it would have to notice itself, by a response timeout. */
  @ParameterizedTest
  @EnumSource(value = Relay.Death.class, mode = EnumSource.Mode.EXCLUDE, names = "SILENT")
  void call_throughAUsersOwnClient_whoseConnectionsHaveAllDied_succeedsAtItsFirstTry(
      Relay.Death death) throws Exception {
    locks =
        cluster.manager(
            cluster.closing(
                ElasticsearchLockStore.builder(cluster.userClient(relay.url()))
                    .indexNames(cluster.index(), cluster.alias())
                    .build()));
    die(death);
    Lease lease = locks.acquire("a");
    die(death);
    assertThat(lease.renew()).isTrue();
    die(death);
    assertThat(locks.find("a")).isPresent();
    die(death);
    assertThat(locks.list()).isNotNull();
    die(death);
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @ParameterizedTest
  @EnumSource(Relay.Death.class)
  void call_afterAllConnectionsHaveDied_succeedsAtItsFirstTry(Relay.Death death) throws Exception {
    die(death);
    Lease lease = locks.acquire("a");
    die(death);
    assertThat(lease.renew()).isTrue();
    die(death);
    assertThat(locks.find("a")).isPresent();
    die(death);
    cluster.refresh();
    assertThat(locks.list()).hasSizeGreaterThanOrEqualTo(1);
    die(death);
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(cluster.document("a")).isEmpty();
    die(death);
    assertThat(locks.tryAcquire("b")).isPresent();
  }

  @ParameterizedTest
  @EnumSource(Relay.Death.class)
  void store_whoseConnectionsHaveDied_findsItsIndexAtItsFirstTry(Relay.Death death)
      throws Exception {
    die(death);
    cluster.deleteIndex();

    assertThat(locks.tryAcquire("a")).isPresent();
  }

  /** Once in a TTL: each death costs a lease the time until a request is given up. */
  @ParameterizedTest
  @EnumSource(Relay.Death.class)
  void leases_whenAllConnectionsDieAgainAndAgain_survive(Relay.Death death) throws Exception {
    Map<String, Lease> leases = new HashMap<>();
    for (int ttl : new int[] {9, 15}) {
      for (int i = 0; i < 5; i++) {
        String id = "held-" + ttl + "-" + i;
        leases.put(id, locks.acquire(id, LockOptions.defaults().withTtl(Duration.ofSeconds(ttl))));
      }
    }
    for (int round = 0; round < 2; round++) {
      die(death);
      Map<String, String> before = new HashMap<>();
      leases.keySet().forEach(id -> before.put(id, expiry(id)));
      Poll.until(
          "all renewed",
          () -> leases.keySet().stream().noneMatch(id -> expiry(id).equals(before.get(id))));
      assertThat(leases.values()).allMatch(Lease::isHeld);
    }
    for (Lease lease : leases.values()) {
      assertThat(lease.renew()).isTrue();
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  private String expiry(String lockId) {
    return cluster.document(lockId).orElseThrow().get("expiresAt").asText();
  }
}
