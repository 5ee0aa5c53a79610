package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The record of a lock, as the store shows it. A snapshot for display: by the time it is read,
 * another may hold the lock. A record whose token begins with {@code unheld:} is of a lock that was
 * released, and that {@link LockOptions#withHoldAtLeast} keeps unavailable until {@code expiresAt}.
 *
 * @param lockId the lock's id
 * @param token the acquisition's token, or {@code unheld:} and that token; empty if the record has
 *     none
 * @param owner host, process and manager of the holder; empty if the record has none
 * @param createdAt when it was acquired, by the holder's clock; null if the record does not say
 * @param expiresAt when it ends unless renewed, by the holder's clock; null if the record does not
 *     say
 * @param ttl the lease's length; zero if the record does not say
 * @param metadata what the holder attached, as a tree of JSON values
 * @param expired whether {@code expiresAt} has passed by this process's wall clock; the record
 *     stays until another takes the lock over
 * @param version the version of the record
 */
public record LockInfo(
    String lockId,
    String token,
    String owner,
    @Nullable Instant createdAt,
    @Nullable Instant expiresAt,
    Duration ttl,
    Map<String, Object> metadata,
    boolean expired,
    Version version)
    implements Serializable {
  /** Checks the parts. */
  public LockInfo {
    Objects.requireNonNull(lockId, "lockId");
    Objects.requireNonNull(token, "token");
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(ttl, "ttl");
    Objects.requireNonNull(metadata, "metadata");
    Objects.requireNonNull(version, "version");
  }

  static LockInfo of(ReadResult.Found found, Instant now) {
    return of(found.record(), found.version(), now);
  }

  static LockInfo of(LockRecord record, Version version, Instant now) {
    Instant expiresAt = record.expiresAt();
    return new LockInfo(
        record.lockId(),
        record.token(),
        record.owner(),
        record.createdAt(),
        expiresAt,
        Duration.ofMillis(Math.max(0, record.ttlMillis())),
        record.metadata(),
        expiresAt != null && !now.isBefore(expiresAt),
        version);
  }

  /**
   * Returns whether this is the record of a lease: false if {@link LockOptions#withHoldAtLeast}
   * keeps a released lock unavailable. Whether the lease may be over is {@link #expired}.
   */
  public boolean isHeld() {
    return !LockRecord.isUnheldToken(token);
  }

  /** All of it in one line, with control characters escaped. */
  @Override
  public String toString() {
    return Texts.printable(
        "LockInfo[lockId="
            + lockId
            + ", token="
            + token
            + ", owner="
            + owner
            + ", createdAt="
            + createdAt
            + ", expiresAt="
            + expiresAt
            + ", ttl="
            + ttl
            + ", metadata="
            + metadata
            + ", expired="
            + expired
            + ", version="
            + version
            + "]");
  }
}
