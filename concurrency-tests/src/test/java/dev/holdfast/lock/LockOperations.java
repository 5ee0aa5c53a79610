package dev.holdfast.lock;

import java.time.Duration;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jspecify.annotations.Nullable;

/**
 * What Lincheck does to one lock of a manager, in scenarios that it makes up: two callers, each of
 * which does one thing at a time, acquire it with one attempt, release it, and look at their lease.
 */
public class LockOperations {
  private static final Duration LONG = Duration.ofMinutes(1);

  private final RaceManager locks = new RaceManager();
  private final LockOptions options;
  private final Side a = new Side();
  private final Side b = new Side();

  /** A lock whose record is deleted with each release, unless it is handed off. */
  public LockOperations() {
    this(Duration.ZERO);
  }

  private LockOperations(Duration linger) {
    options = LockOptions.defaults().withTtl(Duration.ofSeconds(30)).withLinger(linger);
  }

  /** A lock that lingers. */
  public static final class Lingering extends LockOperations {
    /** For a minute, which does not pass. */
    public Lingering() {
      super(LONG);
    }
  }

  private final class Side {
    private @Nullable LeaseHandle lease;

    boolean acquire() {
      if (lease != null) {
        return false;
      }
      Acquisition call = locks.acquire(options);
      if (!FutureWaits.awaitUninterruptibly(call.outcome, LONG)) {
        throw new AssertionError("no outcome");
      }
      if (call.isGranted()) {
        lease = RaceManager.lease(call);
      }
      return call.isGranted();
    }

    boolean release() {
      LeaseHandle held = lease;
      lease = null;
      return held != null && held.release() == ReleaseResult.RELEASED;
    }

    boolean isHeld() {
      return lease != null && lease.isHeld();
    }
  }

  @Operation(nonParallelGroup = "a")
  public boolean acquireA() {
    return a.acquire();
  }

  @Operation(nonParallelGroup = "a")
  public boolean releaseA() {
    return a.release();
  }

  @Operation(nonParallelGroup = "a")
  public boolean isHeldByA() {
    return a.isHeld();
  }

  @Operation(nonParallelGroup = "b")
  public boolean acquireB() {
    return b.acquire();
  }

  @Operation(nonParallelGroup = "b")
  public boolean releaseB() {
    return b.release();
  }

  @Operation(nonParallelGroup = "b")
  public boolean isHeldByB() {
    return b.isHeld();
  }
}
