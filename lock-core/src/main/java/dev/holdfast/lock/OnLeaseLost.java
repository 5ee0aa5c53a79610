package dev.holdfast.lock;

/** The reaction to the loss of a lease whose body is running. */
public enum OnLeaseLost {
  /**
   * The body's thread is interrupted, and the stage of an asynchronous body is cancelled. The
   * callbacks of {@link Lease#onLost} run as well.
   */
  INTERRUPT,
  /** Only the callbacks of {@link Lease#onLost} run; the body has to check {@link Lease#isHeld}. */
  NOTIFY
}
