package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The semaphores of one manager: the calls for permits, and the order of those that wait. The
 * contract is that of {@link LockManager#tryAcquirePermit}. Thread-safe.
 */
final class Permits {
  static final int MAX_PERMITS = 256;

  private final LockManager locks;

  /** The calls that have not ended. */
  private final Set<PermitAcquisition> calls = ConcurrentHashMap.newKeySet();

  /** The calls that wait for a permit of a name, in their order. Guarded by this. */
  private final Map<String, ArrayDeque<PermitAcquisition>> waiting = new HashMap<>();

  Permits(LockManager locks) {
    this.locks = locks;
  }

  Optional<Lease> tryAcquire(String name, int permits, LockOptions options)
      throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException(
          "interrupted before a permit of \"" + name + "\" could be acquired");
    }
    PermitAcquisition call = begin(name, permits, options);
    boolean taken = false;
    try {
      Duration limit = call.limit();
      if (!FutureWaits.await(call.outcome, limit)) {
        // The engine's own timer is late: this thread does what that was to do.
        call.timeOut();
        if (!FutureWaits.await(call.outcome, LockManager.GRACE)) {
          throw locks.failure(
              name,
              new Outcome.Unavailable(
                  new TimeoutException("the lock engine had no outcome within " + limit), true));
        }
      }
      taken = true;
      return lease(call, call.outcome.join());
    } finally {
      if (!taken) {
        giveBack(call);
      }
    }
  }

  CompletableFuture<Optional<Lease>> tryAcquireAsync(
      String name, int permits, LockOptions options) {
    CompletableFuture<Optional<Lease>> result = new CompletableFuture<>();
    PermitAcquisition call = begin(name, permits, options);
    try {
      var unused =
          call.outcome.thenAccept(
              outcome -> locks.engine.callbacks.execute(() -> complete(result, call, outcome)));
      var unusedToo = result.whenComplete((lease, failure) -> call.abandon());
    } catch (Throwable e) {
      giveBack(call);
      throw e;
    }
    return result;
  }

  /** The caller goes away; a permit may have been granted at this very moment. */
  private static void giveBack(PermitAcquisition call) {
    call.abandon();
    var unused = call.outcome.thenAccept(LockManager::giveBack);
  }

  private void complete(
      CompletableFuture<Optional<Lease>> result, PermitAcquisition call, Outcome outcome) {
    Optional<Lease> lease;
    try {
      lease = lease(call, outcome);
    } catch (Throwable e) {
      result.completeExceptionally(e);
      return;
    }
    if (!result.complete(lease)) {
      LockManager.giveBack(outcome);
    }
  }

  private Optional<Lease> lease(PermitAcquisition call, Outcome outcome) {
    if (outcome instanceof Outcome.Granted granted) {
      return Optional.of(granted.lease());
    } else if (outcome instanceof Outcome.HeldByOther) {
      return Optional.empty();
    }
    throw locks.failure(call.lastTried(), outcome);
  }

  private PermitAcquisition begin(String name, int permits, LockOptions options) {
    check(name, permits);
    locks.check(options);
    PermitAcquisition call = new PermitAcquisition(locks, this, name, permits, options);
    calls.add(call);
    try {
      // After the call is listed, so that either this or close() finds the other.
      locks.checkOpen();
    } catch (IllegalStateException e) {
      calls.remove(call);
      throw e;
    }
    call.begin();
    return call;
  }

  private static void check(String name, int permits) {
    LockManager.check(name);
    if (permits < 1 || permits > MAX_PERMITS) {
      throw new IllegalArgumentException(
          "permits must be from 1 to " + MAX_PERMITS + ", but is " + permits);
    }
    String longest = PermitAcquisition.lockId(name, permits - 1);
    int bytes = longest.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > LockManager.MAX_LOCK_ID_BYTES) {
      throw new IllegalArgumentException(
          "name must take at most "
              + LockManager.MAX_LOCK_ID_BYTES
              + " bytes in UTF-8 with its suffix, but \""
              + Texts.printable(name.substring(0, name.offsetByCodePoints(0, 20)))
              + "...\" with "
              + longest.substring(name.length())
              + " takes "
              + bytes);
    }
  }

  // --- The order of those that wait

  /** Returns whether the call is the first of its name, which is the one that looks. */
  synchronized boolean enter(PermitAcquisition call) {
    ArrayDeque<PermitAcquisition> line =
        waiting.computeIfAbsent(call.name(), name -> new ArrayDeque<>(2));
    line.add(call);
    return line.peek() == call;
  }

  /** The call that looks for those of that name. */
  synchronized @Nullable PermitAcquisition first(String name) {
    ArrayDeque<PermitAcquisition> line = waiting.get(name);
    return line == null ? null : line.peek();
  }

  /**
   * The call has ended.
   *
   * @return the one that looks from now on, if that was this call until now
   */
  @Nullable PermitAcquisition leave(PermitAcquisition call) {
    calls.remove(call);
    synchronized (this) {
      ArrayDeque<PermitAcquisition> line = waiting.get(call.name());
      if (line == null) {
        return null;
      }
      boolean first = line.peek() == call;
      line.remove(call);
      if (line.isEmpty()) {
        waiting.remove(call.name());
      }
      return first ? line.peek() : null;
    }
  }

  /** The manager closes: ends the calls. */
  void closing() {
    List.copyOf(calls).forEach(call -> call.end(new Outcome.Closed()));
  }

  synchronized boolean isEmpty() {
    return calls.isEmpty() && waiting.isEmpty();
  }
}
