package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import java.time.Duration;

/**
 * The lock lingers. A call for it comes while its session is given back, because another lock
 * begins to linger and there is room for one.
 */
public final class LingerRace implements Race {
  private static final LockOptions LINGERING =
      RaceManager.PATIENT.withLinger(Duration.ofMinutes(1));

  private final RaceManager locks = new RaceManager(1);
  private final LeaseHandle other = RaceManager.lease(locks.acquire("other", LINGERING));
  private final Acquisition next;

  /** The lock lingers. */
  public LingerRace() {
    RaceManager.release(RaceManager.lease(locks.acquire(LINGERING)));
    next = locks.call(LINGERING);
  }

  @Override
  public void first() {
    locks.submit(next);
  }

  @Override
  public void second() {
    RaceManager.release(other);
  }

  @Override
  public String verdict() {
    if (!next.isGranted()) {
      return BROKEN + "the call was not granted";
    }
    LeaseHandle lease = RaceManager.lease(next);
    if (!lease.isHeld() || locks.record() == null) {
      return BROKEN + "the holder lost the lock";
    }
    return lease.token().contains("#") ? "resumed" : "acquired again";
  }
}
