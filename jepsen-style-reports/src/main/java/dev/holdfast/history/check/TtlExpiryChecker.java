package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A lease that was not released protects its lock for its time to live, and no longer.
 *
 * <p>After a lease whose release nobody asked for, the next grant is not answered before that lease
 * could have ended: at the {@link Vocabulary#UNTIL} of its acquire or its last successful renewal
 * or, where that is absent, its time to live less a margin after that call was made. An {@code
 * until} that had passed when its answer was recorded does not tell when: that lease is not
 * checked.
 *
 * <p>And, where a bound is set: such a lease has ended a time to live after its acquire or its last
 * renewal was answered. If a client was waiting from before that end until beyond the bound, then a
 * client was granted the lock within the bound. A lease with a renewal that was never answered is
 * not checked, because its end is not known.
 */
public final class TtlExpiryChecker implements Checker {

  private final double margin;
  private final @Nullable Duration within;

  /**
   * Makes a checker that only asks that nobody comes too early.
   *
   * @param margin the part of the time to live by which clocks may disagree, for example 0.02; at
   *     least 0 and less than 1
   */
  public TtlExpiryChecker(double margin) {
    this(margin, null);
  }

  /**
   * Makes a checker.
   *
   * @param margin the part of the time to live by which clocks may disagree, for example 0.02; at
   *     least 0 and less than 1
   * @param within how long after the end of a lease a waiting client may have to wait at most;
   *     {@code null} to not ask
   */
  public TtlExpiryChecker(double margin, @Nullable Duration within) {
    if (!(margin >= 0 && margin < 1)) {
      throw new IllegalArgumentException(
          "margin must be at least 0 and less than 1, but is " + margin);
    }
    this.margin = margin;
    this.within = within;
  }

  @Override
  public String name() {
    return "ttl-expiry";
  }

  @Override
  public Result check(History history) {
    List<Tenure> tenures = Tenure.of(history);
    if (tenures.isEmpty()) {
      return Result.nothingSeen(name(), "no lock was ever granted");
    }
    Result doubt = ClockDoubt.of(name(), history);
    if (doubt != null) {
      return doubt;
    }
    Map<String, NavigableMap<Long, Long>> waiters = waiters(history);
    List<Violation> violations = new ArrayList<>();
    int takenOver = 0;
    for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
      for (int i = 0; i < ofLock.size(); i++) {
        Tenure tenure = ofLock.get(i);
        Tenure next = i + 1 < ofLock.size() ? ofLock.get(i + 1) : null;
        if (next != null && !tenure.isReleasedBy(next.grantedAt())) {
          takenOver++;
          long end = earliestEnd(tenure, next.grantedAt());
          if (next.grantedAt() < end) {
            violations.add(tooEarly(tenure, next, end));
          }
        }
        if (within != null) {
          long end = latestEnd(tenure);
          long bound = Formats.plus(end, within.toNanos());
          boolean granted = next != null && next.grantedAt() <= bound;
          if (!granted
              && !tenure.isReleasedBy(bound)
              && clientWaited(
                  waiters.getOrDefault(tenure.lock(), Collections.emptyNavigableMap()),
                  end,
                  bound)) {
            violations.add(tooLate(tenure, end, within));
          }
        }
      }
    }
    return Result.of(
        name(),
        takenOver == 0
            ? "None of " + Formats.count(tenures.size(), "lease") + " was taken over unreleased."
            : String.format(
                "Of %s, %,d taken over unreleased, none before its end%s.",
                Formats.count(tenures.size(), "lease"),
                takenOver,
                within == null
                    ? ""
                    : "; nobody waited longer after that than "
                        + Formats.seconds(within.toNanos())),
        "The time to live was not kept " + Formats.count(violations.size(), "time") + ".",
        violations);
  }

  /** Returns when a lease could have ended at the earliest, by what its holder had been told. */
  private long earliestEnd(Tenure tenure, long seenAt) {
    Call last = tenure.acquire();
    for (Call renewal : tenure.confirmations()) {
      boolean tells = renewal.isOk() && renewal.invokedAt() < seenAt && !wasOver(renewal);
      last = tells ? renewal : last;
    }
    OptionalLong until = until(last);
    if (until.isPresent()) {
      return wasOver(last) ? Long.MIN_VALUE : until.getAsLong();
    }
    OptionalLong ttl = ttlNanos(tenure, last);
    return ttl.isEmpty()
        ? Long.MIN_VALUE
        : Formats.plus(last.invokedAt(), (long) (ttl.getAsLong() * (1 - margin)));
  }

  /** Returns until when the answer says that the lease lasts. */
  static OptionalLong until(Call call) {
    return call.completion() == null
        ? OptionalLong.empty()
        : call.completion().number(Vocabulary.UNTIL);
  }

  /**
   * Returns whether a lease had ended when its holder came to hear of it, as after a pause of its
   * process: such an answer does not tell when.
   */
  static boolean wasOver(Call call) {
    OptionalLong until = until(call);
    return until.isPresent() && until.getAsLong() <= call.completedAt();
  }

  /**
   * Returns when a lease had ended at the latest, if the store acted on each call before it was
   * answered.
   */
  private static long latestEnd(Tenure tenure) {
    long end = Long.MIN_VALUE;
    List<Call> calls = new ArrayList<>(tenure.confirmations());
    calls.add(tenure.acquire());
    for (Call call : calls) {
      OptionalLong ttl = ttlNanos(tenure, call);
      boolean known = ttl.isPresent() && call.completion() != null;
      end =
          Math.max(end, known ? Formats.plus(call.completedAt(), ttl.getAsLong()) : Long.MAX_VALUE);
    }
    return end;
  }

  /** Returns how long the lease lasts that the call got, or of what it prolonged. */
  static OptionalLong ttlNanos(Tenure tenure, Call call) {
    OptionalLong own = call.number(Vocabulary.TTL);
    OptionalLong millis = own.isPresent() ? own : tenure.acquire().number(Vocabulary.TTL);
    return millis.isEmpty()
        ? millis
        : OptionalLong.of(TimeUnit.MILLISECONDS.toNanos(millis.getAsLong()));
  }

  private static Violation tooEarly(Tenure tenure, Tenure next, long end) {
    String what =
        String.format(
            "Lock \"%s\" was granted %s before an unreleased lease on it could have ended (at %s)",
            tenure.lock(), Formats.seconds(end - next.grantedAt()), Formats.seconds(end));
    return Violation.of(what, tenure.acquire(), next.acquire());
  }

  private static Violation tooLate(Tenure tenure, long end, Duration within) {
    String what =
        String.format(
            "Lock \"%s\" was granted to nobody, though a client was waiting, within %s of the end"
                + " of a lease (at %s)",
            tenure.lock(), Formats.seconds(within.toNanos()), Formats.seconds(end));
    return Violation.of(what, tenure.acquire());
  }

  /**
   * By lock: when each answered call for it was made, and when the last of all up to that one was
   * answered.
   */
  private static Map<String, NavigableMap<Long, Long>> waiters(History history) {
    Map<String, NavigableMap<Long, Long>> waiters = new TreeMap<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && call.completion() != null) {
        NavigableMap<Long, Long> ofLock =
            waiters.computeIfAbsent(call.lock(), k -> new TreeMap<>());
        Map.Entry<Long, Long> before = ofLock.floorEntry(call.invokedAt());
        long latest = before == null ? Long.MIN_VALUE : before.getValue();
        ofLock.put(call.invokedAt(), Math.max(latest, call.completedAt()));
      }
    }
    return waiters;
  }

  private static boolean clientWaited(NavigableMap<Long, Long> waiters, long from, long to) {
    Map.Entry<Long, Long> before = waiters.floorEntry(from);
    return before != null && before.getValue() > to;
  }
}
