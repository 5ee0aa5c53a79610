package dev.holdfast.chaos.threads;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;

/** Interrupts callers, closes managers and cuts processes off, at random times, during a round. */
final class Disturber implements Runnable {
  private static final int MEAN_MILLIS_BETWEEN_INTERRUPTS = 8;

  /** One in so many steps of the above closes a manager, or cuts one off. */
  private static final int STEPS_PER_CLOSE = 60;

  private static final int STEPS_PER_CUT = 25;

  private final ThreadsRound round;
  private final List<RandomCaller> callers;
  private final ExecutorService closers;
  private final SplittableRandom random;

  Disturber(ThreadsRound round, List<RandomCaller> callers, ExecutorService closers) {
    this.round = round;
    this.callers = callers;
    this.closers = closers;
    this.random = new SplittableRandom(-round.plan.seed());
  }

  @Override
  public void run() {
    try {
      while (!round.isOver()) {
        Thread.sleep(random.nextInt(2 * MEAN_MILLIS_BETWEEN_INTERRUPTS));
        callers.get(random.nextInt(callers.size())).interrupt();
        if (random.nextInt(STEPS_PER_CLOSE) == 0) {
          close();
        }
        if (round.plan.faults().severed() && random.nextInt(STEPS_PER_CUT) == 0) {
          cut();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      round.findings.add(Requirement.NAMED_EXCEPTIONS, "the disturber ended", e);
    }
  }

  /** Another process takes the place of one that is closed, in one of the ways to do that. */
  private void close() {
    LockProcess closed = round.replace(random);
    int ways = random.nextInt(3);
    if (ways == 0) {
      closed.closeAsync();
    }
    for (int i = 0; i < ways; i++) {
      closers.execute(() -> round.close(closed));
    }
  }

  /** For less time than a lease lasts, or for more. */
  private void cut() {
    LockProcess process = round.process(random);
    long ttl = round.plan.ttl().toMillis();
    process.store.sever(true);
    round.later(
        () -> process.store.sever(false), Duration.ofMillis(ttl / 4 + random.nextLong(2 * ttl)));
  }
}
