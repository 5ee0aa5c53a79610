package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.READ;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The lock index is deleted, and perhaps re-created, while locks are held. */
class IndexRecreatedTest extends OnVirtualTime {
  private static final WriteResult GONE =
      new WriteResult.Rejected(new IncarnationGoneException(MEMORY));

  @Test
  void allLeases_areLostAtOnce_withTheFirstRenewalThatLearnsOfIt() {
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      leases.add(a.acquire("lock " + i));
    }
    CompletableFuture<LeaseLostException> loss = new CompletableFuture<>();
    leases.get(7).onLost(loss::complete);
    world.memory.recreate(0);
    a.store.clear();

    assertThat(world.time.runUntil(loss::isDone, seconds(10))).isTrue();

    assertThat(leases).noneMatch(Lease::isHeld);
    assertThat(a.store.requests()).as("one told for all").hasSize(1);
    assertThat(loss.join()).hasMessageContaining("index was deleted");
    world.time.settle();
    for (int i = 0; i < 20; i++) {
      assertThat(a.events.count("lost lock " + i)).isEqualTo(1);
    }
    leases.forEach(lease -> assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD));
    assertThat(a.store.count(DELETE)).isZero();
  }

  @Test
  void leaseInTheNewIncarnation_isNotLost_andItsTokenIsHigherByTheEra() {
    for (int i = 0; i < 10; i++) {
      a.acquire("other " + i).close();
    }
    Lease old = a.acquire("x");
    world.memory.recreate(1);
    Lease fresh = b.acquire("y");
    Lease successor = b.acquire("x");

    advance(seconds(11));

    assertThat(old.isHeld()).isFalse();
    assertThat(fresh.isHeld()).isTrue();
    assertThat(successor.isHeld()).isTrue();
    assertThat(successor.fencingToken().seqNo()).isLessThan(old.fencingToken().seqNo());
    assertThat(successor.fencingToken()).isGreaterThan(old.fencingToken());
    assertThat(old.release()).isEqualTo(ReleaseResult.NOT_HELD);
    fresh.close();
    successor.close();
  }

  @Test
  void release_intoAnotherIncarnation_saysNotHeld_andTouchesNobody() {
    Lease old = a.acquire("x");
    Lease other = a.acquire("y");
    world.memory.recreate(0);
    Lease successor = b.acquire("x");

    assertThat(old.release()).isEqualTo(ReleaseResult.NOT_HELD);

    assertThat(successor.isHeld()).isTrue();
    assertThat(other.isHeld()).as("the release learned of it, for all").isFalse();
    other.release();
    successor.close();
  }

  /** Another request of the manager learns of it first; the delete may have been applied before. */
  @Test
  void release_whoseDeleteIsOut_endsWhenAnotherLearnsOfTheDeletion_andIsNoLoss() {
    Lease lease = a.acquire("x");
    Lease other = a.acquire("y");
    a.store.next(DELETE, ScriptedStore.holdBack());
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    world.memory.recreate(0);

    assertThat(other.release()).isEqualTo(ReleaseResult.NOT_HELD);

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    lease.close();
    assertThat(a.events.count("lost x")).isZero();
  }

  /** It was held in the index that is gone, and nothing had been sent to give it back. */
  @Test
  void release_thatWaitsForARenewal_endsWhenAnotherLearnsOfTheDeletion_andIsALoss() {
    Lease lease = a.acquire("x");
    advance(seconds(5));
    Lease other = a.acquire("y");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(5)); // a renewal of the first is out
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    world.memory.recreate(0);

    assertThat(other.release()).isEqualTo(ReleaseResult.NOT_HELD);

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(a.store.count(DELETE)).as("of the other alone").isEqualTo(1);
    assertThatThrownBy(lease::close)
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.INDEX_REPLACED));
  }

  @Test
  void acquisition_thatMeetsTheDeletion_goesOnInTheNewIncarnation() {
    Lease old = a.acquire("held");
    world.recordIs(orphan("x"));
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(5));
    a.store.next(READ, ScriptedStore.answering(a.store.snapshot("x")));
    world.memory.recreate(0);

    advance(World.TTL);

    assertThat(old.isHeld()).isFalse();
    Lease lease = world.now(waiter);
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.fencingToken().seqNo()).as("numbers start over").isZero();
    lease.close();
    old.release();
  }

  @Test
  void takeOver_ofARecordWhoseIncarnationIsGone_isFollowedByACreate() {
    world.recordIs(orphan("x"));
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(1));
    a.store.next(
        REPLACE,
        request -> {
          world.memory.recreate(0);
          request.landAndAnswer();
        });

    advance(World.TTL);

    world.now(waiter).close();
    assertThat(a.events.count("unavailable x")).isZero();
  }

  @Test
  void waiter_survivesAnyNumberOfDeletions() {
    CompletableFuture<Lease> waiter;
    world.recordIs(orphan("x"));
    waiter = a.manager.acquireAsync("x", World.PATIENT);
    for (int i = 0; i < 5; i++) {
      a.store.next(REPLACE, ScriptedStore.answering(GONE));
    }
    advance(Duration.ofMinutes(5));

    world.now(waiter).close();
    assertThat(a.events.count("unavailable x")).isZero();
  }

  @Test
  void versions_ofDifferentIncarnations_neverCompare() {
    Version old = new Version(MEMORY, 9, 900);
    Version fresh = new Version(new Incarnation("memory-1", 1), 1, 0);

    assertThat(old.isComparableTo(fresh)).isFalse();
    assertThat(old.isOlderThan(fresh)).isFalse();
    assertThat(fresh.isOlderThan(old)).isFalse();
  }

  @Test
  void versions_ofOneIncarnation_compareByTermThenSequenceNumber() {
    Version low = new Version(MEMORY, 1, 9);
    assertThat(low.isOlderThan(new Version(MEMORY, 2, 0))).isTrue();
    assertThat(low.isOlderThan(new Version(MEMORY, 1, 10))).isTrue();
    assertThat(low.isOlderThan(low)).isFalse();
    assertThat(new Version(MEMORY, 2, 0).isOlderThan(low)).isFalse();
  }

  @Test
  void observation_ofTheOldIncarnation_doesNotExpireTheRecordOfTheNewOne() {
    World.Client wary = world.client("wary", m -> m.calendarTakeover(false));
    world.recordIs(orphan("x"));
    CompletableFuture<Lease> waiter = wary.manager.acquireAsync("x", World.PATIENT);
    advance(World.TTL.minus(seconds(1)));
    world.memory.recreate(0);
    world.recordIs(orphan("x"));

    advance(World.TTL.minus(seconds(1)));
    assertThat(waiter).as("the numbers are the same, the record is another").isNotDone();
    advance(seconds(2));
    world.now(waiter).close();
  }

  @Test
  void renewal_whoseReadShowsAnotherIncarnation_isTriedAgain() {
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.unclear())
        .next(READ, ScriptedStore.answering(new ReadResult.Absent(null)));

    advance(seconds(10));

    assertThat(lease.isHeld()).as("a node that is behind told of no index").isTrue();
    assertThat(a.events.count("lost x")).isZero();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void renewal_whoseReadAndWriteSayThatTheIndexIsGone_isALoss() {
    Lease lease = a.acquire("x");
    a.store
        .next(REPLACE, ScriptedStore.unclear())
        .next(
            READ,
            request -> {
              world.memory.recreate(0);
              request.landAndAnswer();
            });

    advance(seconds(10));

    assertThat(lease.isHeld()).isFalse();
    assertThat(a.events.count("lost x")).isEqualTo(1);
    lease.release();
    advance(seconds(1));
  }

  @Test
  void release_whoseReadShowsAnotherIncarnation_isTriedAgain() {
    Lease lease = a.acquire("x");
    a.store
        .next(DELETE, ScriptedStore.answering(new WriteResult.Conflict()))
        .next(READ, ScriptedStore.answering(new ReadResult.Absent(null)));
    CompletableFuture<ReleaseResult> released = lease.releaseAsync();

    advance(seconds(1));

    assertThat(world.now(released)).isEqualTo(ReleaseResult.RELEASED);
    assertThat(a.store.count(DELETE)).isEqualTo(2);
    world.now(b.manager.acquireAsync("x", World.PATIENT)).close();
  }

  @Test
  void forceRelease_whileTheIndexIsDeleted_countsAsDone() {
    Lease lease = a.acquire("x");
    a.store.next(
        DELETE,
        request -> {
          world.memory.recreate(0);
          request.landAndAnswer();
        });

    assertThat(a.manager.forceRelease("x")).isTrue();
    assertThat(lease.isHeld()).isFalse();
    lease.release();
  }
}
