package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process that wants a lock all the time leaves it to others now and then. */
class FairnessTest extends OnVirtualTime {
  private static final Duration BODY = Duration.ofMillis(10);
  private static final int BUSY_TASKS = 4;

  /**
   * The run of the busy process, the body that is under way when it ends, and its rest, within
   * which a process that waits elsewhere polls: the longest pause between two looks is shorter. On
   * this store requests take no time.
   */
  private static final Duration BOUND =
      LocalTenure.MAX_LOCAL_TENURE.plus(BODY).plus(LocalTenure.MIN_PAUSE).plusMillis(1);

  private boolean over;
  private final Map<World.Client, Integer> bodies = new HashMap<>();

  @Test
  void waiter_besideABusyProcess_waitsNoLongerThanARunAndARest() {
    busy(a);
    Duration longest = Duration.ZERO;
    for (int i = 0; i < 20; i++) {
      // At different moments of the other's run.
      advance(Duration.ofMillis(137L * i));
      long asked = b.machine.nanos();
      CompletableFuture<Lease> waiter = b.manager.acquireAsync("x", World.PATIENT);
      assertThat(world.time.runUntil(waiter::isDone, BOUND)).as("within %s", BOUND).isTrue();
      Duration waited = Duration.ofNanos(b.machine.nanos() - asked);
      longest = waited.compareTo(longest) > 0 ? waited : longest;
      world.now(waiter).close();
    }
    over = true;
    advance(seconds(5));

    assertThat(longest).as("there was something to wait for").isGreaterThan(BODY.multipliedBy(3));
    assertThat(done(a)).as("the busy one was busy").isGreaterThan(1_000);
  }

  @Test
  void busyProcess_whenNobodyElseWaits_losesLittle() {
    busy(a);
    advance(seconds(60));
    int done = done(a);
    over = true;
    advance(seconds(5));

    long possible = Duration.ofSeconds(60).dividedBy(BODY);
    assertThat(done).isGreaterThan((int) (possible * 9 / 10));
  }

  /** Jain, Chiu and Hawe, DEC-TR-301: 0.5 where one of two has all. */
  @Test
  void busyProcesses_oneBesideAnother_shareEachSecond() {
    busy(a);
    busy(b);
    // Until they have met: a run of one that knows of nobody, and the other's first.
    advance(LocalTenure.MAX_LOCAL_TENURE.multipliedBy(3));
    double sum = 0;
    int seconds = 30;
    for (int i = 0; i < seconds; i++) {
      double before = done(a);
      double beforeToo = done(b);
      advance(seconds(1));
      double ofA = done(a) - before;
      double ofB = done(b) - beforeToo;
      sum += (ofA + ofB) * (ofA + ofB) / (2 * (ofA * ofA + ofB * ofB));
    }
    over = true;
    advance(seconds(5));

    assertThat(sum / seconds).isGreaterThan(0.9);
  }

  /** How soon a lock is granted that another process releases. */
  @ParameterizedTest
  @ValueSource(longs = {5, 10, 104, 2_000})
  void waiter_isGrantedAFreeLock_withinTheLongestPoll(long maxPollMillis) {
    Duration maxPoll = Duration.ofMillis(maxPollMillis);
    World.Client c = world.client("C", builder -> builder.maxPollInterval(maxPoll));
    Duration longest = Duration.ZERO;
    for (int i = 0; i < 20; i++) {
      Lease held = a.acquire("x");
      CompletableFuture<Lease> waiter = c.manager.acquireAsync("x", World.PATIENT);
      // Past the first, short polls, and at different moments of the long ones.
      advance(maxPoll.multipliedBy(10).plus(maxPoll.dividedBy(7).multipliedBy(i)));
      c.store.clear();
      Duration watched = maxPoll.multipliedBy(20);
      advance(watched);
      assertThat(c.store.count(ScriptedStore.READ)).as("reads in %s", watched).isBetween(15, 32);
      long released = c.machine.nanos();
      held.close();
      assertThat(world.time.runUntil(waiter::isDone, maxPoll.multipliedBy(2))).isTrue();
      Duration waited = Duration.ofNanos(c.machine.nanos() - released);
      longest = waited.compareTo(longest) > 0 ? waited : longest;
      world.now(waiter).close();
    }
    assertThat(longest).isBetween(maxPoll.dividedBy(3), maxPoll.multipliedBy(112).dividedBy(100));
  }

  private int done(World.Client process) {
    return bodies.getOrDefault(process, 0);
  }

  private void busy(World.Client process) {
    for (int i = 0; i < BUSY_TASKS; i++) {
      next(process);
    }
  }

  private void next(World.Client process) {
    if (over) {
      return;
    }
    var unused =
        process
            .manager
            .acquireAsync("x", World.PATIENT)
            .thenAccept(
                lease -> {
                  bodies.merge(process, 1, Integer::sum);
                  Scheduler.Timer unusedTimer =
                      process.machine.schedule(
                          () -> {
                            var unusedResult = lease.releaseAsync();
                            next(process);
                          },
                          BODY.toNanos());
                });
  }
}
