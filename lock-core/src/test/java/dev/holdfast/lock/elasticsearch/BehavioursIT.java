package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.GuardsAgainst;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.Pitfall;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a user may expect of a lock on Elasticsearch, by the public API alone, on real nodes. */
class BehavioursIT extends ClusterTest {
  private static final String ID = "nightly-reindex";

  /** Long enough for a slow machine: a request may take a third of it. */
  private static final Duration SHORT_TTL = Duration.ofMillis(900);

  /** So that a slow machine renews it in time. */
  private static final Duration RENEWED_TTL = Duration.ofSeconds(4);

  /** As a process that is about to crash holds a lock. */
  private static final LockOptions SOON_EXPIRED = PATIENT.withTtl(SHORT_TTL).withAutoRenew(false);

  /** Sees what the store says, and takes part in nothing. */
  private final LockManager looker = cluster.manager();

  BehavioursIT(ElasticsearchVersion version) {
    super(version);
  }

  // --- Acquire and release

  @Test
  void acquire_notHeld_isHeld() throws Exception {
    LockManager locks = cluster.manager();

    Lease lease = locks.acquire(ID);

    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.lockId()).isEqualTo(ID);
    assertThat(lease.remaining()).isPositive().isLessThanOrEqualTo(Duration.ofSeconds(30));
    assertThat(found(ID).token()).isEqualTo(lease.token());
  }

  @Test
  void acquire_withMetadata_storesIt() throws Exception {
    Map<String, Object> metadata = Map.of("job", "reindex", "attempt", 3, "tags", List.of("a"));

    Lease lease = cluster.manager().acquire(ID, PATIENT.withMetadata(metadata));

    assertThat(found(ID).metadata()).isEqualTo(metadata);
    assertThat(cluster.document(ID).map(json -> json.get("token").asText()))
        .contains(lease.token());
    assertThat(cluster.document(ID).map(json -> json.at("/metadata/tags/0").asText()))
        .contains("a");
  }

  @Test
  @GuardsAgainst(Pitfall.FENCING_STATE_GROWS_FOR_EVER)
  void release_held_removesTheDocument() throws Exception {
    Lease lease = cluster.manager().acquire(ID);
    assertThat(cluster.document(ID)).isPresent();

    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(cluster.document(ID)).isEmpty();
    assertThat(looker.find(ID)).isEmpty();
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void record_acquired_expiresItsTtlAfterItsCreation() throws Exception {
    Lease lease = cluster.manager().acquire(ID, PATIENT.withTtl(Duration.ofMillis(12_345)));

    LockInfo info = found(ID);
    assertThat(info.createdAt()).isEqualTo(lease.acquiredAt());
    assertThat(Duration.between(info.createdAt(), info.expiresAt()))
        .isEqualTo(Duration.ofMillis(12_345));
    assertThat(info.ttl()).isEqualTo(Duration.ofMillis(12_345));
    assertThat(info.expired()).isFalse();
  }

  @Test
  void release_expired_saysNotHeldAndDoesNotThrow() throws Exception {
    Lease lease = expiring(SOON_EXPIRED);
    Poll.until("the lease has ended", () -> !lease.isHeld());

    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void release_recordDeletedByAnOperator_doesNotThrowAndLeavesNothing() throws Exception {
    Lease lease = cluster.manager().acquire(ID);
    assertThat(cluster.manager().forceRelease(ID)).isTrue();

    // Absent after its own delete was sent, within its validity: as good as deleted by itself.
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(looker.find(ID)).isEmpty();
  }

  @Test
  void release_again_returnsTheSameAndDoesNothing() throws Exception {
    LockManager locks = cluster.manager();
    Lease lease = locks.acquire(ID);
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    Lease successor = locks.acquire(ID);

    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(found(ID).token()).isEqualTo(successor.token());
    assertThat(successor.isHeld()).isTrue();
  }

  @Test
  void release_lingering_staysHeldHere_andIsAcquiredAgainInMemory() throws Exception {
    LockManager locks = cluster.manager();
    LockOptions lingering =
        PATIENT.withTtl(Duration.ofMinutes(10)).withLinger(Duration.ofMinutes(5));
    Lease first = locks.acquire(ID, lingering);
    assertThat(first.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(found(ID).token()).isEqualTo(first.token());
    assertThat(cluster.manager().tryAcquire(ID)).isEmpty();

    Lease second = locks.acquire(ID, lingering);
    assertThat(second.token()).isEqualTo(first.token() + "#1");
    assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
    assertThat(second.release()).isEqualTo(ReleaseResult.RELEASED);

    locks.close();
    assertThat(cluster.document(ID)).isEmpty();
  }

  @Test
  void release_heldAtLeast_staysUnavailable_untilThen() throws Exception {
    LockManager locks = cluster.manager();
    Duration atLeast = Duration.ofMinutes(10);
    Lease lease = locks.acquire(ID, PATIENT.withHoldAtLeast(atLeast));
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(found(ID).expiresAt())
        .isBetween(
            lease.acquiredAt().plus(atLeast), lease.acquiredAt().plus(atLeast).plusMillis(5));
    assertThat(locks.tryAcquire(ID)).isEmpty();
    assertThat(cluster.manager().tryAcquire(ID)).isEmpty();

    assertThat(looker.forceRelease(ID)).isTrue();
    Lease brief = locks.acquire(ID, PATIENT.withHoldAtLeast(Duration.ofMillis(400)));
    assertThat(brief.release()).isEqualTo(ReleaseResult.RELEASED);
    Lease next = cluster.manager().acquire(ID, PATIENT);
    assertThat(next.fencingToken()).isGreaterThan(brief.fencingToken());
    assertThat(Duration.between(brief.acquiredAt(), next.acquiredAt()))
        .isGreaterThanOrEqualTo(Duration.ofMillis(399));
  }

  @Test
  void body_heldForLongerThanItMay_isInterrupted_andTheLockFree() throws Exception {
    LockManager locks = cluster.manager();

    // From within the body: on a slow machine an option might end the lease before the body begins.
    assertThatThrownBy(
            () ->
                locks.runWithLease(
                    ID,
                    PATIENT,
                    lease -> {
                      lease.limitHold(Duration.ZERO, Duration.ofMillis(300));
                      TimeUnit.MINUTES.sleep(5);
                    }))
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.MAX_HOLD))
        .hasCauseInstanceOf(InterruptedException.class);

    Lease next = cluster.manager().acquire(ID, PATIENT);
    assertThat(next.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void asynchronousBody_holdsTheLockUntilItsStageCompletes() throws Exception {
    CompletableFuture<String> stage = new CompletableFuture<>();
    CompletableFuture<Lease> begun = new CompletableFuture<>();
    CompletableFuture<String> result =
        cluster
            .manager()
            .withLeaseAsync(
                ID,
                PATIENT,
                lease -> {
                  begun.complete(lease);
                  return stage;
                });
    Lease lease = begun.get(1, TimeUnit.MINUTES);
    assertThat(cluster.manager().tryAcquire(ID)).isEmpty();
    assertThat(result).isNotDone();

    stage.complete("done");

    assertThat(result.get(1, TimeUnit.MINUTES)).isEqualTo("done");
    assertThat(lease.isHeld()).isFalse();
    assertThat(cluster.document(ID)).isEmpty();
  }

  @Test
  void acquire_differentIds_doNotInterfere() throws Exception {
    Lease a = cluster.manager().acquire("a");
    Lease b = cluster.manager().acquire("b");

    assertThat(a.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(b.isHeld()).isTrue();
    assertThat(b.renew()).isTrue();
    assertThat(looker.find("a")).isEmpty();
    assertThat(found("b").token()).isEqualTo(b.token());
  }

  @Test
  void acquire_heldByAnother_isRefusedAndTheMetadataStays() throws Exception {
    Lease lease = cluster.manager().acquire(ID, PATIENT.withMetadata(Map.of("by", "first")));
    LockManager other = cluster.manager();
    LockOptions options = LockOptions.defaults().withMetadata(Map.of("by", "second"));

    assertThat(other.tryAcquire(ID, options)).isEmpty();
    LockAcquisitionException refusal =
        catchThrowableOfType(LockAcquisitionException.class, () -> other.acquire(ID, options));

    assertThat(refusal).hasMessageStartingWith("Lock \"" + ID + "\" not acquired");
    assertThat(refusal.lockId()).isEqualTo(ID);
    assertThat(refusal.holder().map(LockInfo::token)).contains(lease.token());
    assertThat(found(ID).token()).isEqualTo(lease.token());
    assertThat(found(ID).metadata()).isEqualTo(Map.of("by", "first"));
  }

  @Test
  @GuardsAgainst(Pitfall.TAKEOVER_KEEPS_THE_TOKEN)
  void acquire_expired_takesOverWithANewTokenAndTheNewMetadata() throws Exception {
    Lease old = expiring(SOON_EXPIRED.withMetadata(Map.of("by", "first")));

    Lease lease = impatient().acquire(ID, PATIENT.withMetadata(Map.of("by", "second")));

    assertThat(lease.token()).isNotEqualTo(old.token());
    assertThat(lease.fencingToken()).isGreaterThan(old.fencingToken());
    assertThat(old.isHeld()).isFalse();
    assertThat(found(ID).token()).isEqualTo(lease.token());
    assertThat(found(ID).metadata()).isEqualTo(Map.of("by", "second"));
  }

  @Test
  void release_takenOverMeanwhile_doesNothingAndTheNewHoldersWorks() throws Exception {
    Lease old = expiring(SOON_EXPIRED);
    Lease lease = impatient().acquire(ID, PATIENT);

    assertThat(old.release()).isEqualTo(ReleaseResult.NOT_HELD);

    assertThat(found(ID).token()).isEqualTo(lease.token());
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(cluster.document(ID)).isEmpty();
  }

  @Test
  void find_expired_returnsItAndSaysSo() throws Exception {
    Lease old = expiring(SOON_EXPIRED);

    Poll.until("the record has expired", () -> found(ID).expired());

    assertThat(found(ID).token()).isEqualTo(old.token());
    assertThat(old.isHeld()).isFalse();
  }

  @Test
  void renew_held_movesExpiresAtForward() throws Exception {
    Lease lease = cluster.manager().acquire(ID);
    LockInfo before = found(ID);

    assertThat(lease.renew()).isTrue();

    LockInfo after = found(ID);
    assertThat(after.expiresAt()).isAfter(before.expiresAt());
    assertThat(after.createdAt()).isEqualTo(before.createdAt());
    assertThat(after.token()).isEqualTo(before.token());
    assertThat(before.version().isOlderThan(after.version())).isTrue();
  }

  @Test
  void renew_afterRelease_changesNothing() throws Exception {
    Lease lease = cluster.manager().acquire(ID);
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(lease.renew()).isFalse();
    assertThat(cluster.document(ID)).isEmpty();

    Lease successor = cluster.manager().acquire(ID);
    LockInfo before = found(ID);
    assertThat(lease.renew()).isFalse();
    assertThat(found(ID)).isEqualTo(before);
    assertThat(successor.isHeld()).isTrue();
  }

  @Test
  void acquire_timeAndAgain_hasAFreshTokenEachTime() throws Exception {
    LockManager locks = cluster.manager();
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      Lease lease = locks.acquire(ID);
      leases.add(lease);
      assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    }

    assertThat(leases).extracting(Lease::token).doesNotHaveDuplicates();
    assertThat(leases).extracting(Lease::fencingToken).isSorted().doesNotHaveDuplicates();
  }

  // --- With a body

  @Test
  void withLock_threeProcessesAtOnce_runsOneBodyAndRefusesTwo() throws Exception {
    assertOneOfThreeRuns(List.of(cluster.manager(), cluster.manager(), cluster.manager()));
  }

  @Test
  void withLock_threeThreadsAtOnce_runsOneBodyAndRefusesTwo() throws Exception {
    LockManager locks = cluster.manager();
    assertOneOfThreeRuns(List.of(locks, locks, locks));
  }

  private void assertOneOfThreeRuns(List<LockManager> managers) throws Exception {
    CountDownLatch refusals = new CountDownLatch(managers.size() - 1);
    AtomicInteger bodies = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(managers.size());
    List<Object> results = new ArrayList<>();
    try {
      List<Future<Object>> calls = new ArrayList<>();
      for (LockManager locks : managers) {
        calls.add(
            threads.submit(
                () -> {
                  try {
                    return locks.<String, RuntimeException>withLock(
                        ID,
                        () -> {
                          assertThat(refusals.await(30, TimeUnit.SECONDS)).isTrue();
                          return "result of body " + bodies.incrementAndGet();
                        });
                  } catch (LockAcquisitionException e) {
                    refusals.countDown();
                    return e;
                  }
                }));
      }
      for (Future<Object> call : calls) {
        results.add(call.get(60, TimeUnit.SECONDS));
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(results).filteredOn(String.class::isInstance).containsExactly("result of body 1");
    assertThat(results)
        .filteredOn(LockAcquisitionException.class::isInstance)
        .hasSize(2)
        .allSatisfy(
            refusal ->
                assertThat((LockAcquisitionException) refusal)
                    .hasMessageStartingWith("Lock \"" + ID + "\" not acquired"));
    assertThat(cluster.document(ID)).isEmpty();
  }

  @Test
  void withLock_bodyThrows_passesTheExceptionOnUnchangedAndFreesTheLock() {
    LockManager locks = cluster.manager();
    IOException failure = new IOException("disk full");

    assertThatThrownBy(
            () ->
                locks.<IOException>withLock(
                    ID,
                    () -> {
                      throw failure;
                    }))
        .isSameAs(failure);

    assertThat(failure.getSuppressed()).isEmpty();
    assertThat(cluster.document(ID)).isEmpty();
  }

  @Test
  void withLock_longBody_isExtendedAndItsResultArrives() throws Exception {
    LockManager locks = cluster.manager();
    LockManager other = cluster.manager();
    List<Instant> ends = new ArrayList<>();

    String result =
        locks.<String, RuntimeException>withLock(
            ID,
            PATIENT.withTtl(RENEWED_TTL),
            () -> {
              Instant first = expiresAt();
              Poll.until("the first TTL has passed", () -> Instant.now().isAfter(first));
              ends.addAll(List.of(first, expiresAt()));
              assertThat(other.tryAcquire(ID)).isEmpty();
              return "done";
            });

    assertThat(result).isEqualTo("done");
    assertThat(ends.get(1)).isAfter(ends.get(0));
    assertThat(cluster.document(ID)).isEmpty();
  }

  // --- Transient trouble

  @Test
  void acquire_three503ThenSuccess_acquiresWithinTheWait() throws Exception {
    HttpFront front = cluster.front();
    AtomicInteger refusals = new AtomicInteger();
    front.script(
        request -> refusals.incrementAndGet() <= 3 ? unavailable() : new HttpFront.Reply.Forward());
    LockManager locks = managerThrough(front);

    Lease lease = locks.acquire(ID, PATIENT);

    assertThat(lease.isHeld()).isTrue();
    assertThat(found(ID).token()).isEqualTo(lease.token());
    assertThat(refusals).hasValueGreaterThan(3);
  }

  @Test
  void acquire_three503ForWrites_acquiresWithinTheWait() throws Exception {
    HttpFront front = cluster.front();
    LockManager locks = managerThrough(front);
    assertThat(locks.acquire("another").isHeld()).isTrue();
    AtomicInteger refusals = new AtomicInteger();
    front.script(
        request ->
            request.isBulk() && refusals.incrementAndGet() <= 3
                ? unavailable()
                : new HttpFront.Reply.Forward());

    Lease lease = locks.acquire(ID, PATIENT);

    assertThat(lease.isHeld()).isTrue();
    assertThat(refusals).hasValueGreaterThan(3);
  }

  @Test
  void acquire_nothingBut503_saysUnavailable() {
    HttpFront front = cluster.front();
    front.script(request -> unavailable());
    LockManager locks = managerThrough(front);
    LockOptions brief = LockOptions.defaults().withWaitTimeout(Duration.ofMillis(300));

    for (LockOptions options : List.of(LockOptions.defaults(), brief)) {
      LockStoreUnavailableException failure =
          catchThrowableOfType(
              LockStoreUnavailableException.class, () -> locks.acquire(ID, options));
      assertThat(failure).hasMessageContaining(front.url()).hasMessageContaining("503");
      assertThat(failure.isRetryable()).isTrue();
      assertThat(failure.lockId()).isEqualTo(ID);
      assertThatThrownBy(() -> locks.tryAcquire(ID, options))
          .isInstanceOf(LockStoreUnavailableException.class);
      assertThatThrownBy(() -> locks.tryWithLock(ID, options, () -> {}))
          .isInstanceOf(LockStoreUnavailableException.class);
    }
  }

  @Test
  void acquire_heldByAnotherAndNothingBut503_saysUnavailableNotHeld() throws Exception {
    HttpFront front = cluster.front();
    LockManager locks = managerThrough(front);
    Lease lease = cluster.manager().acquire(ID);
    assertThat(locks.tryAcquire(ID)).isEmpty();
    front.script(request -> unavailable());

    assertThat(catchThrowable(() -> locks.tryAcquire(ID)))
        .isInstanceOf(LockStoreUnavailableException.class);
    assertThat(catchThrowable(() -> locks.find(ID)))
        .isInstanceOf(LockStoreUnavailableException.class);
    assertThat(catchThrowable(locks::list)).isInstanceOf(LockStoreUnavailableException.class);
    assertThat(lease.isHeld()).isTrue();
  }

  private static HttpFront.Reply unavailable() {
    return HttpFront.error(503, "unavailable_shards_exception", "primary shard is not active");
  }

  // --- The index

  @Test
  void index_made_expandsItsReplicas() throws Exception {
    assertThat(cluster.manager().acquire(ID).isHeld()).isTrue();

    assertThat(cluster.state().at("/settings/index/auto_expand_replicas").asText())
        .isEqualTo("0-2");
  }

  @Test
  void acquire_secondLock_doesNotTouchTheIndexAgain() throws Exception {
    HttpFront front = cluster.front();
    LockManager locks = managerThrough(front);
    assertThat(locks.acquire("first").isHeld()).isTrue();
    assertThat(front.requests(HttpFront.Request::isIndex)).isNotEmpty();
    front.forgetRequests();

    Lease lease = locks.acquire("second");
    assertThat(lease.renew()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);

    assertThat(front.requests(HttpFront.Request::isIndex)).isEmpty();
    assertThat(front.requests()).hasSize(3).allMatch(HttpFront.Request::isBulk);
  }

  @Test
  void acquire_wrongMapping_isAClearErrorThatDeletesNothingAndIsNotRemembered() throws Exception {
    LockManager locks = cluster.manager();
    String made =
        "{\"aliases\":{\"%s\":{},\"%s\":{}},\"mappings\":{\"properties\":{\"token\":{\"type\":\"text\"}}}}"
            .formatted(cluster.alias(), cluster.alias() + ".abc");
    cluster.ok("PUT", "/" + cluster.index(), made);
    cluster.writeDocument(ID, "{\"precious\":true}");

    for (int i = 0; i < 2; i++) {
      assertThat(refusal(locks))
          .hasMessageContaining("Index \"" + cluster.index() + "\" cannot be used for locks")
          .hasMessageContaining("mapping")
          .hasMessageContaining("When no lock is in use, delete it");
    }
    assertThat(cluster.document(ID)).isPresent();

    cluster.deleteIndex();
    assertThat(locks.acquire(ID).isHeld()).isTrue();
  }

  @Test
  @GuardsAgainst({Pitfall.FAILED_SETUP_IS_CACHED, Pitfall.REPAIR_DELETES_LIVE_LOCKS})
  void acquire_asyncDurability_isAClearErrorThatDeletesNothingAndIsNotRemembered()
      throws Exception {
    Lease lease = cluster.manager().acquire("another");
    setDurability("async");
    LockManager locks = cluster.manager();

    for (int i = 0; i < 2; i++) {
      assertThat(refusal(locks))
          .hasMessageContaining("index.translog.durability is async")
          .hasMessageContaining("Set it to request");
    }
    assertThat(cluster.document("another")).isPresent();
    assertThat(lease.renew()).isTrue();

    setDurability("request");
    assertThat(locks.acquire(ID).isHeld()).isTrue();
  }

  private void setDurability(String durability) {
    cluster.ok(
        "PUT",
        "/" + cluster.index() + "/_settings",
        "{\"index.translog.durability\":\"" + durability + "\"}");
  }

  private static LockStoreUnavailableException refusal(LockManager locks) {
    LockStoreUnavailableException refusal =
        catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire(ID));
    assertThat(refusal.isRetryable()).isFalse();
    assertThat(refusal).hasCauseInstanceOf(LockIndexException.class);
    return refusal;
  }

  // --- Words

  private LockManager managerThrough(HttpFront front) {
    return cluster.manager(cluster.closing(cluster.storeBuilder(front.url()).build()));
  }

  /** What is looked at together leaves in few requests; that it is, AcquiringTest sees. */
  @Test
  void wait_forManyLocks_asksForManyInOneRequest() throws Exception {
    int locks = 200;
    LockManager holder = cluster.manager();
    List<CompletableFuture<Lease>> held = new ArrayList<>();
    for (int i = 0; i < locks; i++) {
      held.add(holder.acquireAsync("lock-" + i, PATIENT));
    }
    for (CompletableFuture<Lease> each : held) {
      assertThat(each.get().isHeld()).isTrue();
    }
    HttpFront front = cluster.front();
    LockManager waiter = managerThrough(front);
    List<CompletableFuture<Lease>> waiting = new ArrayList<>();
    for (int i = 0; i < locks; i++) {
      waiting.add(waiter.acquireAsync("lock-" + i, PATIENT));
    }
    Poll.until("each was looked at a few times", () -> asked(front) > 5L * locks);
    front.forgetRequests();
    Poll.until("and a few times more", () -> asked(front) > 5L * locks);

    assertThat(waiting).noneMatch(CompletableFuture::isDone);
    assertThat(front.requests(HttpFront.Request::isBulk)).isEmpty();
    assertThat(2L * front.requests(HttpFront.Request::isMget).size()).isLessThan(asked(front));
    waiting.forEach(each -> each.cancel(false));
  }

  /** About how many locks. */
  private static long asked(HttpFront front) {
    return front.requests(HttpFront.Request::isMget).stream()
        .mapToLong(request -> request.body().split("\"_id\"", -1).length - 1)
        .sum();
  }

  /** Held by a manager that will not renew it. The index is made before, which takes longer. */
  private Lease expiring(LockOptions options) throws InterruptedException {
    LockManager locks = impatient();
    assertThat(locks.acquire("another", PATIENT).release()).isEqualTo(ReleaseResult.RELEASED);
    return locks.acquire(ID, options);
  }

  /** One whose clock is the others' clock. */
  private LockManager impatient() {
    return cluster.closing(
        LockManager.builder(cluster.store()).maxClockSkew(Duration.ofMillis(1)).build());
  }

  private LockInfo found(String lockId) {
    Optional<LockInfo> info = looker.find(lockId);
    assertThat(info).isPresent();
    return info.orElseThrow();
  }

  private Instant expiresAt() {
    return Objects.requireNonNull(found(ID).expiresAt());
  }
}
