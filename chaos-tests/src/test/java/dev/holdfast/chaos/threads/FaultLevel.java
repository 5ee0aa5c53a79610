package dev.holdfast.chaos.threads;

/**
 * What the way to the store does to requests, as chances in a thousand.
 *
 * @param late that a request is delayed on its way, and as many of the answers
 * @param latestPerTtl the longest such delay, as parts of a hundred of the TTL; a request is
 *     abandoned after a third of it
 * @param lost that a request is lost before or after it was applied
 * @param twice that it is applied twice
 * @param thrown that the store's method throws, or its future fails or holds no answer
 * @param stale that a read shows what an earlier one showed
 * @param severed whether processes are cut off from the store for some time
 */
record FaultLevel(
    int late, int latestPerTtl, int lost, int twice, int thrown, int stale, boolean severed) {

  /** Every request is answered soon. */
  static final FaultLevel CALM = new FaultLevel(0, 0, 0, 0, 0, 0, false);

  /** Requests are late, also later than anybody waits for them; but none is lost. */
  static final FaultLevel LATE = new FaultLevel(250, 50, 0, 0, 0, 0, false);

  /** All that can happen to a request. */
  static final FaultLevel LOSSY = new FaultLevel(150, 150, 40, 30, 20, 10, false);

  /** The same, and processes that lose the store altogether. */
  static final FaultLevel SEVERED = new FaultLevel(100, 200, 20, 20, 10, 10, true);

  /**
   * Whether a record that is left over at the end shows that the library forgot it: each read and
   * delete of a clean-up is answered.
   */
  boolean leavesNoRecord() {
    return lost == 0 && twice == 0 && thrown == 0 && stale == 0 && !severed;
  }
}
