package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.LockRecord;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * How a lock is to be acquired and kept. Immutable: each {@code with} method returns a changed
 * copy.
 */
public final class LockOptions {
  /** The shortest TTL: 100 ms. */
  public static final Duration MIN_TTL = Duration.ofMillis(100);

  /** The longest TTL: 24 h. */
  public static final Duration MAX_TTL = Duration.ofHours(24);

  /** The longest wait: 365 days. */
  public static final Duration MAX_WAIT = Duration.ofDays(365);

  private static final LockOptions DEFAULTS =
      new LockOptions(
          Duration.ofSeconds(30), Duration.ZERO, Metadata.NONE, true, OnLeaseLost.INTERRUPT);

  private final Duration ttl;
  private final Duration waitTimeout;
  private final Metadata metadata;
  private final boolean autoRenew;
  private final OnLeaseLost onLeaseLost;

  private LockOptions(
      Duration ttl,
      Duration waitTimeout,
      Metadata metadata,
      boolean autoRenew,
      OnLeaseLost onLeaseLost) {
    this.ttl = ttl;
    this.waitTimeout = waitTimeout;
    this.metadata = metadata;
    this.autoRenew = autoRenew;
    this.onLeaseLost = onLeaseLost;
  }

  /**
   * A TTL of 30 s, one attempt without waiting, no metadata, renewed in the background, and the
   * body interrupted when the lease is lost.
   */
  public static LockOptions defaults() {
    return DEFAULTS;
  }

  /**
   * How long the lease lasts when it is not renewed, and so how long a crashed holder blocks
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
    return new LockOptions(ttl, waitTimeout, metadata, autoRenew, onLeaseLost);
  }

  /**
   * How long to wait for a lock that another holds, or for a store that does not answer.
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
    return new LockOptions(ttl, waitTimeout, metadata, autoRenew, onLeaseLost);
  }

  /**
   * What others see beside the lock, such as the job's name. Copied as JSON now; later changes to
   * the map have no effect.
   *
   * @param metadata maps, lists, strings, finite numbers, booleans and nulls, at most {@link
   *     LockRecord#MAX_METADATA_DEPTH} levels of maps and lists inside one another; or objects that
   *     Jackson writes as such. Other values, such as dates, are given as strings
   * @throws IllegalArgumentException if it cannot be written as JSON, or is nested too deeply; the
   *     message names the value
   */
  public LockOptions withMetadata(Map<String, ?> metadata) {
    return new LockOptions(ttl, waitTimeout, Metadata.of(metadata), autoRenew, onLeaseLost);
  }

  /** Whether the lease is renewed in the background while it is held. */
  public LockOptions withAutoRenew(boolean autoRenew) {
    return new LockOptions(ttl, waitTimeout, metadata, autoRenew, onLeaseLost);
  }

  /** What happens to a running body when its lease is lost. */
  public LockOptions withOnLeaseLost(OnLeaseLost onLeaseLost) {
    Objects.requireNonNull(onLeaseLost, "onLeaseLost");
    return new LockOptions(ttl, waitTimeout, metadata, autoRenew, onLeaseLost);
  }

  /** How long the lease lasts when it is not renewed. */
  public Duration ttl() {
    return ttl;
  }

  /** How long to wait; zero for a single attempt. */
  public Duration waitTimeout() {
    return waitTimeout;
  }

  /** The metadata, as an unmodifiable tree of JSON values. */
  public Map<String, Object> metadata() {
    return metadata.tree();
  }

  /** Whether the lease is renewed in the background. */
  public boolean autoRenew() {
    return autoRenew;
  }

  /** What happens to a running body when its lease is lost. */
  public OnLeaseLost onLeaseLost() {
    return onLeaseLost;
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
        && onLeaseLost == o.onLeaseLost;
  }

  @Override
  public int hashCode() {
    return Objects.hash(ttl, waitTimeout, metadata, autoRenew, onLeaseLost);
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
            + "]");
  }
}
