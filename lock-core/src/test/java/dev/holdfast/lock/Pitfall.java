package dev.holdfast.lock;

/**
 * What went wrong in other lock libraries. Each has at least one test here that is marked with it
 * ({@link GuardsAgainst}); {@link PitfallsTest} sees to that.
 */
public enum Pitfall {
  /**
   * A renewal was applied and its answer lost; the next one, by version alone, failed, and the lock
   * counted as lost with nobody holding it. Seen in a DynamoDB lock port.
   */
  LOST_ANSWER_ENDS_THE_LEASE,

  /** One exception ended the renewal task for good, in silence. Seen in ShedLock's keep-alive. */
  RENEWAL_TASK_DIES_SILENTLY,

  /**
   * The watchdog outlived the unlock, or a renewal and a release raced. Seen in Redisson (7272), in
   * the DynamoDB client and in Kibana (216781).
   */
  RENEWAL_OUTLIVES_THE_RELEASE,

  /**
   * A failed renewal was only logged, and the body went on without exclusion. Seen in Kibana, in
   * Redisson (4698) and in Curator (727).
   */
  LOSS_IS_ONLY_LOGGED,

  /** A renewal that matched nothing counted as a success. Seen in Kibana's extendTtl. */
  RENEWAL_OF_NOTHING_SUCCEEDS,

  /** An outage was reported as "held by another". Seen in Kibana. */
  OUTAGE_LOOKS_LIKE_CONTENTION,

  /** A holder whose lease had ended freed its successor's. Seen in ShedLock on Elasticsearch. */
  RELEASE_FREES_THE_SUCCESSOR,

  /** The lease counted from the answer, not from the request. Seen in etcd's and Kubernetes'. */
  LEASE_COUNTS_FROM_THE_ANSWER,

  /** A waiter was granted the lock after its own lease had ended. Seen in etcd (11456). */
  GRANT_AFTER_THE_LEASE_ENDED,

  /**
   * An interrupt or cancel during an acquisition left a record behind that blocked everyone. Seen
   * in Curator (600, CURATOR-79).
   */
  CANCEL_LEAVES_AN_ORPHAN,

  /** The interrupt flag made the release fail. Seen in Curator (CURATOR-468). */
  INTERRUPT_BREAKS_THE_RELEASE,

  /** A release that failed was forgotten, and the lock stayed. Seen in Curator (1193). */
  FAILED_RELEASE_IS_FORGOTTEN,

  /** An interrupt became another exception, or vanished. Seen in Spring Integration. */
  INTERRUPT_IS_SWALLOWED,

  /** At the end, one failing release kept the others from theirs. Seen in the DynamoDB client. */
  ONE_FAILED_RELEASE_STOPS_THE_OTHERS,

  /** The lock was released before the guarded code had returned. Seen in client-go (139991). */
  RELEASE_BEFORE_THE_BODY_RETURNED,

  /** Two names shared a local lock and blocked each other. Seen in Spring Integration (11146). */
  DIFFERENT_NAMES_BLOCK_EACH_OTHER,

  /** Only the acquiring thread could release. Seen in Redisson (6662, 6878). */
  OWNERSHIP_IS_BOUND_TO_A_THREAD,

  /** Behind a black hole a loss went unnoticed for minutes. Seen in Consul (18271). */
  BLACK_HOLE_HIDES_THE_LOSS,

  /** All locks were given up when the store merely stumbled. Seen in Consul (912, 1162). */
  LEASE_GIVEN_UP_TOO_EARLY,

  /** A loss was told to one who never held the lock. Seen in client-go (1187). */
  LOSS_TOLD_TO_A_NON_HOLDER,

  /** Each release woke every waiter at once. Seen in Consul (7523). */
  THUNDERING_HERD,

  /** A takeover kept the token of the one before, and nobody could release. Kibana (220476). */
  TAKEOVER_KEEPS_THE_TOKEN,

  /** A set-up of the index that failed was remembered until a restart. Kibana (230499). */
  FAILED_SETUP_IS_CACHED,

  /** A "repair" deleted the index with live locks in it. Seen in Kibana (218901). */
  REPAIR_DELETES_LIVE_LOCKS,

  /** The index's name became an alias after an upgrade. Seen in Kibana (244559). */
  INDEX_NAME_BECOMES_AN_ALIAS,

  /** The fencing token was the current one, not the holder's. Seen in Redisson. */
  FENCING_TOKEN_OF_SOMEBODY_ELSE,

  /** State for fencing was never removed: 25 million keys. Seen in Redisson (6510). */
  FENCING_STATE_GROWS_FOR_EVER,

  /** Arguments were ignored in silence. Seen in Redisson. */
  ARGUMENTS_ARE_IGNORED,

  /** Acquiring again through one handle overwrote the token that was held. Seen in Kibana. */
  ACQUIRING_AGAIN_OVERWRITES_THE_TOKEN,

  /** Renewals in a queue delayed the release. Seen in Kibana. */
  RENEWALS_DELAY_THE_RELEASE,

  /**
   * After a cold start, a crashed holder's lock could be had only after a whole lease more. Seen in
   * the DynamoDB client (34, 93).
   */
  COLD_START_WAITS_A_WHOLE_LEASE
}
