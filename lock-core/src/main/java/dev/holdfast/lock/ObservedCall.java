package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One blocking call as its {@link CallObserver} sees it, if there is one. Nothing that the observer
 * throws reaches the call. Used by the thread of the call alone.
 */
final class ObservedCall {
  /** A call that nobody observes. */
  static final ObservedCall NONE = new ObservedCall(null);

  private static final Logger LOG = LoggerFactory.getLogger(ObservedCall.class);

  private final CallObserver.@Nullable Call call;

  private ObservedCall(CallObserver.@Nullable Call call) {
    this.call = call;
  }

  static ObservedCall started(CallObserver observer, String lockId, LockOptions options) {
    try {
      return new ObservedCall(observer.started(lockId, options));
    } catch (Throwable e) {
      logFailure(e);
      return NONE;
    }
  }

  /** Notifies the observer, and returns the lease. */
  @SuppressWarnings("EmptyCatch")
  LeaseHandle acquired(LeaseHandle lease) {
    if (call != null) {
      try {
        call.acquired(lease.fencingToken());
      } catch (Throwable e) {
        try {
          logFailure(e);
        } catch (Throwable again) {
          // No stack or memory left to log it. The lease has to reach the caller all the same.
        }
      }
    }
    return lease;
  }

  /** The lease, if there is one, is the caller's: see {@link #acquired}. */
  @SuppressWarnings("EmptyCatch")
  void ended(@Nullable Throwable failure) {
    if (call != null) {
      try {
        call.ended(failure);
      } catch (Throwable e) {
        try {
          logFailure(e);
        } catch (Throwable again) {
          // As above.
        }
      }
    }
  }

  private static void logFailure(Throwable failure) {
    Logs.quietly(() -> LOG.error("The observer of a call for a lock failed", failure));
  }
}
