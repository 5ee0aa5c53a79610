package dev.holdfast.chaos.worker;

/**
 * Deliberate defects of a client: mistakes that lock libraries have made. A scenario run with such
 * clients must be found invalid, or it proves nothing about good ones.
 */
public enum Defect {
  /** Nothing: lock-core as it is. */
  NONE("none"),

  /** Believes to hold its lock until it releases it, whether renewals succeed or not. */
  NO_RENEWAL_CHECK("mutual-exclusion"),

  /** Counts its lease from the answer, not from before the request. */
  LEASE_FROM_RESPONSE("mutual-exclusion"),

  /** Writes to what the lock protects without its fencing token. */
  UNFENCED_WRITES("fencing"),

  /** Releases by deleting the record without checking its owner. */
  RELEASE_WITHOUT_OWNER_CHECK("mutual-exclusion"),

  /** Reads that the lock is free, and writes its own record without a condition. */
  TRUST_IN_A_STALE_READ("mutual-exclusion"),

  /** Forgets to renew, though the lease is to be kept until it is released. */
  NO_RENEWAL("leases-kept"),

  /** Leaves no margin for clocks that run at different rates. */
  NO_CLOCK_MARGIN("mutual-exclusion"),

  /** Grants a lock that lingers again, without asking whether it is still its own. */
  LINGER_WITHOUT_CHECK("fencing"),

  /** Leads until it steps down, whether it has lost the lock or not. */
  LEADER_IGNORES_LOSS("mutual-exclusion");

  private final String caughtBy;

  Defect(String caughtBy) {
    this.caughtBy = caughtBy;
  }

  /** Returns the name of the checker that must find it; "none" for {@link #NONE}. */
  public String caughtBy() {
    return caughtBy;
  }

  /** Returns the name as command lines and pages write it, such as {@code unfenced-writes}. */
  public String text() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }
}
