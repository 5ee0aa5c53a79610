package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.LIST;
import static dev.holdfast.lock.ScriptedStore.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What operators see of locks, and what they do about them. */
class OperatorsTest extends OnVirtualTime {

  // --- find

  @Test
  void find_ofALockThatNobodyHolds_isEmpty() {
    assertThat(a.manager.find("x")).isEmpty();
  }

  @Test
  void find_ofAHeldLock_saysWhoHoldsIt_sinceWhen_untilWhen_andWhy() {
    LockOptions options = World.ONE_ATTEMPT.withMetadata(Map.of("why", "a test"));
    Lease lease = b.acquire("x", options);

    assertThat(a.manager.find("x"))
        .hasValueSatisfying(
            info -> {
              assertThat(info.lockId()).isEqualTo("x");
              assertThat(info.token()).isEqualTo(lease.token());
              assertThat(info.owner()).isEqualTo("B");
              assertThat(info.createdAt()).isEqualTo(VirtualTime.EPOCH);
              assertThat(info.expiresAt()).isEqualTo(VirtualTime.EPOCH.plus(World.TTL));
              assertThat(info.ttl()).isEqualTo(World.TTL);
              assertThat(info.metadata()).containsExactlyEntriesOf(Map.of("why", "a test"));
              assertThat(info.expired()).isFalse();
              assertThat(info.version()).isEqualTo(b.store.found("x").version());
            });
    lease.close();
  }

  @Test
  void find_ofAnExpiredRecord_showsIt_andSaysSo() {
    world.recordIs(orphan("x"));
    advance(World.TTL.plus(MILLI));

    assertThat(a.manager.find("x")).hasValueSatisfying(info -> assertThat(info.expired()).isTrue());
  }

  @Test
  void find_whenTheStoreDoesNotAnswerOrRefuses_saysWhich() {
    a.store.next(READ, ScriptedStore.unclear());
    assertThatThrownBy(() -> a.manager.find("x"))
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isTrue())
        .hasMessageContaining("\"x\"");

    a.store.next(
        READ,
        ScriptedStore.answering(new ReadResult.Rejected(new IllegalStateException("forbidden"))));
    assertThatThrownBy(() -> a.manager.find("x"))
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isFalse())
        .hasMessageContaining("forbidden");
  }

  // --- list

  @Test
  void list_hasTheLocksOfAllProcesses_alsoExpiredOnes() {
    Lease x = a.acquire("x");
    Lease y = b.acquire("y");
    world.recordIs(orphan("z"));
    advance(World.TTL.plus(MILLI));

    assertThat(a.manager.list())
        .extracting(LockInfo::lockId, LockInfo::owner, LockInfo::expired)
        .containsExactlyInAnyOrder(
            tuple("x", "A", false), tuple("y", "B", false), tuple("z", "crashed", true));
    x.close();
    y.close();
  }

  @Test
  void list_whenTheStoreDoesNotAnswerOrRefuses_saysWhich() {
    a.store.next(LIST, ScriptedStore.unclear());
    assertThatThrownBy(() -> a.manager.list())
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isTrue());

    a.store.next(
        LIST,
        ScriptedStore.answering(new ListResult.Rejected(new IllegalStateException("too many"))));
    assertThatThrownBy(() -> a.manager.list())
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isFalse())
        .hasMessageContaining("too many");
  }

  // --- forceRelease

  @Test
  void forceRelease_ofALockThatNobodyHolds_saysSo() {
    assertThat(a.manager.forceRelease("x")).isFalse();
    assertThat(a.store.count(DELETE)).isZero();
  }

  @Test
  void forceRelease_freesTheLockForOthers_andTheHolderLearnsOfItAtItsNextRenewal() {
    Lease lease = b.acquire("x");

    assertThat(a.manager.forceRelease("x")).isTrue();

    assertThat(a.store.isFree("x")).isTrue();
    assertThat(lease.isHeld()).as("until it learns of it").isTrue();
    advance(World.TTL.dividedBy(3));
    assertThat(lease.isHeld()).isFalse();
    assertThat(b.events.count("lost x")).isEqualTo(1);
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
  }

  @Test
  void forceRelease_ofALockThatIsHeldHere_isToldToItsHolderAtOnce() {
    Lease lease = a.acquire("x");

    assertThat(a.manager.forceRelease("x")).isTrue();
    world.time.settle();

    assertThat(lease.isHeld()).isFalse();
    assertThat(a.events.count("lost x")).isEqualTo(1);
  }

  @Test
  void forceRelease_whoseAnswerIsLost_findsTheRecordGone_andCountsThatAsDone() {
    Lease lease = b.acquire("x");
    a.store.next(DELETE, ScriptedStore.landsButUnclear());

    assertThat(a.manager.forceRelease("x")).isTrue();

    assertThat(a.store.isFree("x")).isTrue();
    advance(World.TTL.dividedBy(3));
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void forceRelease_ofARecordThatIsRenewedMeanwhile_triesAgainWithTheNewVersion() {
    Lease lease = b.acquire("x");
    a.store.next(
        DELETE,
        request -> {
          advance(World.TTL.dividedBy(3));
          request.landAndAnswer();
        });

    assertThat(a.manager.forceRelease("x")).isTrue();

    assertThat(a.store.count(DELETE)).isEqualTo(2);
    assertThat(a.store.isFree("x")).isTrue();
    advance(World.TTL.dividedBy(3));
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void forceRelease_ofARecordThatKeepsChanging_givesUpAndSaysSo() {
    Lease lease = b.acquire("x");
    a.store.always(DELETE, ScriptedStore.answering(new WriteResult.Conflict()));

    assertThatThrownBy(() -> a.manager.forceRelease("x"))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContaining("keeps changing");

    assertThat(lease.isHeld()).isTrue();
    lease.close();
  }

  @Test
  void forceRelease_thatIsRefused_saysSo_andChangesNothing() {
    Lease lease = b.acquire("x");
    a.store.next(
        DELETE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));

    assertThatThrownBy(() -> a.manager.forceRelease("x"))
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isFalse())
        .hasMessageContaining("forbidden");

    assertThat(lease.isHeld()).isTrue();
    lease.close();
  }

  // --- forceRelease of one token

  private String token(String lockId) {
    return a.manager.find(lockId).orElseThrow().token();
  }

  @Test
  void forceReleaseOfAToken_thatHoldsTheLock_freesIt_alsoIfItIsRenewedMeanwhile() {
    Lease lease = b.acquire("x");
    a.store.next(
        DELETE,
        request -> {
          advance(World.TTL.dividedBy(3));
          request.landAndAnswer();
        });

    assertThat(a.manager.forceRelease("x", token("x"))).isTrue();

    assertThat(a.store.count(DELETE)).isEqualTo(2);
    assertThat(a.store.isFree("x")).isTrue();
    advance(World.TTL.dividedBy(3));
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void forceReleaseOfAToken_thatNobodyHas_changesNothing() {
    assertThat(a.manager.forceRelease("x", "t")).isFalse();
    Lease lease = b.acquire("x");

    assertThat(a.manager.forceRelease("x", "t")).isFalse();

    assertThat(a.store.count(DELETE)).isZero();
    advance(World.TTL);
    assertThat(lease.isHeld()).isTrue();
    lease.close();
  }

  /** Between the read and the delete: the delete is of the version that was read. */
  @Test
  void forceReleaseOfAToken_whoseLockChangesHandsMeanwhile_leavesTheSuccessorAlone() {
    Lease first = b.acquire("x");
    List<Lease> second = new ArrayList<>();
    a.store.next(
        DELETE,
        request -> {
          first.close();
          second.add(b.acquire("x"));
          request.landAndAnswer();
        });

    assertThat(a.manager.forceRelease("x", token("x"))).isFalse();

    assertThat(a.store.count(DELETE)).isEqualTo(1);
    advance(World.TTL);
    assertThat(second.get(0).isHeld()).isTrue();
    second.get(0).close();
  }

  @Test
  void forceReleaseOfAToken_whoseAnswerIsLost_countsAsDone_alsoIfAnotherHasTheLockByThen() {
    Lease first = b.acquire("x");
    String token = token("x");
    List<Lease> second = new ArrayList<>();
    a.store.next(
        DELETE,
        request -> {
          request.land();
          // It learns of it, so that its process acquires the lock again.
          advance(World.TTL.dividedBy(3));
          second.add(b.acquire("x"));
          request.answerUnclear();
        });

    assertThat(a.manager.forceRelease("x", token)).isTrue();

    assertThat(first.isHeld()).isFalse();
    advance(World.TTL);
    assertThat(second.get(0).isHeld()).isTrue();
    second.get(0).close();
  }
}
