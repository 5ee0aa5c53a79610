package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;

/** The last holder releases, so that the queue is disposed of, while a call comes. */
public final class QueueDisposalRace implements Race {
  private final RaceManager locks = new RaceManager();
  private final LeaseHandle last = RaceManager.lease(locks.acquire(RaceManager.PATIENT));
  private final Acquisition next = locks.call(RaceManager.PATIENT);

  @Override
  public void first() {
    RaceManager.release(last);
  }

  @Override
  public void second() {
    locks.submit(next);
  }

  @Override
  public String verdict() {
    if (!next.isGranted()) {
      return BROKEN + "the call was not granted";
    }
    if (locks.queue() != next.queue()) {
      return BROKEN + "the lock is held in a queue that the manager does not know";
    }
    LeaseHandle lease = RaceManager.lease(next);
    boolean handedOff = lease.token().contains("#");
    RaceManager.release(lease);
    if (locks.manager.stats().locks() != 0 || locks.record() != null) {
      return BROKEN + "a queue or a record is left";
    }
    return handedOff ? "handed off" : "acquired again";
  }
}
