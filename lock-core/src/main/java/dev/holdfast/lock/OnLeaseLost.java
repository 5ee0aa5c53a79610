package dev.holdfast.lock;

/** What happens to a running body when its lease is lost. */
public enum OnLeaseLost {
  /** The body's thread is interrupted. The callbacks of {@link Lease#onLost} run as well. */
  INTERRUPT,
  /** Only the callbacks of {@link Lease#onLost} run; the body is to ask {@link Lease#isHeld}. */
  NOTIFY
}
