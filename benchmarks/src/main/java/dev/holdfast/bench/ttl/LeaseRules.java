package dev.holdfast.bench.ttl;

import java.time.Duration;

/**
 * The rules by which Holdfast keeps leases, as far as the choice of a TTL depends on them. The
 * tests hold these numbers to the library: its own engine, on virtual time, survives what is said
 * here that it survives.
 *
 * @param ttl the lease's length
 * @param maxClockSkew as the lock manager is told
 */
record LeaseRules(Duration ttl, Duration maxClockSkew) {
  /**
   * Of the TTL, for clocks that run at different speeds: 10 %, as a lock manager has by default.
   */
  private static final int DRIFT_DIVISOR = 10;

  /* As in the library; LeaseRulesTest compares these numbers with the behaviour of its engine. */
  private static final int PADDING_DIVISOR = 10;
  private static final int RENEWALS_PER_TTL = 3;

  /** A renewal comes up to this much of its interval early. */
  private static final double RENEWAL_JITTER = 0.1;

  private static final double LONGEST_REQUEST_SECONDS = 10;
  private static final int FIRST_PAUSE_DIVISOR = 60;
  private static final int LONGEST_PAUSE_DIVISOR = 6;
  private static final int MAX_DOUBLINGS = 8;
  private static final double PAUSE_JITTER = 0.2;

  /** The longest pause between two polls of a waiting process. */
  private static final double LONGEST_POLL_SECONDS = 0.12;

  /** Read, written, found in conflict with one's own delayed write, read, and written again. */
  private static final int REQUESTS_TO_RECOVER = 4;

  /** Wall clocks are read in whole milliseconds. */
  private static final double WALL_CLOCK_GRAIN = 0.001;

  private static final double YEAR_SECONDS = 365.25 * 86_400;

  private double ttlSeconds() {
    return ttl.toNanos() / 1e9;
  }

  /** Returns what the wall clock's elapsed time is padded with. */
  double paddingSeconds() {
    return Math.min(maxClockSkew.toNanos() / 1e9, ttlSeconds() / PADDING_DIVISOR);
  }

  /** By how much validity is shorter for clocks that run at different speeds. */
  double driftMarginSeconds() {
    return ttlSeconds() / DRIFT_DIVISOR;
  }

  /** For how long after the stamp of an acknowledged write the lease is valid. */
  double validitySeconds() {
    return ttlSeconds() - driftMarginSeconds() - paddingSeconds();
  }

  /** Returns when a renewal is sent at the latest, counted from the last stamp. */
  double latestRenewalSeconds() {
    return ttlSeconds() / RENEWALS_PER_TTL;
  }

  /** Returns when a renewal is sent at the earliest, counted from the last stamp. */
  double earliestRenewalSeconds() {
    return latestRenewalSeconds() * (1 - RENEWAL_JITTER);
  }

  /** The most that leases may renew in a year, each. */
  double renewalsPerYear() {
    return YEAR_SECONDS / earliestRenewalSeconds();
  }

  /** Returns how long one request is waited for. */
  double requestTimeoutSeconds() {
    return Math.min(ttlSeconds() / RENEWALS_PER_TTL, LONGEST_REQUEST_SECONDS);
  }

  /**
   * Returns how long the store may keep silent without a lease being lost, whenever the silence
   * begins, if whatever was sent in it is never answered, and each request takes the given time
   * afterwards.
   *
   * <p>The silence begins, at the worst, just before the answer to a renewal that was sent as late
   * as can be. That request runs into its time-out, the read that follows it too, then there is a
   * pause of TTL/60, doubled each time up to TTL/6, but never more than half of what is left,
   * unless that is less than the first pause; then a write again. The lease lives if one of these
   * requests is sent after the end of the silence, and early enough for {@value
   * #REQUESTS_TO_RECOVER} requests before validity ends. Pauses are jittered by 20 %: all that is
   * counted on is true for the shortest and for the longest.
   *
   * @return 0 if the lease may be lost without any silence, because requests are too slow
   */
  double longestSilenceSeconds(double requestSeconds) {
    double validity = validitySeconds();
    double deadline = validity - WALL_CLOCK_GRAIN - REQUESTS_TO_RECOVER * requestSeconds;
    double begin = latestRenewalSeconds() + requestSeconds;
    double firstPause = ttlSeconds() / FIRST_PAUSE_DIVISOR;
    double longestPause = ttlSeconds() / LONGEST_PAUSE_DIVISOR;
    double earliest = latestRenewalSeconds();
    double latest = latestRenewalSeconds();
    double silence = 0;
    for (int failures = 0; latest <= deadline; failures++) {
      silence = Math.max(silence, earliest - begin);
      earliest += requestTimeoutSeconds();
      latest += requestTimeoutSeconds();
      if (latest > deadline) {
        break;
      }
      silence = Math.max(silence, earliest - begin);
      earliest += requestTimeoutSeconds();
      latest += requestTimeoutSeconds();
      double pause = Math.min(firstPause * (1 << Math.min(failures, MAX_DOUBLINGS)), longestPause);
      earliest +=
          Math.min(pause, Math.max(firstPause, (validity - earliest) / 2)) * (1 - PAUSE_JITTER);
      latest += Math.min(pause, Math.max(firstPause, (validity - latest) / 2)) * (1 + PAUSE_JITTER);
    }
    return silence;
  }

  /**
   * Returns for how long, at most, clients that were waiting are kept from the lock after a crash
   * of its holder: they have seen the last renewal, and count the TTL from there.
   */
  double blockedWaiterSeconds(double requestSeconds) {
    return ttlSeconds() + LONGEST_POLL_SECONDS + 3 * requestSeconds;
  }

  /**
   * The same for a process that comes when the holder has crashed already, by the calendar: what
   * the record says, and the skew that is allowed for.
   */
  double blockedNewcomerSeconds(double requestSeconds) {
    return ttlSeconds() + maxClockSkew.toNanos() / 1e9 + LONGEST_POLL_SECONDS + 3 * requestSeconds;
  }
}
