package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * No renewal succeeded, and no client believed in its lease, without a lease held. Either is wrong
 * if, before it was asked for, the lease had never been granted, had been released, had been
 * reported lost to its holder, or had been followed by the grant of another. A grant that was over
 * before its holder heard of it follows nobody, and a renewal whose answer says that it is over
 * already (its {@link Vocabulary#UNTIL} has passed) has not succeeded.
 *
 * <p>Where a history records every renewal, a lease is over, too, a time to live after its last
 * renewal was answered, whether or not the lock was taken over.
 */
public final class RenewalChecker implements Checker {

  private final boolean allRecorded;

  /** Makes a checker for histories that may lack renewals, such as those in the background. */
  public RenewalChecker() {
    this(false);
  }

  /**
   * Makes a checker.
   *
   * @param allRecorded whether every renewal is in the history
   */
  public RenewalChecker(boolean allRecorded) {
    this.allRecorded = allRecorded;
  }

  @Override
  public String name() {
    return "renewal";
  }

  @Override
  public Result check(History history) {
    List<Tenure> tenures = Tenure.of(history);
    Set<Call> known = Collections.newSetFromMap(new IdentityHashMap<>());
    tenures.forEach(tenure -> known.addAll(tenure.confirmations()));
    Set<List<String>> maybeGranted = new HashSet<>();
    List<Violation> violations = new ArrayList<>();
    int renewals = 0;
    int beliefs = 0;
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && !call.isOk() && !call.isFailed()) {
        maybeGranted.add(List.of(call.lock(), call.client()));
      } else if (isConfirmation(call) && hasSucceeded(call)) {
        if (call.f().equals(Vocabulary.BELIEF)) {
          beliefs++;
        } else {
          renewals++;
        }
        if (!known.contains(call) && !maybeGranted.contains(List.of(call.lock(), call.client()))) {
          violations.add(Violation.of(what(call) + ", though it had not been granted", call));
        }
      }
    }
    if (renewals + beliefs == 0) {
      return Result.nothingSeen(name(), "no renewal succeeded");
    }
    Result doubt = allRecorded ? ClockDoubt.of(name(), history) : null;
    if (doubt != null) {
      return doubt;
    }
    for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
      Tenure next = null; // of those that follow, the one whose holder had it first
      for (int i = ofLock.size() - 1; i >= 0; i--) {
        Tenure tenure = ofLock.get(i);
        examine(tenure, next, violations);
        if (!tenure.held().isEmpty() && (next == null || tenure.grantedAt() < next.grantedAt())) {
          next = tenure;
        }
      }
    }
    return Result.of(
        name(),
        "Each of "
            + Formats.count(renewals, "renewal")
            + (beliefs == 0 ? "" : " and " + Formats.count(beliefs, "belief"))
            + " that succeeded was of a lease held.",
        Formats.count(violations.size(), beliefs == 0 ? "renewal" : "renewal or belief")
            + " succeeded without a lease held.",
        violations);
  }

  private static boolean isConfirmation(Call call) {
    return call.f().equals(Vocabulary.RENEW) || call.f().equals(Vocabulary.BELIEF);
  }

  private static String what(Call call) {
    return call.f().equals(Vocabulary.BELIEF)
        ? "A client believed that it held the lock"
        : "A renewal succeeded";
  }

  private static boolean hasSucceeded(Call renewal) {
    return renewal.isOk() && !TtlExpiryChecker.wasOver(renewal);
  }

  private void examine(Tenure tenure, @Nullable Tenure next, List<Violation> violations) {
    List<Call> renewals = new ArrayList<>(tenure.confirmations());
    renewals.sort(Comparator.comparingLong(Call::invokedAt));
    long end = allRecorded ? latestEnd(tenure, tenure.acquire()) : Long.MAX_VALUE;
    for (Call renewal : renewals) {
      long asked = renewal.invokedAt();
      String why = hasSucceeded(renewal) ? whyNotHeld(tenure, next, renewal, end) : null;
      if (why != null) {
        violations.add(Violation.of(what(renewal) + ", though " + why, tenure.acquire(), renewal));
      }
      end = asked > end ? end : Math.max(end, latestEnd(tenure, renewal));
    }
  }

  /** Says why the lease was not held when its renewal was asked for; null if it may have been. */
  private static @Nullable String whyNotHeld(
      Tenure tenure, @Nullable Tenure next, Call renewal, long end) {
    long asked = renewal.invokedAt();
    Call release = tenure.release();
    Operation loss = tenure.loss();
    if (renewal.completedAt() < tenure.acquire().invokedAt()) {
      return "its lease was asked for only later";
    } else if (release != null && release.isOk() && release.completedAt() < asked) {
      return "its lease had been released";
    } else if (loss != null && loss.time() < asked) {
      return "its lease had been reported lost";
    } else if (next != null && next.grantedAt() < asked) {
      return "its lock had been granted to " + next.client();
    }
    return end < asked ? "its lease was over at " + Formats.seconds(end) : null;
  }

  /** Returns when a lease has ended at the latest, if nothing follows that call. */
  private static long latestEnd(Tenure tenure, Call call) {
    OptionalLong ttl = TtlExpiryChecker.ttlNanos(tenure, call);
    return ttl.isEmpty() || !call.isOk()
        ? Long.MAX_VALUE
        : Formats.plus(call.completedAt(), ttl.getAsLong());
  }
}
