package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.time.Duration;

/**
 * One thread looks at a lease with clocks that say that it is over, another with clocks that do
 * not: as when a clock jumps ahead and is set back.
 */
public final class LossRace implements Race {
  private static final Duration OVER = Duration.ofHours(1);

  private final RaceManager locks = new RaceManager();
  private final LeaseHandle lease = RaceManager.lease(locks.acquire(RaceManager.PATIENT));
  private boolean lost;
  private boolean heldAtFirst;
  private boolean heldThen;

  @Override
  public void first() {
    locks.ahead(OVER, () -> lost = !lease.isHeld());
  }

  @Override
  public void second() {
    heldAtFirst = lease.isHeld();
    heldThen = !lease.remaining().isZero();
  }

  @Override
  public String verdict() {
    if (!lost) {
      return BROKEN + "a lease that is over is held";
    }
    if ((!heldAtFirst && heldThen) || lease.isHeld()) {
      return BROKEN + "a lost lease is held again";
    }
    return heldThen ? "seen before it" : heldAtFirst ? "seen before and after it" : "seen after it";
  }
}
