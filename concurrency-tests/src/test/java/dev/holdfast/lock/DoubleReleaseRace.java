package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;

/** Two threads release the same lease while a call waits for the lock. */
public final class DoubleReleaseRace implements Race {
  private final RaceManager locks = new RaceManager();
  private final LeaseHandle lease = RaceManager.lease(locks.acquire(RaceManager.PATIENT));
  private final Acquisition waiting = locks.acquire(RaceManager.PATIENT);

  @Override
  public void first() {
    RaceManager.release(lease);
  }

  @Override
  public void second() {
    RaceManager.release(lease);
  }

  @Override
  public String verdict() {
    if (!waiting.isGranted()) {
      return BROKEN + "the waiting call has no lease";
    }
    return RaceManager.lease(waiting).isHeld() && locks.record() != null
        ? "the successor has the lock"
        : BROKEN + "the successor lost the lock";
  }
}
