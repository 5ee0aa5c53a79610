package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When another's record may be taken over: the two rules, and the memory that the first one needs.
 *
 * <p><em>Observed</em>: the record has stood unchanged for its whole TTL on our monotonic clock,
 * counted from after the read that first showed it. Needs no synchronised clocks; after Gray and
 * Cheriton, "Leases" (SOSP 1989), and DynamoDB's lock client. <em>Expired by the calendar</em>: the
 * holder trusts its wall clock, so do we, and its {@code expiresAt} has passed by more than both
 * allow for skew.
 *
 * <p>Either only permits an attempt: the takeover itself is a write conditioned on exactly the
 * version that was judged. Kept across calls, so that calls that do not wait get the lock of a
 * crashed holder in the end. Bounded; thread-safe.
 */
final class Observations {
  /** How many locks are remembered at most. */
  static final int MAX_ENTRIES = 100_000;

  /** A record that does not say its TTL gets at least this long. */
  private static final Duration UNKNOWN_TTL = Duration.ofMinutes(5);

  private static final Logger LOG = LoggerFactory.getLogger(Observations.class);

  private final Clocks clocks;
  private final Duration maxClockSkew;
  private final boolean calendarTakeover;
  private final int maxEntries;

  /** In the order of last use, so that the idle ones come first. */
  private final LinkedHashMap<String, Observation> entries = new LinkedHashMap<>(16, 0.75f, true);

  private record Observation(
      String token, Version version, long firstSeenNanos, long lastSeenNanos, long ttlNanos) {
    boolean isIdle(long now) {
      long idle = now - lastSeenNanos;
      return idle / 2 >= ttlNanos;
    }
  }

  /** The answer to "may it be taken over?". */
  sealed interface TakeoverDecision {
    /** It may, by the rule that is named. */
    record Expired(String rule) implements TakeoverDecision {}

    /** Not yet; perhaps when so much time has passed and it stands unchanged. */
    record Standing(long nanosLeft) implements TakeoverDecision {}

    /** The read was older than one before it, and tells nothing. */
    record Stale() implements TakeoverDecision {}
  }

  Observations(Clocks clocks, Duration maxClockSkew, boolean calendarTakeover) {
    this(clocks, maxClockSkew, calendarTakeover, MAX_ENTRIES);
  }

  Observations(Clocks clocks, Duration maxClockSkew, boolean calendarTakeover, int maxEntries) {
    this.clocks = clocks;
    this.maxClockSkew = maxClockSkew;
    this.calendarTakeover = calendarTakeover;
    this.maxEntries = maxEntries;
  }

  /**
   * Takes note of what a read showed, and judges it.
   *
   * @param ownTtl the reader's own, for a record that does not say its TTL
   */
  synchronized TakeoverDecision decide(LockRecord record, Version version, Duration ownTtl) {
    long now = clocks.ticker().nanos();
    long ttlNanos = ttlNanos(record, ownTtl);
    Observation known = entries.get(record.lockId());
    // A version that nobody has confirmed for so long was never committed: a primary that was cut
    // off had shown it. Then the older one is the truth.
    if (known != null && version.isOlderThan(known.version) && !known.isIdle(now)) {
      return new TakeoverDecision.Stale();
    }
    boolean unchanged =
        known != null && known.version.equals(version) && known.token.equals(record.token());
    long firstSeen = unchanged && known != null ? known.firstSeenNanos : now;
    remember(
        record.lockId(),
        new Observation(record.token(), version, firstSeen, now, ttlNanos),
        known != null);
    if (now - firstSeen >= ttlNanos) {
      return new TakeoverDecision.Expired("it stood unchanged for its whole TTL");
    }
    long left = ttlNanos - (now - firstSeen);
    Instant calendarEnd = calendarEnd(record);
    if (calendarEnd != null) {
      long calendarLeft = Times.nanosBetween(clocks.wallNow(), calendarEnd);
      if (calendarLeft < 0) {
        return new TakeoverDecision.Expired("it expired at " + record.expiresAt());
      }
      // One millisecond more: the end must have passed, and the clock counts whole ones.
      left = Math.min(left, Times.plus(calendarLeft, Times.NANOS_PER_MILLI));
    }
    return new TakeoverDecision.Standing(left);
  }

  /** The lock is free, or ours: nothing to remember. */
  synchronized void forget(String lockId) {
    entries.remove(lockId);
  }

  /** The index is gone, and every record in it. */
  synchronized void clear() {
    entries.clear();
  }

  synchronized int size() {
    return entries.size();
  }

  private void remember(String lockId, Observation observation, boolean known) {
    dropEldestIdle(observation.lastSeenNanos);
    if (!known && entries.size() >= maxEntries) {
      // An eldest with a long TTL keeps idle ones behind it.
      entries.values().removeIf(entry -> entry.isIdle(observation.lastSeenNanos));
    }
    if (!known && entries.size() >= maxEntries) {
      // Full of records that are looked at: this one can be taken over by the calendar only.
      Logs.quietly(
          () ->
              LOG.warn(
                  "More than {} locks are being waited for; lock \"{}\" cannot be observed",
                  maxEntries,
                  Logs.shown(lockId)));
      return;
    }
    entries.put(lockId, observation);
  }

  private void dropEldestIdle(long now) {
    var iterator = entries.values().iterator();
    while (iterator.hasNext() && iterator.next().isIdle(now)) {
      iterator.remove();
    }
  }

  private @Nullable Instant calendarEnd(LockRecord record) {
    Long theirSkew = record.maxClockSkewMillis();
    Instant expiresAt = record.expiresAt();
    if (!calendarTakeover || theirSkew == null || theirSkew < 0 || expiresAt == null) {
      return null;
    }
    if (record.createdAt() == null || record.ttlMillis() <= 0 || record.token().isEmpty()) {
      // Not written by Holdfast as we know it: its dates may mean something else.
      return null;
    }
    // No lease depends on a record that is unheld: to take it over early is no error.
    long skewMillis = record.isUnheld() ? 0 : Math.max(theirSkew, maxClockSkew.toMillis());
    try {
      return expiresAt.plusMillis(skewMillis);
    } catch (java.time.DateTimeException | ArithmeticException e) {
      return Instant.MAX;
    }
  }

  private static long ttlNanos(LockRecord record, Duration ownTtl) {
    if (record.ttlMillis() > 0) {
      return Times.millisToNanos(record.ttlMillis());
    }
    return Math.max(ownTtl.toNanos(), UNKNOWN_TTL.toNanos());
  }
}
