package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A proxy that limits the size of a request, in front of a real node. */
@Timeout(300)
@Tag("slow")
class SizeLimitIT {
  private static final int KIB = 1024;

  private LockCluster cluster;
  private HttpFront proxy;
  private LockManager locks;

  /** What becomes of a request that is too large. */
  enum Refusal {
    /** As nginx answers by default. */
    ANSWERED {
      @Override
      Reply reply() {
        return HttpFront.html(413);
      }
    },
    /** The connection is closed while the request is still being sent, and the answer is lost. */
    BROKEN_OFF {
      @Override
      Reply reply() {
        return new Reply.Reset();
      }
    };

    abstract Reply reply();
  }

  @BeforeEach
  void open() {
    cluster = LockCluster.on(ElasticsearchVersion.V9);
    proxy = cluster.front();
    locks =
        cluster.closing(
            LockManager.builder(cluster.closing(cluster.storeBuilder(proxy.url()).build()))
                .maxMetadataBytes(4 * KIB * KIB)
                .build());
  }

  @AfterEach
  void close() {
    cluster.close();
  }

  private void limit(int bytes, Refusal refusal) {
    proxy.script(
        request -> request.body().length() > bytes ? refusal.reply() : new Reply.Forward());
  }

  private static LockOptions withMetadata(int bytes) {
    return LockOptions.defaults()
        .withTtl(Duration.ofSeconds(30))
        .withMetadata(Map.of("what", "m".repeat(bytes)));
  }

  @ParameterizedTest
  @CsvSource({"1024, 40", "256, 40", "64, 40", "64, 1"})
  void acquisitions_atOnce_withMetadata_allSucceed(int limitKib, int metadataKib) {
    limit(limitKib * KIB, Refusal.ANSWERED);
    List<CompletableFuture<Lease>> acquisitions = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      acquisitions.add(locks.acquireAsync("lock-" + i, withMetadata(metadataKib * KIB)));
    }

    for (CompletableFuture<Lease> acquisition : acquisitions) {
      assertThat(acquisition.join().release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  /** Renewals of all leases are due together, and so gather in large requests. */
  @ParameterizedTest
  @EnumSource(Refusal.class)
  void leases_ofAnyMixOfSizes_surviveALimitThatIsSetWhileTheyAreHeld(Refusal refusal) {
    Random random = new Random(7);
    Map<String, Lease> held = new HashMap<>();
    for (int i = 0; i < 60; i++) {
      String id = "lock-" + i;
      LockOptions options = withMetadata(1 + random.nextInt(i % 10 == 0 ? 100 * KIB : 8 * KIB));
      held.put(id, locks.acquireAsync(id, options.withTtl(Duration.ofSeconds(12))).join());
    }
    limit(128 * KIB, refusal);
    Map<String, String> before = new HashMap<>();
    held.keySet().forEach(id -> before.put(id, expiry(id)));

    Poll.until(
        "all renewed",
        () -> held.keySet().stream().noneMatch(id -> expiry(id).equals(before.get(id))));

    assertThat(held.values()).allMatch(Lease::isHeld);
    held.values().forEach(lease -> assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED));
  }

  private String expiry(String lockId) {
    return cluster.document(lockId).orElseThrow().get("expiresAt").asText();
  }

  @Test
  void limit_thatWasLearned_isRemembered() {
    limit(64 * KIB, Refusal.ANSWERED);
    List<Integer> refusedInEachRound = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      int before = refused();
      List<CompletableFuture<Lease>> acquisitions = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        acquisitions.add(locks.acquireAsync("lock-" + round + "-" + i, withMetadata(10 * KIB)));
      }
      acquisitions.forEach(acquisition -> acquisition.join().release());
      refusedInEachRound.add(refused() - before);
    }

    assertThat(refusedInEachRound.get(0)).isPositive();
    assertThat(refusedInEachRound.subList(1, 3)).containsOnly(0);
  }

  private int refused() {
    return proxy.requests((Request request) -> request.body().length() > 64 * KIB).size();
  }

  @Test
  void record_thatIsTooLargeByItself_isRefused_andTheMessageSaysWhereTheLimitIs() throws Exception {
    limit(64 * KIB, Refusal.ANSWERED);
    Lease small = locks.acquire("small");

    LockStoreUnavailableException failure =
        catchThrowableOfType(
            LockStoreUnavailableException.class,
            () -> locks.acquire("large", withMetadata(100 * KIB)));

    assertThat(failure.isRetryable()).isFalse();
    assertThat(failure)
        .hasMessageContainingAll("413", "client_max_body_size", "http.max_content_length")
        .hasMessageContaining("metadata")
        .hasMessageMatching("(?s).*of \\d{6} bytes.*");
    assertThat(cluster.document("large")).isEmpty();
    assertThat(small.renew()).isTrue();
    assertThat(small.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  /** Reads of many locks gather in one request too. */
  @Test
  void reads_atOnce_passInParts() {
    limit(1_500, Refusal.ANSWERED);
    List<CompletableFuture<Boolean>> reads = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      String id = "some-lock-with-a-rather-long-name-" + i;
      reads.add(CompletableFuture.supplyAsync(() -> locks.find(id).isPresent()));
    }

    assertThat(reads).extracting(CompletableFuture::join).containsOnly(false);
  }
}
