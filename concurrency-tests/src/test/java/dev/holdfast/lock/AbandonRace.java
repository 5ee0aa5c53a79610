package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;

/** A call enters its queue, on a store that does not answer, while its caller goes away. */
public final class AbandonRace implements Race {
  private final PendingStore store = new PendingStore();
  private final RaceManager locks = new RaceManager(store);
  private final Acquisition call = locks.call(RaceManager.PATIENT);

  @Override
  public void first() {
    locks.submit(call);
  }

  @Override
  public void second() {
    call.abandon();
  }

  @Override
  public String verdict() {
    if (!call.isDone()) {
      return BROKEN + "an abandoned call waits for ever";
    }
    return store.isAsked() ? "it ended while it asked" : "it did not begin";
  }
}
