package dev.holdfast.concurrency;

/**
 * Two threads do one thing each to the same object, once; afterwards its state is judged. An object
 * is one run. Nothing in it blocks.
 */
public interface Race {
  /** How a verdict begins that no run may have. */
  String BROKEN = "broken: ";

  /** On one thread. */
  void first();

  /** On another, at the same time. */
  void second();

  /**
   * Afterwards, on any thread.
   *
   * @return what has become of it: {@link #BROKEN} and what is wrong; else which of the orders it
   *     was, as far as it shows
   */
  String verdict();
}
