package dev.holdfast.chaos.worker;

/** The names in a chaos run's history beyond {@link dev.holdfast.history.Vocabulary}. */
public final class ChaosVocabulary {

  /** The operation that adds one to a lock's counter, without fencing. */
  public static final String INCREMENT = "increment";

  /** The operation by which a lock's counter is read in the end. */
  public static final String FINAL_COUNT = "final-count";

  /** Key: the counter's value, after an increment or as read. */
  public static final String COUNT = "count";

  /**
   * Key: true in a renewal that is none, but the record of what a client believed at that moment
   * about a lock that is renewed in the background.
   */
  public static final String OBSERVED = "observed";

  /** Key: whether a lease that is asked for is to be kept by itself until it is given back. */
  public static final String RENEWED = "renewed";

  /**
   * The error of a renewal or release of a lease that was lost. It may have been applied all the
   * same, so it is recorded as unknown.
   */
  public static final String NOT_HELD = "not held";

  private ChaosVocabulary() {}
}
