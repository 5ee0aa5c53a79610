package dev.holdfast.chaos.check;

import dev.holdfast.chaos.fault.IndexFaults;
import dev.holdfast.chaos.fault.NodeFaults;
import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Counts of a history.
 *
 * @param lockOperations calls to acquire, renew and release that were answered, in whatever way;
 *     renewals in the background are not among them
 * @param faults how many faults there were
 * @param longestGapNanos the longest time in which nobody was granted any lock, from the first
 *     grant to the last
 * @param takeoverNanos for each lease that nobody released and that was followed by another, how
 *     long that other came after the last sign of the first, in rising order
 * @param losses how many leases were told to be lost
 * @param refusedWrites how many writes were refused as stale
 * @param increments how many increments of counters were acknowledged
 * @param lostIncrements how many of them are missing in the end, at least
 */
public record HistoryStats(
    long lockOperations,
    long faults,
    long longestGapNanos,
    List<Long> takeoverNanos,
    long losses,
    long refusedWrites,
    long increments,
    long lostIncrements) {

  private static final Set<String> LOCK_OPERATIONS =
      Set.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.RELEASE);

  /** Counts. */
  public static HistoryStats of(History history) {
    long operations = 0;
    long refused = 0;
    List<Long> grants = new ArrayList<>();
    for (Call call : history.calls()) {
      if (LOCK_OPERATIONS.contains(call.f()) && call.completion() != null) {
        operations++;
      }
      if (call.f().equals(Vocabulary.ACQUIRE) && call.isOk()) {
        grants.add(call.completedAt());
      }
      if (call.f().equals(Vocabulary.WRITE) && call.isFailed()) {
        refused++;
      }
    }
    grants.sort(null);
    long gap = 0;
    for (int i = 1; i < grants.size(); i++) {
      gap = Math.max(gap, grants.get(i) - grants.get(i - 1));
    }
    List<Tenure> tenures = Tenure.of(history);
    return new HistoryStats(
        operations,
        FaultInterval.of(history).stream()
            // Those are consequences of other faults.
            .filter(fault -> !fault.name().equals(NodeFaults.NO_MAJORITY))
            .filter(fault -> !fault.name().equals(IndexFaults.NO_WRITES))
            .count(),
        gap,
        takeovers(tenures),
        tenures.stream().filter(tenure -> tenure.loss() != null).count(),
        refused,
        increments(history).values().stream().mapToLong(Long::longValue).sum(),
        lost(history));
  }

  private static List<Long> takeovers(List<Tenure> tenures) {
    List<Long> found = new ArrayList<>();
    for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
      for (int i = 0; i + 1 < ofLock.size(); i++) {
        long taken = ofLock.get(i + 1).grantedAt();
        if (isUnreleased(ofLock.get(i), taken)) {
          found.add(taken - lastSign(ofLock.get(i), taken));
        }
      }
    }
    found.sort(null);
    return List.copyOf(found);
  }

  /**
   * Returns whether a lock was not released before a certain time, though its holder may have
   * tried.
   */
  private static boolean isUnreleased(Tenure tenure, long before) {
    Call release = tenure.release();
    return release == null
        || release.invokedAt() > before
        || release.isFailed()
        || (tenure.loss() != null && !release.isOk());
  }

  /** Returns when a holder last heard that it holds the lock, before a certain time. */
  static long lastSign(Tenure tenure, long before) {
    long last = tenure.grantedAt();
    for (Call call : tenure.confirmations()) {
      if (call.isOk() && call.completedAt() < before) {
        last = Math.max(last, call.completedAt());
      }
    }
    return last;
  }

  /** Returns how many increments of each lock's counter were acknowledged. */
  private static Map<String, Long> increments(History history) {
    Map<String, Long> acknowledged = new HashMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(ChaosVocabulary.INCREMENT) && call.isOk()) {
        acknowledged.merge(call.lock(), 1L, Long::sum);
      }
    }
    return acknowledged;
  }

  /**
   * An increment without an answer may count or not; so the sum over the locks of what is missing
   * for certain.
   */
  private static long lost(History history) {
    Map<String, Long> last = new HashMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(ChaosVocabulary.FINAL_COUNT) && call.isOk()) {
        last.put(call.lock(), call.number(ChaosVocabulary.COUNT).orElse(0));
      }
    }
    long lost = 0;
    for (Map.Entry<String, Long> each : increments(history).entrySet()) {
      Long count = last.get(each.getKey());
      lost += count == null ? 0 : Math.max(0, each.getValue() - count);
    }
    return lost;
  }
}
