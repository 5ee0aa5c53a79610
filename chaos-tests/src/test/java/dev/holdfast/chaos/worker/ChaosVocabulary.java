package dev.holdfast.chaos.worker;

/** The names in a chaos run's history beyond {@link dev.holdfast.history.Vocabulary}. */
public final class ChaosVocabulary {

  /** The operation that adds one to a lock's counter, without fencing. */
  public static final String INCREMENT = "increment";

  /** The operation by which a lock's counter is read in the end. */
  public static final String FINAL_COUNT = "final-count";

  /** Key: the counter's value, after an increment or as read. */
  public static final String COUNT = "count";

  /** Key: whether a lease that is asked for is renewed in the background until it is released. */
  public static final String RENEWED = "renewed";

  /** Key: why an operation had no success, as a value that checkers read. */
  public static final String REASON = "reason";

  /**
   * The reason of a renewal or release of a lease that was lost. It may have been applied all the
   * same, so it is recorded as unknown.
   */
  public static final String NOT_HELD = "not-held";

  /**
   * The reason of an acquisition that was given up after an answer of 429: Elasticsearch had no
   * room in a queue.
   */
  public static final String REJECTED = "rejected";

  /** The reason of an acquisition that was given up because the index was blocked for writes. */
  public static final String BLOCKED = "blocked";

  /** Key: how often a fault that counts this hit something, at its end. */
  public static final String HITS = "hits";

  /** Key of a notice of resources: what the heap is filled with, in KiB. */
  public static final String HEAP_KIB = "heap-kib";

  /** Key of a notice of resources: how many threads there are. */
  public static final String THREADS = "threads";

  /** Key of a notice of resources: how many files are open, sockets among them. */
  public static final String FILES = "open-files";

  /** Key of a notice of resources: how many sockets are open. */
  public static final String SOCKETS = "sockets";

  private ChaosVocabulary() {}
}
