package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import org.jspecify.annotations.Nullable;

/** Two calls for a lock that has no queue yet; then the one that gets it releases it. */
public final class QueueCreationRace implements Race {
  private final RaceManager locks = new RaceManager();
  private volatile @Nullable Acquisition first;
  private volatile @Nullable Acquisition second;

  @Override
  public void first() {
    first = locks.acquire(RaceManager.PATIENT);
  }

  @Override
  public void second() {
    second = locks.acquire(RaceManager.PATIENT);
  }

  @Override
  public String verdict() {
    Acquisition one = first;
    Acquisition other = second;
    if (one == null || other == null || one.isGranted() == other.isGranted()) {
      return BROKEN + "not just one was granted";
    }
    boolean firstWon = one.isGranted();
    RaceManager.release(RaceManager.lease(firstWon ? one : other));
    Acquisition then = firstWon ? other : one;
    if (!then.isGranted()) {
      return BROKEN + "the second call was not granted the lock";
    }
    RaceManager.release(RaceManager.lease(then));
    if (locks.manager.stats().locks() != 0 || locks.record() != null) {
      return BROKEN + "a queue or a record is left";
    }
    return firstWon ? "the first before the second" : "the second before the first";
  }
}
