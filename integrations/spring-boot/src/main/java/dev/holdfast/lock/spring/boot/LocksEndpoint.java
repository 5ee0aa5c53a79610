package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;

/**
 * Actuator endpoint {@code locks}: the records of all locks, of one, and its release by force. The
 * last of these is available only with {@code management.endpoint.locks.access=unrestricted}, and
 * releases what has the token that was shown, never another's lock.
 */
@Endpoint(id = "locks", defaultAccess = Access.READ_ONLY)
public final class LocksEndpoint {
  private final LockManager locks;

  LocksEndpoint(LockManager locks) {
    this.locks = locks;
  }

  /**
   * Returns the records of all locks, those that nobody holds among them.
   *
   * @param id if given, only the record of that lock, if there is one
   */
  @ReadOperation
  public Locks list(@Nullable String id) {
    Stream<LockInfo> found =
        id == null
            ? locks.list().stream().sorted(Comparator.comparing(LockInfo::lockId))
            : checked(() -> locks.find(id)).stream();
    return new Locks(found.map(LocksEndpoint::described).toList());
  }

  /** Returns the record of a lock; null if there is none. */
  @ReadOperation
  public @Nullable LockDescription show(@Selector(match = Match.ALL_REMAINING) String... id) {
    // An id may have slashes.
    String lockId = String.join("/", id);
    return checked(() -> locks.find(lockId)).map(LocksEndpoint::described).orElse(null);
  }

  /**
   * Releases a lock by force, if its record has that token. The lock of a successor, whom nobody
   * has looked at, stays as it is.
   */
  @DeleteOperation
  public Released release(String id, String token) {
    return new Released(id, checked(() -> locks.forceRelease(id, token)));
  }

  /** An id that no lock can have is the caller's mistake. */
  private static <T> T checked(Supplier<T> call) {
    try {
      return call.get();
    } catch (IllegalArgumentException e) {
      throw new InvalidEndpointRequestException(String.valueOf(e.getMessage()), "invalid lock id");
    }
  }

  private static LockDescription described(LockInfo lock) {
    return new LockDescription(
        lock.lockId(),
        lock.token(),
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
   * @param token the acquisition's token, which a release needs; the same while the lease is
   *     renewed
   * @param owner the holder, or who held it last
   * @param held whether it was held when it was read, or lingers
   * @param acquiredAt by the holder's clock
   * @param expiresAt by the holder's clock
   * @param ttlMillis the lease's length
   * @param metadata what the holder attached
   */
  public record LockDescription(
      String id,
      String token,
      String owner,
      boolean held,
      @Nullable Instant acquiredAt,
      @Nullable Instant expiresAt,
      long ttlMillis,
      Map<String, Object> metadata) {}

  /**
   * The outcome of a release.
   *
   * @param id the lock's id
   * @param released whether there was a record with that token
   */
  public record Released(String id, boolean released) {}
}
