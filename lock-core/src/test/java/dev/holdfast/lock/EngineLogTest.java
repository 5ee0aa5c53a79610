package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import dev.holdfast.lock.elasticsearch.LogCapture;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the log says of a lock's life: with it, an incident is understood afterwards. */
class EngineLogTest extends OnVirtualTime {
  private static final LockOptions LINGERING = World.ONE_ATTEMPT.withLinger(Duration.ofSeconds(5));

  private final LogCapture log = LogCapture.of("dev.holdfast.lock", Level.DEBUG);

  @AfterEach
  void stopCapturing() {
    log.close();
  }

  private void assertLogged(String level, String text) {
    world.time.settle();
    assertThat(log.lines())
        .anySatisfy(line -> assertThat(line).startsWith(level).contains("\"x\"").contains(text));
  }

  @Test
  void grantRenewalAndRelease_areLoggedForDebugging() {
    Lease lease = a.acquire("x");
    assertLogged("DEBUG", "acquired, token " + lease.token());
    advance(seconds(11));
    assertLogged("DEBUG", "renewed, token " + lease.token());
    lease.close();
    assertLogged("DEBUG", "released, token " + lease.token());
    assertThat(log.lines()).allMatch(line -> line.startsWith("DEBUG"));
  }

  @Test
  void contention_isLoggedForDebugging_andATakeoverForOperators() {
    world.recordIs(orphan("x"));
    assertThat(a.canAcquire("x")).isFalse();
    assertLogged("DEBUG", "not acquired");
    CompletableFuture<Lease> waiter = a.manager.acquireAsync("x", World.PATIENT);
    advance(World.TTL.plus(seconds(1)));

    world.now(waiter).close();
    assertLogged("DEBUG", "taking over from crashed");
    assertLogged("INFO", "taken over from crashed (token orphan)");
  }

  @Test
  void renewalThatFails_andTheLoss_areWarnings() {
    Lease lease = a.acquire("x");
    lease.onLost(
        loss -> {
          throw new IllegalStateException("of the user");
        });
    a.store.goDown();
    advance(World.TTL);

    assertLogged("WARN", "renewal failed, token " + lease.token());
    assertLogged("WARN", "lease lost, token " + lease.token());
    assertThat(log.lines())
        .anySatisfy(
            line -> assertThat(line).contains("callback for the loss").contains("of the user"));
    a.store.heal();
    lease.release();
    assertLogged("DEBUG", "tracking token " + lease.token());
    advance(seconds(60));
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void leaseWhoseIndexIsDeleted_isAnError() {
    Lease lease = a.acquire("x");
    world.memory.recreate(0);
    advance(seconds(11));

    assertLogged("ERROR", "lost while it was held, token " + lease.token());
    lease.release();
  }

  @Test
  void lossThatOnlyTheReleaseShows_isAnError() {
    Lease lease = a.acquire("x");
    a.store.next(REPLACE, ScriptedStore.holdBack());
    advance(seconds(10));
    CompletableFuture<ReleaseResult> release = lease.releaseAsync();
    assertThat(world.memory.delete("x", a.store.found("x").version())).isCompleted();
    a.store.last(REPLACE).landAndAnswer();
    advance(seconds(1));

    assertThat(world.now(release)).isEqualTo(ReleaseResult.NOT_HELD);
    assertLogged("ERROR", "as its release shows");
    assertLogged("WARN", "release ended NOT_HELD, token " + lease.token());
  }

  @Test
  void releaseThatIsRejected_isAWarning_andWhatItLeftIsDeletedLater() {
    Lease lease = a.acquire("x");
    a.store.next(
        DELETE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("403"))));
    assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);

    assertLogged("WARN", "the store rejected its release");
    assertLogged("WARN", "release ended UNCONFIRMED");
    advance(seconds(30));
    assertLogged("DEBUG", "deleted a record left over");
  }

  @Test
  void sessionThatLingers_isGivenBackOrLostForDebuggingOnly() {
    a.acquire("x", LINGERING).close();
    advance(seconds(6));
    assertLogged("DEBUG", "given back without a holder");

    Lease second = a.acquire("x", LINGERING);
    second.close();
    a.machine.suspend();
    advance(World.TTL);
    a.machine.resume();
    advance(seconds(2));
    assertLogged("DEBUG", "lost without a holder, token " + second.token());
    assertThat(log.lines()).noneMatch(line -> line.startsWith("WARN"));
  }

  @Test
  void callThatIsAbandoned_isLoggedForDebugging_andWhatItWasGranted() {
    a.store.next(CREATE, ScriptedStore.holdBack());
    CompletableFuture<Lease> call = a.manager.acquireAsync("x", World.PATIENT);
    call.cancel(false);
    assertLogged("DEBUG", "acquisition abandoned");
    a.store.last(CREATE).landAndAnswer();
    assertLogged("DEBUG", "after its caller had gone");
    advance(seconds(1));
  }

  @Test
  void storeThatDoesNotAnswer_isAWarning() {
    a.store.goDown();
    CompletableFuture<Lease> call = a.manager.acquireAsync("x", World.ONE_ATTEMPT);
    advance(seconds(20));
    assertThat(a.failure(call)).isInstanceOf(LockStoreUnavailableException.class);

    assertLogged("WARN", "not acquired. ");
  }

  @Test
  void storeThatThrows_isAnError() {
    a.store.next(CREATE, ScriptedStore.throwing(new IllegalStateException("of the store")));
    CompletableFuture<Lease> call = a.manager.acquireAsync("x", World.PATIENT);
    advance(seconds(20));
    world.now(call).close();

    assertThat(log.lines())
        .anySatisfy(
            line -> assertThat(line).startsWith("ERROR").contains("threw instead of answering"));
  }

  @Test
  void fairnessPause_isLoggedForDebugging() {
    List<Lease> leases = new ArrayList<>();
    long end = a.machine.nanos() + LocalTenure.MAX_LOCAL_TENURE.toNanos();
    CompletableFuture<Lease> next = a.manager.acquireAsync("x", World.PATIENT);
    while (a.machine.nanos() - end < 0) {
      Lease held = world.now(next);
      leases.add(held);
      next = a.manager.acquireAsync("x", World.PATIENT);
      advance(Duration.ofMillis(100));
      held.close();
    }
    assertThat(next).as("left to others for a while").isNotDone();
    assertLogged("DEBUG", "left alone for");
    advance(seconds(1));
    world.now(next).close();
    assertThat(leases).hasSizeGreaterThan(2);
  }

  @Test
  void releaseByForce_isAWarning() {
    Lease lease = a.acquire("x");
    assertThat(a.manager.forceRelease("x")).isTrue();

    assertLogged("WARN", "released by force; it was held by A, token " + lease.token());
    lease.release();
  }
}
