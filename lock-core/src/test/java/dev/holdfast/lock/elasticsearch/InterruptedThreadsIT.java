package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Calls on threads that are interrupted, which still send, on a real node under two addresses: a
 * request that did not leave would have the client avoid a healthy node.
 */
@Timeout(120)
@Tag("slow")
class InterruptedThreadsIT {
  private LockCluster cluster;

  enum Connections {
    OWN {
      @Override
      ElasticsearchLockStore.Builder to(LockCluster cluster, String... urls) {
        return cluster.storeBuilder(urls);
      }
    },
    OF_THE_USER {
      @Override
      ElasticsearchLockStore.Builder to(LockCluster cluster, String... urls) {
        Rest5Client client =
            Rest5Client.builder(List.of(URI.create(urls[0]), URI.create(urls[1]))).build();
        return ElasticsearchLockStore.builder(
                (ElasticsearchTransport)
                    cluster.closing(new Rest5ClientTransport(client, ManagedTransport.mapper())))
            .indexNames(cluster.index(), cluster.alias());
      }
    };

    abstract ElasticsearchLockStore.Builder to(LockCluster cluster, String... urls);

    LockManager manager(LockCluster cluster) {
      int port = cluster.node().getPort();
      return cluster.manager(
          cluster.closing(
              to(cluster, "http://127.0.0.1:" + port, "http://localhost:" + port).build()));
    }
  }

  @BeforeEach
  void open() {
    cluster = LockCluster.on(ElasticsearchVersion.V9);
  }

  @AfterEach
  void close() {
    Thread.interrupted();
    cluster.close();
  }

  /** What a call returns on a thread that is interrupted, and stays so. */
  private static <T> T interrupted(Callable<T> call) throws Exception {
    Thread.currentThread().interrupt();
    T result = call.call();
    assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
    return result;
  }

  @ParameterizedTest
  @EnumSource(Connections.class)
  void calls_onAThreadThatIsInterrupted_succeedAtTheirFirstRequest(Connections connections)
      throws Exception {
    LockManager locks = connections.manager(cluster);

    // Several, as each goes to the other address.
    for (int i = 0; i < 4; i++) {
      String id = "job-" + i;
      Lease lease = interrupted(() -> locks.acquireAsync(id)).get(30, TimeUnit.SECONDS);
      assertThatCode(
              () ->
                  interrupted(
                      () -> {
                        lease.ensureHeld(Duration.ofSeconds(20));
                        return true;
                      }))
          .doesNotThrowAnyException();
      assertThat(interrupted(lease::renew)).isTrue();
      assertThat(interrupted(() -> locks.find(id))).isPresent();
      assertThat(interrupted(() -> locks.list())).isNotNull();
      assertThat(interrupted(lease::release)).isEqualTo(ReleaseResult.RELEASED);
      assertThat(cluster.document(id)).isEmpty();
    }
    Lease forced = locks.acquire("forced");
    assertThat(forced.isHeld()).isTrue();
    assertThat(interrupted(() -> locks.forceRelease("forced"))).isTrue();
  }

  @Test
  void nodes_afterCallsOfInterruptedThreads_areNotAvoided() throws Exception {
    HttpFront first = cluster.front();
    HttpFront second = cluster.front();
    LockManager locks =
        cluster.manager(cluster.closing(cluster.storeBuilder(first.url(), second.url()).build()));
    for (int i = 0; i < 10; i++) {
      Lease lease = interrupted(() -> locks.acquireAsync("job")).get(30, TimeUnit.SECONDS);
      assertThat(interrupted(lease::release)).isEqualTo(ReleaseResult.RELEASED);
    }
    int before = first.requests().size();
    int beforeOfSecond = second.requests().size();
    for (int i = 0; i < 10; i++) {
      assertThat(locks.find("job")).isEmpty();
    }

    assertThat(first.requests().size()).isGreaterThan(before);
    assertThat(second.requests().size()).isGreaterThan(beforeOfSecond);
  }

  /** Another thread's interrupt may come at any moment of a request's way out. */
  @Test
  void calls_onAThreadThatIsInterruptedAgainAndAgain_succeed() throws Exception {
    LockManager locks = Connections.OWN.manager(cluster);
    Thread caller = Thread.currentThread();
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<Void> nuisance =
        CompletableFuture.runAsync(
            () -> {
              while (!over.get()) {
                caller.interrupt();
                Thread.onSpinWait();
              }
            });
    try {
      for (int i = 0; i < 200; i++) {
        Lease lease = joined(locks, "job-" + i);
        assertThat(lease.renew()).isTrue();
        assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
      }
    } finally {
      over.set(true);
      nuisance.join();
      Thread.interrupted();
    }
  }

  private static Lease joined(LockManager locks, String id) {
    return locks
        .acquireAsync(id, LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(30)))
        .join();
  }

  /** The caller asks to be interruptible there: nothing is sent. */
  @Test
  void acquire_onAThreadThatIsInterrupted_throwsThatAndLeavesNoRecord() throws Exception {
    LockManager locks = Connections.OWN.manager(cluster);
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> locks.acquire("job")).isInstanceOf(InterruptedException.class);
    assertThat(cluster.document("job")).isEmpty();
  }
}
