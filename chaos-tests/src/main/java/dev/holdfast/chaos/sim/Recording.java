package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The history of a run as its clients saw it, in true time, checked from outside: by a checker that
 * knows nothing of the library or of the simulator.
 */
final class Recording {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /**
   * Of a TTL: others may take over when it has passed on their clock, which may be faster than true
   * time by the margin.
   */
  private static final double FASTEST_CLOCK = 1 - SimRun.MAX_DRIFT;

  private final Simulation simulation;
  private final boolean isKept;
  private final List<Operation> operations = new ArrayList<>();
  private final Map<String, RecordedCall> grants = new HashMap<>();

  /** By the token in the record: that of the lease to which it belongs now. */
  private final Map<String, String> holders = new HashMap<>();

  private long processes;

  /** Something that was asked for. */
  private record RecordedCall(long process, String f, Map<String, Object> value) {}

  /**
   * An empty one.
   *
   * @param isKept whether it will be checked: it takes longer than the run itself
   */
  Recording(Simulation simulation, boolean isKept) {
    this.simulation = simulation;
    this.isKept = isKept;
  }

  private void add(long time, Operation.Type type, RecordedCall call, Map<String, Object> value) {
    operations.add(new Operation(Operation.NO_INDEX, time, type, call.process, call.f, value));
  }

  private RecordedCall begin(long time, String f, Map<String, Object> value) {
    RecordedCall call = new RecordedCall(processes++, f, value);
    add(time, Operation.Type.INVOKE, call, value);
    return call;
  }

  /** Records the answer to an acquisition; one that is never answered stays open. */
  interface Acquisition {
    void ended(@Nullable Lease lease);
  }

  /** Records the answer to a release. */
  interface ReleaseRecorder {
    void ended(Operation.Type type);
  }

  Acquisition acquiring(String client, String lock, LockOptions options) {
    if (!isKept) {
      return lease -> {};
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put(Vocabulary.LOCK, lock);
    value.put(Vocabulary.CLIENT, client);
    value.put(Vocabulary.TTL, (long) (options.ttl().toMillis() * FASTEST_CLOCK));
    RecordedCall call = begin(simulation.now(), Vocabulary.ACQUIRE, value);
    return lease -> {
      if (lease == null) {
        add(simulation.now(), Operation.Type.FAIL, call, value);
      } else {
        Map<String, Object> granted = new LinkedHashMap<>(value);
        granted.put(Vocabulary.FENCE, lease.fencingToken().toLong());
        Map<String, Object> answer = new LinkedHashMap<>(granted);
        if (isHandedOver(lease)) {
          // What it was given is what was left, not a whole TTL.
          long left = (long) (lease.remaining().toNanos() * FASTEST_CLOCK);
          answer.put(Vocabulary.UNTIL, simulation.now() + left);
        }
        add(simulation.now(), Operation.Type.OK, call, answer);
        grants.put(lease.token(), new RecordedCall(call.process, call.f, granted));
        holders.put(InvariantChecker.recordToken(lease), lease.token());
      }
    };
  }

  /** Returns whether it came from another holder in the same process. */
  static boolean isHandedOver(Lease lease) {
    return lease.token().indexOf('#') >= 0;
  }

  /** A write with that token was acknowledged: of a lease that had been granted, a renewal. */
  void acknowledged(String token, long sentAt) {
    RecordedCall grant = isKept ? grants.get(holders.getOrDefault(token, "")) : null;
    if (grant != null) {
      RecordedCall call = begin(sentAt, Vocabulary.RENEW, grant.value);
      add(simulation.now(), Operation.Type.OK, call, grant.value);
    }
  }

  /** Records that the client was notified of its loss. */
  void lost(Lease lease) {
    RecordedCall grant = grants.get(lease.token());
    if (grant != null) {
      add(
          simulation.now(),
          Operation.Type.INFO,
          new RecordedCall(processes++, Vocabulary.LOST, grant.value),
          grant.value);
    }
  }

  ReleaseRecorder releasing(Lease lease) {
    if (!isKept) {
      return type -> {};
    }
    RecordedCall grant = grants.get(lease.token());
    if (grant == null) {
      throw new IllegalStateException("nobody was granted " + lease);
    }
    RecordedCall call = begin(simulation.now(), Vocabulary.RELEASE, grant.value);
    return type -> {
      if (type != Operation.Type.INFO) {
        add(simulation.now(), type, call, grant.value);
      }
    };
  }

  /**
   * Checks it.
   *
   * @throws InvariantViolation if no order of the operations explains it
   */
  void check() {
    if (!isKept) {
      return;
    }
    List<Operation> sorted = new ArrayList<>(operations);
    sorted.sort(Comparator.comparingLong(Operation::time));
    for (int i = 0; i < sorted.size(); i++) {
      sorted.set(i, sorted.get(i).withIndex(i));
    }
    Result result = new LinearizabilityChecker("lease", LIMIT).check(History.of(sorted));
    if (result.verdict() == Verdict.INVALID) {
      throw new InvariantViolation(Invariant.LINEARIZABLE, String.join(" ", result.details()));
    } else if (result.verdict() == Verdict.UNKNOWN && !grants.isEmpty()) {
      throw new IllegalStateException(result.summary());
    }
  }
}
