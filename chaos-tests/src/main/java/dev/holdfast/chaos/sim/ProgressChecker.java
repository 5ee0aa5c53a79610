package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Checks that a fault leaves nothing behind that keeps calls waiting: when no fault lasts any more,
 * each lock that is waited for is granted to somebody within a bound, unless the next fault comes
 * before.
 */
final class ProgressChecker {
  /**
   * Within what time of the end of a fault a lock is granted that is waited for. A holder of then
   * works for at most 3 s and may have asked to hold the lock for 3 s more; its session may linger
   * for 2.5 s; or it has died, and its record stands for a TTL (5 s, on a clock that is slow by a
   * tenth) and the skew (0.4 s). A waiter then asks within a second, which is its longest pause
   * after an outage. A second holder may have won meanwhile only if it was granted the lock, so
   * each of these comes once: 15.5 s, and the time that requests take.
   */
  static final long BOUND = 16 * Simulation.SECOND;

  private final Simulation simulation;
  private final boolean applies;
  private final List<WaitingCall> waiting = new ArrayList<>();
  private final Map<String, Long> grantedAt = new HashMap<>();
  private int lasting;
  private int begun;

  /** A call that has not ended. */
  record WaitingCall(String name, Host host, String lock, long since) {}

  /**
   * A checker of one run.
   *
   * @param applies whether there are no faults but those that it is notified of
   */
  ProgressChecker(Simulation simulation, boolean applies) {
    this.simulation = simulation;
    this.applies = applies;
  }

  /** A call begins to wait. */
  WaitingCall waits(String name, Host host, String lock) {
    WaitingCall call = new WaitingCall(name, host, lock, simulation.now());
    if (applies) {
      waiting.add(call);
    }
    return call;
  }

  /** A call has ended. */
  void ended(WaitingCall call, boolean granted) {
    if (applies) {
      waiting.remove(call);
      if (granted) {
        grantedAt.put(call.lock, simulation.now());
      }
    }
  }

  /** A fault begins, which may be over at once. */
  void faultBegins() {
    lasting++;
    begun++;
  }

  /** A fault is over. */
  void faultEnds() {
    lasting--;
    ifUndisturbed(BOUND, this::check);
  }

  /** Has this done after a time, if no fault lasts now and none begins before. */
  void ifUndisturbed(long nanos, SinceCheck check) {
    int before = begun;
    long since = simulation.now();
    if (applies && lasting == 0) {
      simulation.after(
          nanos,
          () -> {
            if (begun == before) {
              check.since(since);
            }
          });
    }
  }

  /** What must have happened since then. */
  interface SinceCheck {
    void since(long nanos);
  }

  private void check(long since) {
    for (WaitingCall call : waiting) {
      if (call.since <= since
          && !call.host.isCrashed()
          && grantedAt.getOrDefault(call.lock, Long.MIN_VALUE) < since) {
        simulation.violated(
            Invariant.LIVENESS,
            call.name
                + " has waited for "
                + (simulation.now() - call.since)
                + " ns, and nobody was granted "
                + call.lock
                + " in the "
                + BOUND
                + " ns after the last fault");
      }
    }
  }
}
