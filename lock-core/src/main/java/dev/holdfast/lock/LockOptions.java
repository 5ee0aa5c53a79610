package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.LockRecord;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Options of one acquisition: how to wait for the lock, and how to keep it. Immutable: each {@code
 * with} method returns a changed copy.
 */
public final class LockOptions {
  /** The shortest TTL: 100 ms. */
  public static final Duration MIN_TTL = Duration.ofMillis(100);

  /** The longest TTL: 24 h. */
  public static final Duration MAX_TTL = Duration.ofHours(24);

  /** The longest wait: 365 days. */
  public static final Duration MAX_WAIT = Duration.ofDays(365);

  /** The longest time for which a lock may be held at least: 24 h, as the longest TTL. */
  public static final Duration MAX_HOLD_AT_LEAST = MAX_TTL;

  private static final LockOptions DEFAULTS = new LockOptions(new Draft());

  private final Duration ttl;
  private final Duration waitTimeout;
  private final Metadata metadata;
  private final boolean autoRenew;
  private final OnLeaseLost onLeaseLost;
  private final Duration linger;
  private final Duration holdAtLeast;
  private final @Nullable Duration maxHold;

  /** The parts of a copy, of which one is changed. */
  private static final class Draft {
    private Duration ttl = Duration.ofSeconds(30);
    private Duration waitTimeout = Duration.ZERO;
    private Metadata metadata = Metadata.NONE;
    private boolean autoRenew = true;
    private OnLeaseLost onLeaseLost = OnLeaseLost.INTERRUPT;
    private Duration linger = Duration.ZERO;
    private Duration holdAtLeast = Duration.ZERO;
    private @Nullable Duration maxHold;
  }

  private LockOptions(Draft draft) {
    this.ttl = draft.ttl;
    this.waitTimeout = draft.waitTimeout;
    this.metadata = draft.metadata;
    this.autoRenew = draft.autoRenew;
    this.onLeaseLost = draft.onLeaseLost;
    this.linger = draft.linger;
    this.holdAtLeast = draft.holdAtLeast;
    this.maxHold = draft.maxHold;
  }

  /**
   * The default options: a TTL of 30 s, one attempt without waiting, no metadata, renewal in the
   * background, and the body interrupted when the lease is lost. The lock is free as soon as it is
   * released, and may be held for any time.
   */
  public static LockOptions defaults() {
    return DEFAULTS;
  }

  private LockOptions with(Consumer<Draft> change) {
    Draft draft = new Draft();
    draft.ttl = ttl;
    draft.waitTimeout = waitTimeout;
    draft.metadata = metadata;
    draft.autoRenew = autoRenew;
    draft.onLeaseLost = onLeaseLost;
    draft.linger = linger;
    draft.holdAtLeast = holdAtLeast;
    draft.maxHold = maxHold;
    change.accept(draft);
    return new LockOptions(draft);
  }

  /**
   * Sets how long the lease lasts when it is not renewed, and so how long a crashed holder blocks
   * others.
   *
   * @param ttl 100 ms to 24 h, in whole milliseconds
   * @throws IllegalArgumentException if it is out of range
   */
  public LockOptions withTtl(Duration ttl) {
    Objects.requireNonNull(ttl, "ttl");
    if (ttl.compareTo(MIN_TTL) < 0 || ttl.compareTo(MAX_TTL) > 0) {
      throw new IllegalArgumentException("ttl must be from 100 ms to 24 h, but is " + ttl);
    }
    if (!ttl.equals(Duration.ofMillis(ttl.toMillis()))) {
      throw new IllegalArgumentException("ttl must be in whole milliseconds, but is " + ttl);
    }
    return with(draft -> draft.ttl = ttl);
  }

  /**
   * Sets how long to wait for a lock that another holds, or for a store that does not answer.
   *
   * @param waitTimeout zero for a single attempt (which takes at most the request timeout), up to
   *     365 days
   * @throws IllegalArgumentException if it is out of range
   */
  public LockOptions withWaitTimeout(Duration waitTimeout) {
    Objects.requireNonNull(waitTimeout, "waitTimeout");
    if (waitTimeout.isNegative() || waitTimeout.compareTo(MAX_WAIT) > 0) {
      throw new IllegalArgumentException(
          "waitTimeout must be from 0 to 365 days, but is " + waitTimeout);
    }
    return with(draft -> draft.waitTimeout = waitTimeout);
  }

  /**
   * Sets what others see beside the lock, such as the job's name. Copied as JSON now; later changes
   * to the map have no effect.
   *
   * @param metadata maps, lists, strings, finite numbers, booleans and nulls, at most {@link
   *     LockRecord#MAX_METADATA_DEPTH} levels of maps and lists inside one another; or objects that
   *     Jackson writes as such. Other values, such as dates, are given as strings
   * @throws IllegalArgumentException if it cannot be written as JSON, or is nested too deeply; the
   *     message names the value
   */
  public LockOptions withMetadata(Map<String, ?> metadata) {
    Metadata copied = Metadata.of(metadata);
    return with(draft -> draft.metadata = copied);
  }

  /** Sets whether the lease is renewed in the background while it is held. */
  public LockOptions withAutoRenew(boolean autoRenew) {
    return with(draft -> draft.autoRenew = autoRenew);
  }

  /** Sets what happens to a running body when its lease is lost. */
  public LockOptions withOnLeaseLost(OnLeaseLost onLeaseLost) {
    Objects.requireNonNull(onLeaseLost, "onLeaseLost");
    return with(draft -> draft.onLeaseLost = onLeaseLost);
  }

  /**
   * Sets how long the manager keeps the lock after its release, without a holder. The next
   * acquisition by this manager with the same TTL and metadata gets it from memory, with the next
   * fencing token and without a request. Other processes find the lock held for that time.
   *
   * <p>The lease is not renewed to linger, so a lock that was last renewed long before its release
   * may be free sooner. So it is when the manager is closed, it is released by force through this
   * manager, its index is replaced, the process has had it for its share of time ({@code
   * docs/protocol.md}, fairness), or the manager keeps more than 10,000 such locks. Without {@link
   * #autoRenew} it has no effect.
   *
   * <p>A process that acquires the lock again and again leaves it alone for 150 ms about every 2 s,
   * also when it does not linger at that moment. Its own calls wait for as long; a call that makes
   * one attempt, with a TTL below 450 ms, may end as if another held the lock.
   *
   * <p>Not useful for permits ({@link LockManager#tryAcquirePermit}): a call finds a permit that
   * lingers only by chance.
   *
   * @param linger zero for none, up to half the TTL; whether it is within the TTL is checked when
   *     the lock is acquired
   * @throws IllegalArgumentException if it is negative or more than half of {@link #MAX_TTL}
   */
  public LockOptions withLinger(Duration linger) {
    Objects.requireNonNull(linger, "linger");
    if (linger.isNegative() || linger.compareTo(MAX_TTL.dividedBy(2)) > 0) {
      throw new IllegalArgumentException("linger must be from 0 to 12 h, but is " + linger);
    }
    return with(draft -> draft.linger = linger);
  }

  /**
   * Sets how long after its grant the lock stays unavailable, also when it is released before:
   * nobody holds it then, and nobody can acquire it, this process included. For jobs that must not
   * run again too soon, on machines whose clocks differ. A release after that time frees the lock
   * at once. After a crash, or a release that ends {@link ReleaseResult#UNCONFIRMED}, the lock may
   * be free as soon as its TTL has passed.
   *
   * <p>Until that time is over, {@link LockManager#find} and {@link LockManager#list} show a record
   * whose token begins with {@code unheld:}, and {@link LockManager#forceRelease} frees the lock.
   *
   * @param holdAtLeast zero for none, up to 24 h, and at most {@link #maxHold()}, which is checked
   *     when the lock is acquired
   * @throws IllegalArgumentException if it is out of range
   */
  public LockOptions withHoldAtLeast(Duration holdAtLeast) {
    Objects.requireNonNull(holdAtLeast, "holdAtLeast");
    if (holdAtLeast.isNegative() || holdAtLeast.compareTo(MAX_HOLD_AT_LEAST) > 0) {
      throw new IllegalArgumentException(
          "holdAtLeast must be from 0 to 24 h, but is " + holdAtLeast);
    }
    return with(draft -> draft.holdAtLeast = holdAtLeast);
  }

  /**
   * Sets how long the lock may be held at most, from its grant. Then the lease is lost, with {@link
   * LeaseLostException.Reason#MAX_HOLD}, and not renewed any more; others can acquire the lock when
   * it has been released, or when its TTL has passed. A guard against a body that hangs, and
   * against a lease that was forgotten, which would be renewed for as long as the process lives.
   *
   * @param maxHold 1 ms to 365 days
   * @throws IllegalArgumentException if it is out of range
   */
  public LockOptions withMaxHold(Duration maxHold) {
    Objects.requireNonNull(maxHold, "maxHold");
    if (maxHold.compareTo(Duration.ofMillis(1)) < 0 || maxHold.compareTo(MAX_WAIT) > 0) {
      throw new IllegalArgumentException(
          "maxHold must be from 1 ms to 365 days, but is " + maxHold);
    }
    return with(draft -> draft.maxHold = maxHold);
  }

  /** Returns how long the lease lasts when it is not renewed. */
  public Duration ttl() {
    return ttl;
  }

  /** Returns how long to wait; zero for a single attempt. */
  public Duration waitTimeout() {
    return waitTimeout;
  }

  /** Returns the metadata, as an unmodifiable tree of JSON values. */
  public Map<String, Object> metadata() {
    return metadata.tree();
  }

  /** Returns whether the lease is renewed in the background. */
  public boolean autoRenew() {
    return autoRenew;
  }

  /** Returns what happens to a running body when its lease is lost. */
  public OnLeaseLost onLeaseLost() {
    return onLeaseLost;
  }

  /**
   * Returns how long the manager keeps the lock after its release, without a holder; zero for none.
   */
  public Duration linger() {
    return linger;
  }

  /** Returns how long after its grant the lock stays unavailable at least; zero for none. */
  public Duration holdAtLeast() {
    return holdAtLeast;
  }

  /** Returns how long the lock may be held at most; empty for as long as it is renewed. */
  public Optional<Duration> maxHold() {
    return Optional.ofNullable(maxHold);
  }

  /**
   * Checks what depends on more than one option.
   *
   * @throws IllegalArgumentException if two of them contradict each other
   */
  void check() {
    // Not Duration.dividedBy, which takes BigDecimals: this is asked for each acquisition.
    if (linger.plus(linger).compareTo(ttl) > 0) {
      throw new IllegalArgumentException(
          "linger must be at most half the TTL of " + ttl + ", but is " + linger);
    }
    if (maxHold != null && holdAtLeast.compareTo(maxHold) > 0) {
      throw new IllegalArgumentException(
          "holdAtLeast must be at most maxHold, which is " + maxHold + ", but is " + holdAtLeast);
    }
  }

  int metadataBytes() {
    return metadata.bytes();
  }

  boolean isFailFast() {
    return waitTimeout.isZero();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LockOptions o
        && ttl.equals(o.ttl)
        && waitTimeout.equals(o.waitTimeout)
        && metadata.equals(o.metadata)
        && autoRenew == o.autoRenew
        && onLeaseLost == o.onLeaseLost
        && linger.equals(o.linger)
        && holdAtLeast.equals(o.holdAtLeast)
        && Objects.equals(maxHold, o.maxHold);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        ttl, waitTimeout, metadata, autoRenew, onLeaseLost, linger, holdAtLeast, maxHold);
  }

  @Override
  public String toString() {
    return Texts.printable(
        "LockOptions[ttl="
            + ttl
            + ", waitTimeout="
            + waitTimeout
            + ", metadata="
            + metadata.tree()
            + ", autoRenew="
            + autoRenew
            + ", onLeaseLost="
            + onLeaseLost
            + ", linger="
            + linger
            + ", holdAtLeast="
            + holdAtLeast
            + ", maxHold="
            + maxHold
            + "]");
  }
}
