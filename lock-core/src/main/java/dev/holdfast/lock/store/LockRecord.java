package dev.holdfast.lock.store;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The record of one lock, as a store keeps it.
 *
 * <p>A record that Holdfast wrote has every part. A record found in a store may have been written
 * by anyone: parts that are missing or make no sense are empty, {@code null} or 0 here, and the
 * record is somebody's lock all the same.
 *
 * @param lockId the lock's name
 * @param token what only its holder knows: a fresh one for each acquisition, or that of {@link
 *     #unheldToken} for a record that nobody holds; empty if unknown
 * @param owner who holds it, diagnostic only; empty if unknown
 * @param createdAt when the acquisition began, by the holder's wall clock; null if unknown
 * @param expiresAt when the lease ends if it is not renewed, by the holder's wall clock; null if
 *     unknown
 * @param ttlMillis the lease's length in milliseconds; 0 or less if unknown
 * @param maxClockSkewMillis how far the holder's wall clock may be from others', in milliseconds;
 *     null when the holder does not want its {@code expiresAt} to be trusted
 * @param metadata what the user attached: a tree of JSON values
 */
public record LockRecord(
    String lockId,
    String token,
    String owner,
    @Nullable Instant createdAt,
    @Nullable Instant expiresAt,
    long ttlMillis,
    @Nullable Long maxClockSkewMillis,
    Map<String, Object> metadata) {
  /**
   * How many levels of maps and lists metadata may have, its own map included. What is deeper is
   * rejected when it is given, and cut off when it is found in a store.
   */
  public static final int MAX_METADATA_DEPTH = 100;

  /** What the token of a record begins with that nobody holds, see {@link #isUnheld}. */
  private static final String UNHELD = "unheld:";

  /** Checks the parts and makes the metadata unmodifiable. */
  public LockRecord {
    Objects.requireNonNull(lockId, "lockId");
    Objects.requireNonNull(token, "token");
    Objects.requireNonNull(owner, "owner");
    // Not Map.copyOf: JSON objects may hold null values, and their order is worth keeping.
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /**
   * Whether nobody holds the lock, and the record only keeps it unavailable until it expires: the
   * holder has released it, but had asked for it to be unavailable for longer.
   */
  public boolean isUnheld() {
    return isUnheldToken(token);
  }

  /** The token of the record that nobody holds, and that takes the place of a holder's. */
  public static String unheldToken(String token) {
    return UNHELD + token;
  }

  /** Whether no holder may have that token, as it is one that {@link #unheldToken} makes. */
  public static boolean isUnheldToken(String token) {
    return token.startsWith(UNHELD);
  }
}
