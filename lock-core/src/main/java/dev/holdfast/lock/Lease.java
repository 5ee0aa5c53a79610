package dev.holdfast.lock;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A lock that is held for a while, and renewed in the background until it is released or lost.
 * Thread-safe, and bound to no thread: any thread may use and release it.
 *
 * <p>A lease that is lost stays lost. Between a check and the work that follows it a process can be
 * paused for any time, so work that must not run beside another holder's is to be fenced, see
 * {@link #fencingToken}.
 */
public interface Lease extends AutoCloseable {
  /** Returns the lock's id. */
  String lockId();

  /**
   * Returns the token that identifies this acquisition: the token in the store's record and, if the
   * lock was handed off within this process or lingered since that was won, {@code #} and the
   * number of that handoff.
   */
  String token();

  /**
   * Returns a token that rises with each grant of this lock, to be passed to the resource that the
   * lock protects.
   */
  FencingToken fencingToken();

  /**
   * Returns when the write that won the lock was begun or, after a handoff in memory, when that
   * was; by the wall clock of this process.
   */
  Instant acquiredAt();

  /** Returns how long a crashed holder blocks others: {@link LockOptions#withTtl}. */
  Duration ttl();

  /**
   * Returns how long the lease is valid unless it is renewed, and at most how long it may still be
   * held ({@link LockOptions#withMaxHold}); zero if it is not held.
   */
  Duration remaining();

  /** Returns whether the lease is valid now by both clocks of this process. Does no I/O. */
  boolean isHeld();

  /**
   * Renews now, and waits for the answer, at most for the request timeout (and without being
   * interruptible: an interrupt is kept for later).
   *
   * @return true if the store acknowledged within that time; false if it did not (the renewal may
   *     still succeed), or if the lease is released or lost (then nothing was changed)
   */
  boolean renew();

  /**
   * Makes sure that the lease is valid for at least so long from now, renewing it if need be. Waits
   * at most for twice the request timeout.
   *
   * @param atLeast more than zero, and less than what a renewal gives (the TTL less margins)
   * @throws LeaseLostException if that cannot be had
   * @throws IllegalArgumentException if {@code atLeast} is out of range
   */
  void ensureHeld(Duration atLeast);

  /**
   * Replaces how long the lock is held at least and at most ({@link LockOptions#withHoldAtLeast},
   * {@link LockOptions#withMaxHold}). Both count from now. Without I/O: the lease is renewed as
   * before.
   *
   * @param holdAtLeast zero for no longer than until the release, up to 24 h, and at most {@code
   *     maxHold}
   * @param maxHold 1 ms to 365 days
   * @return false if the lease is not held any more; nothing was changed then
   * @throws IllegalArgumentException if one is out of range, or they contradict each other
   */
  boolean limitHold(Duration holdAtLeast, Duration maxHold);

  /**
   * Registers a callback for the loss of the lease: it runs on the callback executor, exactly once,
   * also when the lease is lost already. Not run for a lease that was released.
   */
  void onLost(Consumer<LeaseLostException> callback);

  /**
   * Gives the lock back, and waits for the answer, at most for the release timeout. Acts once;
   * further calls return the same result. Works on an interrupted thread too.
   */
  ReleaseResult release();

  /**
   * Gives the lock back without waiting. Cancelling the future changes nothing. Dependent stages
   * run on the callback executor.
   */
  CompletableFuture<ReleaseResult> releaseAsync();

  /**
   * Gives the lock back.
   *
   * @throws LeaseLostException if the lease had been lost, also if only the release shows it, so
   *     that try-with-resources hides no loss
   */
  @Override
  void close();
}
