package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.LeaderElection;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;

/** Locks of java.util.concurrent, permits and leaders on real nodes. */
class LockFormsIT extends ClusterTest {
  private final LockManager one = cluster.manager();
  private final LockManager two = cluster.manager();

  LockFormsIT(ElasticsearchVersion version) {
    super(version);
  }

  @Test
  @SuppressWarnings("LockNotBeforeTry") // A test that fails may leave its lock behind.
  void lock_excludesAnotherProcess() throws Exception {
    Lock lock = one.asLock("x", PATIENT);
    Lock other = two.asLock("x", PATIENT);
    lock.lock();
    assertThat(lock.tryLock()).as("nested").isTrue();
    assertThat(other.tryLock()).isFalse();
    lock.unlock();
    assertThat(other.tryLock(1, TimeUnit.MILLISECONDS)).isFalse();

    lock.unlock();

    assertThat(other.tryLock(30, TimeUnit.SECONDS)).isTrue();
    other.unlock();
    assertThat(cluster.document("x")).isEmpty();
  }

  @Test
  void permits_areGrantedToAsManyAsThereAre() throws Exception {
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      leases.add(one.tryAcquirePermit("p", 3, PATIENT).orElseThrow());
    }
    assertThat(leases).extracting(Lease::lockId).containsExactlyInAnyOrder("p#0", "p#1", "p#2");
    assertThat(two.tryAcquirePermit("p", 3, LockOptions.defaults())).isEmpty();

    var waiting = two.tryAcquirePermitAsync("p", 3, PATIENT);
    leases.get(1).close();

    try (Lease lease = waiting.get(30, TimeUnit.SECONDS).orElseThrow()) {
      assertThat(lease.lockId()).isEqualTo(leases.get(1).lockId());
    }
    leases.get(0).close();
    leases.get(2).close();
  }

  @Test
  void leader_thatStepsDown_isFollowedByTheOther() {
    List<String> log = new CopyOnWriteArrayList<>();
    LeaderElection first = election(one, "one", log);
    LeaderElection second = election(two, "two", log);
    first.start();
    // Not just isLeader: a term that ends before its body has begun runs none.
    Poll.until("one leads", () -> Collections.frequency(log, "one elected") == 1);
    assertThat(first.isLeader()).isTrue();
    second.start();
    assertThat(second.leader()).isPresent();

    first.stepDown();
    Poll.until("two leads", () -> log.contains("two elected"));
    assertThat(second.isLeader()).isTrue();
    second.close();

    Poll.until("one leads again", () -> Collections.frequency(log, "one elected") == 2);
    first.close();
    assertThat(log)
        .containsExactly(
            "one elected",
            "one revoked",
            "two elected",
            "two revoked",
            "one elected",
            "one revoked");
    assertThat(cluster.document("leader")).isEmpty();
  }

  private static LeaderElection election(LockManager locks, String name, List<String> log) {
    return LeaderElection.builder(locks, "leader")
        .onElected(
            lease -> {
              log.add(name + " elected");
              Thread.sleep(TimeUnit.MINUTES.toMillis(10));
            })
        .onRevoked(() -> log.add(name + " revoked"))
        .build();
  }
}
