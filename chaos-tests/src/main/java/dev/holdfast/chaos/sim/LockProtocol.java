package dev.holdfast.chaos.sim;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockOptions;
import java.util.concurrent.CompletableFuture;

/** Whatever gives locks: the library, or one who does it in another way. */
interface LockProtocol {
  /** As {@link dev.holdfast.lock.LockManager#acquireAsync(String, LockOptions)}. */
  CompletableFuture<Lease> acquireAsync(String lockId, LockOptions options);
}
