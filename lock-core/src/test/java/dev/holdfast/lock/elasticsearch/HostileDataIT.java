package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.ClusterTest.PATIENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.store.ReadResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records that others wrote among ours, and a network that garbles what a real node answers. */
@Timeout(300)
@Tag("slow")
class HostileDataIT {
  private static final int MEBIBYTE = 1024 * 1024;
  private static final Duration LARGE_ANSWER = Duration.ofMinutes(1);
  private static final LockOptions LONG =
      LockOptions.defaults()
          .withTtl(LARGE_ANSWER.multipliedBy(5))
          .withWaitTimeout(LARGE_ANSWER.multipliedBy(2));
  private static final Map<String, Object> METADATA = Map.of("why", "a test");

  /** Documents of 20 MB are much for the node that other tests share. */
  private static final int HEAP_MEBIBYTES = 1024;

  private static @Nullable ElasticsearchNode node;

  private final LockCluster cluster = LockCluster.at(Objects.requireNonNull(node).httpUri());

  @BeforeAll
  static void start() {
    ElasticsearchVersion version = ElasticsearchVersion.V8;
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> "Elasticsearch " + version + ": " + reason.orElse(""));
    node = ElasticsearchNode.builder(version).heapMebibytes(HEAP_MEBIBYTES).start();
  }

  @AfterAll
  static void stop() {
    if (node != null) {
      node.close();
    }
  }

  @AfterEach
  void closeCluster() {
    cluster.close();
  }

  /** Tens of mebibytes take a busy machine longer than a request may take by default. */
  private ElasticsearchLockStore storeForLargeAnswers() {
    return cluster.closing(cluster.storeBuilder().responseTimeout(LARGE_ANSWER).build());
  }

  private static LockManager.Builder managerForLargeAnswers(ElasticsearchLockStore store) {
    return LockManager.builder(store).requestTimeout(LARGE_ANSWER);
  }

  private static String nested(String open, String close, int depth) {
    return open.repeat(depth) + "1" + close.repeat(depth);
  }

  private static String filled(int bytes) {
    return "x".repeat(bytes);
  }

  /**
   * Documents by the lock whose record they are. Those that Elasticsearch refuses do not matter.
   */
  private static Map<String, String> documents() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("empty", "{}");
    all.put("other", "{\"a\":[{\"b\":null}],\"c\":{\"d\":1.5}}");
    all.put("nulls", "{\"token\":null,\"owner\":null,\"ttlMillis\":null,\"metadata\":null}");
    all.put("lists", "{\"token\":[\"a\",\"b\"],\"ttlMillis\":[1,2],\"metadata\":[{\"a\":1},{}]}");
    all.put("numbers", "{\"token\":7,\"owner\":true,\"ttlMillis\":\"30000\",\"metadata\":{}}");
    all.put("negative", "{\"token\":\"t\",\"ttlMillis\":-1,\"maxClockSkewMillis\":-1}");
    all.put("longest", "{\"token\":\"t\",\"ttlMillis\":9223372036854775807}");
    all.put("year", "{\"token\":\"t\",\"expiresAt\":\"+300000-01-01T00:00:00Z\"}");
    all.put("millis", "{\"token\":\"t\",\"expiresAt\":9467000000000000}");
    all.put("long ago", "{\"token\":\"t\",\"expiresAt\":\"-9999-01-01T00:00:00Z\"}");
    all.put("exponent", "{\"token\":\"t\",\"metadata\":{\"n\":1e99999999999,\"m\":1e400}}");
    all.put("digits", "{\"token\":\"t\",\"metadata\":{\"n\":" + "9".repeat(900) + "}}");
    all.put("deep objects", "{\"metadata\":" + nested("{\"a\":", "}", 900) + "}");
    all.put("deep lists", "{\"metadata\":{\"a\":" + nested("[", "]", 950) + "}}");
    all.put("deepest", "{\"metadata\":{\"a\":" + nested("[", "]", 997) + "}}");
    all.put("deep elsewhere", "{\"z\":" + nested("[", "]", 997) + "}");
    all.put("control", "{\"token\":\"\\u0000\\u001b[31m\",\"owner\":\"\\ud800\"}");
    all.put("large field", "{\"z\":\"" + filled(10 * MEBIBYTE) + "\"}");
    all.put("large metadata", "{\"metadata\":{\"a\":\"" + filled(10 * MEBIBYTE) + "\"}}");
    all.put("many values", "{\"metadata\":{\"a\":[" + "[],".repeat(3 * MEBIBYTE) + "[]]}}");
    all.put("larger than an answer", "{\"metadata\":{\"a\":\"" + filled(20 * MEBIBYTE) + "\"}}");
    all.put(
        "larger without metadata",
        "{\"token\":[" + ("\"" + filled(1024) + "\",").repeat(20 * 1024) + "\"t\"]}");
    return all;
  }

  private String path(String lockId) {
    return "/" + cluster.index() + "/_doc/" + lockId.replace(" ", "%20") + "?refresh=true";
  }

  /** Those that were accepted. */
  private List<String> write(Map<String, String> documents) {
    List<String> written = new ArrayList<>();
    documents.forEach(
        (lockId, document) -> {
          if (cluster.send("PUT", path(lockId), document).status() == 201) {
            written.add(lockId);
          }
        });
    return written;
  }

  @Test
  void records_ofStrangers_areSomebodysLocks_andHinderNoOther() throws Exception {
    ElasticsearchLockStore store = storeForLargeAnswers();
    LockManager locks = cluster.closing(managerForLargeAnswers(store).build());
    Lease mine = locks.acquire("mine", LONG.withMetadata(METADATA));
    List<String> strangers = write(documents());
    assertThat(strangers)
        .hasSizeGreaterThanOrEqualTo(15)
        .contains(
            "deep objects",
            "large field",
            "large metadata",
            "many values",
            "larger than an answer",
            "larger without metadata");

    for (String stranger : strangers) {
      assertThat(locks.tryAcquire(stranger, LONG.withWaitTimeout(Duration.ZERO)))
          .as(stranger)
          .isEmpty();
      Optional<LockInfo> info = locks.find(stranger);
      assertThat(info).as(stranger).isPresent();
      assertThat(info.orElseThrow().owner().length()).isLessThan(5_000);
    }

    // All at once, in few requests: ours is whole, whoever is with it.
    List<String> asked = new ArrayList<>(strangers);
    asked.add(5, "mine");
    asked.add("absent");
    List<CompletableFuture<ReadResult>> reads = asked.stream().map(store::read).toList();
    for (int i = 0; i < asked.size(); i++) {
      ReadResult read = Answers.get(reads.get(i));
      if (asked.get(i).equals("absent")) {
        assertThat(read).isInstanceOf(ReadResult.Absent.class);
      } else {
        assertThat(read).as(asked.get(i)).isInstanceOf(ReadResult.Found.class);
      }
      if (asked.get(i).equals("mine")) {
        assertThat(((ReadResult.Found) read).record().token()).isEqualTo(mine.token());
        assertThat(((ReadResult.Found) read).record().metadata()).isEqualTo(METADATA);
      }
    }

    List<LockInfo> listed = locks.list();
    assertThat(listed).extracting(LockInfo::lockId).containsAll(strangers);
    assertThat(listed)
        .filteredOn(info -> info.lockId().equals("mine"))
        .extracting(LockInfo::token)
        .containsExactly(mine.token());

    assertThat(locks.acquire("another", LONG).release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(mine.renew()).isTrue();
    for (String stranger : strangers) {
      assertThat(locks.forceRelease(stranger)).as(stranger).isTrue();
    }
    assertThat(mine.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void record_ofAStranger_isTakenOver_whenItHasStoodForItsTime_howeverLargeItIs() throws Exception {
    LockManager locks = cluster.closing(managerForLargeAnswers(storeForLargeAnswers()).build());
    assertThat(locks.acquire("warm-up", LONG).release()).isEqualTo(ReleaseResult.RELEASED);
    Map<String, String> documents =
        Map.of(
            "large",
            "{\"ttlMillis\":1000,\"metadata\":{\"a\":\"" + filled(10 * MEBIBYTE) + "\"}}",
            "larger",
            "{\"ttlMillis\":1000,\"metadata\":{\"a\":\"" + filled(20 * MEBIBYTE) + "\"}}");
    assertThat(write(documents)).hasSize(2);

    for (String lockId : documents.keySet()) {
      assertThat(locks.tryAcquire(lockId, LONG.withWaitTimeout(Duration.ZERO))).isEmpty();
      Lease lease = locks.acquire(lockId, LONG.withMetadata(METADATA));
      assertThat(lease.isHeld()).isTrue();
      assertThat(locks.find(lockId).orElseThrow().metadata()).isEqualTo(METADATA);
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  /** The largest that a manager may allow fits into one answer, and comes back whole. */
  @Test
  void metadata_asLargeAsAManagerMayAllow_isReadWhole() throws Exception {
    Map<String, Object> metadata = Map.of("a", filled(10 * MEBIBYTE - 100));
    LockManager locks =
        cluster.closing(
            managerForLargeAnswers(storeForLargeAnswers()).maxMetadataBytes(10 * MEBIBYTE).build());
    Lease lease = locks.acquire("much", LONG.withMetadata(metadata));

    assertThat(locks.find("much").orElseThrow().metadata()).isEqualTo(metadata);
    assertThat(lease.renew()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  // --- A garbled network

  private static Reply raw(String text) {
    return new Reply.Raw(out -> out.write(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private static List<Reply> garbage() {
    return List.of(
        raw("\u0000\u0001\u0002"),
        raw("HTTP/1.1 200 OK\r\n\r\n"),
        raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"),
        new Reply.Reset(),
        HttpFront.html(200),
        HttpFront.html(302),
        HttpFront.html(503),
        HttpFront.error(500, "exception", "storm"),
        HttpFront.error(429, "exception", "storm"),
        HttpFront.json(200, "{\"docs\":[],\"items\":[],\"errors\":false,\"took\":1}"),
        HttpFront.json(200, "[".repeat(5_000)),
        new Reply.Truncated(
            HttpFront.json(200, "{\"docs\":[{\"_id\":\"held\",\"found\":false}]}")));
  }

  @Test
  void storm_ofGarbage_takesNoLease_andGrantsNone() throws Exception {
    List<Reply> garbage = garbage();
    AtomicInteger next = new AtomicInteger();
    HttpFront front = cluster.front();
    LockManager holder =
        cluster.manager(cluster.closing(cluster.storeBuilder(front.url()).build()));
    LockManager other = cluster.manager(cluster.closing(cluster.storeBuilder(front.url()).build()));
    // So long that it does not end by itself while the test runs.
    LockOptions options = PATIENT.withTtl(Duration.ofMinutes(30)).withAutoRenew(false);
    Lease lease = holder.acquire("held", options);
    front.script(
        request -> {
          int turn = next.getAndIncrement();
          Reply reply = garbage.get(turn % garbage.size());
          // Now and then it was carried out although the answer is garbage.
          return request.isBulk() && turn % 2 == 0 ? new Reply.ForwardThen(reply) : reply;
        });

    for (int i = 0; i < 3 * garbage.size(); i++) {
      boolean unused = lease.renew();
      assertThat(lease.isHeld()).isTrue();
      LockStoreUnavailableException outage =
          catchThrowableOfType(
              LockStoreUnavailableException.class,
              () -> assertThat(other.tryAcquire("held")).isEmpty());
      assertThat(outage == null || outage.isRetryable()).isTrue();
    }

    front.script(request -> new Reply.Forward());
    assertThat(other.tryAcquire("held")).isEmpty();
    assertThat(lease.renew()).isTrue();
    assertThat(other.find("held").map(LockInfo::token)).contains(lease.token());
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(other.acquire("held", PATIENT).isHeld()).isTrue();
  }
}
