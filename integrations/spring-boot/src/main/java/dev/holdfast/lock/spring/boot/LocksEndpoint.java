package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;

/**
 * Actuator endpoint {@code locks}: the records of all locks, of one, and its release by force. The
 * last of these is available only with {@code management.endpoint.locks.access=unrestricted}.
 */
@Endpoint(id = "locks", defaultAccess = Access.READ_ONLY)
public final class LocksEndpoint {
  private final LockManager locks;

  LocksEndpoint(LockManager locks) {
    this.locks = locks;
  }

  /** Returns the records of all locks, those that nobody holds among them. */
  @ReadOperation
  public Locks list() {
    return new Locks(
        locks.list().stream()
            .sorted(Comparator.comparing(LockInfo::lockId))
            .map(LocksEndpoint::described)
            .toList());
  }

  /** Returns the record of a lock; null if there is none. */
  @ReadOperation
  public @Nullable LockDescription show(@Selector(match = Match.ALL_REMAINING) String... id) {
    return locks.find(joined(id)).map(LocksEndpoint::described).orElse(null);
  }

  /** Releases a lock by force, no matter who holds it. */
  @DeleteOperation
  public Released release(@Selector(match = Match.ALL_REMAINING) String... id) {
    String lockId = joined(id);
    return new Released(lockId, locks.forceRelease(lockId));
  }

  /** An id may have slashes. */
  private static String joined(String... segments) {
    return String.join("/", segments);
  }

  private static LockDescription described(LockInfo lock) {
    return new LockDescription(
        lock.lockId(),
        lock.owner(),
        lock.isHeld() && !lock.expired(),
        lock.createdAt(),
        lock.expiresAt(),
        lock.ttl().toMillis(),
        lock.metadata());
  }

  /**
   * All locks.
   *
   * @param locks sorted by id
   */
  public record Locks(List<LockDescription> locks) {}

  /**
   * The record of a lock.
   *
   * @param id the lock's id
   * @param owner the holder, or who held it last
   * @param held whether it was held when it was read, or lingers
   * @param acquiredAt by the holder's clock
   * @param expiresAt by the holder's clock
   * @param ttlMillis the lease's length
   * @param metadata what the holder attached
   */
  public record LockDescription(
      String id,
      String owner,
      boolean held,
      @Nullable Instant acquiredAt,
      @Nullable Instant expiresAt,
      long ttlMillis,
      Map<String, Object> metadata) {}

  /**
   * The outcome of a release.
   *
   * @param id the lock's id, as it was understood
   * @param released whether there was a record
   */
  public record Released(String id, boolean released) {}
}
