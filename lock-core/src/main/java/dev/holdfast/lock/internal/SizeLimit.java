package dev.holdfast.lock.internal;

import java.util.function.BiPredicate;

/**
 * How large a request may be: as configured, until requests of a smaller size are rejected. Proxies
 * limit what passes through them, and the only way to learn of it is a rejected request. The limit
 * then drops to half the size that was rejected, and grows slowly while requests close to it pass,
 * since a proxy may be reconfigured, or may have rejected a request for another reason.
 * Thread-safe; shared by all that send along one way.
 */
public final class SizeLimit {
  /** No proxy allows less. */
  private static final long MIN_BYTES = 512;

  /** So many requests of at least half the limit must pass before it is raised by half. */
  private static final int PASSES_BEFORE_GROWTH = 200;

  private final long maxBytes;
  private final BiPredicate<Throwable, Long> isTooLarge;

  // Guarded by this.
  private long bytes;
  private int passes;

  /**
   * Makes one.
   *
   * @param maxBytes the limit to begin with, which it never exceeds
   * @param isTooLarge whether a request of that many bytes that failed so may pass in parts
   */
  public SizeLimit(long maxBytes, BiPredicate<Throwable, Long> isTooLarge) {
    this.maxBytes = maxBytes;
    this.isTooLarge = isTooLarge;
    this.bytes = maxBytes;
  }

  /** The size that requests of several operations must not exceed now. */
  public synchronized long bytes() {
    return bytes;
  }

  /** Whether a request of that size that failed so may pass in parts. Lowers the limit if so. */
  public boolean isExceeded(Throwable failure, long requestBytes) {
    if (!isTooLarge.test(failure, requestBytes)) {
      return false;
    }
    synchronized (this) {
      bytes = Math.max(MIN_BYTES, Math.min(bytes, requestBytes / 2));
      passes = 0;
    }
    return true;
  }

  /** A request of that size was answered. */
  public synchronized void passed(long requestBytes) {
    if (bytes < maxBytes && requestBytes >= bytes / 2 && ++passes >= PASSES_BEFORE_GROWTH) {
      bytes = Math.min(maxBytes, bytes + bytes / 2);
      passes = 0;
    }
  }
}
