package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.time.Duration;

/** One thread finds that the lock was held for too long, another allows it for longer. */
public final class HoldLimitsRace implements Race {
  private static final Duration MAX_HOLD = Duration.ofSeconds(1);
  private static final Duration LATER = Duration.ofSeconds(5);

  private final RaceManager locks = new RaceManager();
  private final LeaseHandle lease =
      RaceManager.lease(locks.acquire(RaceManager.PATIENT.withMaxHold(MAX_HOLD)));
  private boolean lost;
  private boolean replaced;

  @Override
  public void first() {
    locks.ahead(LATER, () -> lost = !lease.isHeld());
  }

  @Override
  public void second() {
    replaced = lease.limitHold(Duration.ZERO, Duration.ofMinutes(1));
  }

  @Override
  public String verdict() {
    boolean held = lease.isHeld();
    if (lost && held) {
      return BROKEN + "a lost lease is held again";
    }
    if (lost && replaced) {
      return BROKEN + "the limits of a lost lease were replaced: a lost lease is held again";
    }
    if (!lost && !(held && replaced)) {
      return BROKEN + "a lease that was not lost is not held";
    }
    return lost ? "lost" : "held for longer";
  }
}
