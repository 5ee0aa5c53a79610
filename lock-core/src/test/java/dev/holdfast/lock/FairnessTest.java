package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A process that wants a lock all the time leaves it to others now and then. */
class FairnessTest extends OnVirtualTime {
  private static final Duration BODY = Duration.ofMillis(10);
  private static final int BUSY_TASKS = 4;

  /**
   * The run of the busy process, the body that is under way when it ends, and its rest, within
   * which whoever waits elsewhere looks: the longest pause between two looks is shorter. On this
   * store requests take no time.
   */
  private static final Duration BOUND =
      LockQueue.MAX_RUN.plus(BODY).plus(LockQueue.REST).plusMillis(1);

  private boolean over;
  private int bodies;

  @Test
  void waiter_besideABusyProcess_waitsNoLongerThanARunAndARest() {
    busy();
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
    assertThat(bodies).as("the busy one was busy").isGreaterThan(1_000);
  }

  @Test
  void busyProcess_whenNobodyElseWaits_losesLittle() {
    busy();
    advance(seconds(60));
    int done = bodies;
    over = true;
    advance(seconds(5));

    long possible = Duration.ofSeconds(60).dividedBy(BODY);
    assertThat(done).isGreaterThan((int) (possible * 9 / 10));
  }

  private void busy() {
    for (int i = 0; i < BUSY_TASKS; i++) {
      next();
    }
  }

  private void next() {
    if (over) {
      return;
    }
    var unused =
        a.manager
            .acquireAsync("x", World.PATIENT)
            .thenAccept(
                lease -> {
                  bodies++;
                  Scheduler.Timer unusedTimer =
                      a.machine.schedule(
                          () -> {
                            var unusedResult = lease.releaseAsync();
                            next();
                          },
                          BODY.toNanos());
                });
  }
}
