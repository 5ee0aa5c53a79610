package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;

/** A lease is released, and the lock handed off, while another thread looks at both leases. */
public final class HandoffRace implements Race {
  private final RaceManager locks = new RaceManager();
  private final LeaseHandle lease = RaceManager.lease(locks.acquire(RaceManager.PATIENT));
  private final Acquisition waiting = locks.acquire(RaceManager.PATIENT);
  private boolean granted;
  private boolean held;

  @Override
  public void first() {
    RaceManager.release(lease);
  }

  @Override
  public void second() {
    granted = waiting.isGranted() && RaceManager.lease(waiting).isHeld();
    held = lease.isHeld() && !lease.remaining().isZero();
  }

  @Override
  public String verdict() {
    if (granted && held) {
      return BROKEN + "a released lease is held, and so is its successor";
    }
    if (lease.isHeld()) {
      return BROKEN + "a released lease is held";
    }
    if (!waiting.isGranted() || !RaceManager.lease(waiting).isHeld()) {
      return BROKEN + "the waiting call has no lease";
    }
    LeaseHandle successor = RaceManager.lease(waiting);
    if (successor.fencingToken().compareTo(lease.fencingToken()) <= 0
        || successor.token().equals(lease.token())) {
      return BROKEN + "the successor has no token of its own";
    }
    return granted ? "seen after it" : held ? "seen before it" : "seen in between";
  }
}
