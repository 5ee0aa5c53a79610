package dev.holdfast.cli;

import dev.holdfast.lock.LockInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A lock's record as commands show it. */
final class Records {
  private Records() {}

  /**
   * {@code held}; {@code expired}: not renewed in time; {@code unheld}: kept unavailable after its
   * release; {@code free}: that is over, and nobody has acquired the lock since.
   */
  static String state(LockInfo info) {
    if (info.isHeld()) {
      return info.expired() ? "expired" : "held";
    }
    return info.expired() ? "free" : "unheld";
  }

  static String owner(LockInfo info) {
    return info.owner().isEmpty() ? "(unknown)" : info.owner();
  }

  /** Since when the record is there, by the holder's clock; zero if it does not say. */
  static Duration age(LockInfo info, Instant now) {
    return since(info.createdAt(), now);
  }

  static Duration since(@Nullable Instant then, Instant now) {
    return then == null || then.isAfter(now) ? Duration.ZERO : Duration.between(then, now);
  }

  static String ageText(LockInfo info, Instant now) {
    return info.createdAt() == null ? "?" : Durations.text(age(info, now));
  }

  /** Such as {@code in 12s} or {@code 3m ago}. */
  static String expiry(LockInfo info, Instant now) {
    Instant expiresAt = info.expiresAt();
    if (expiresAt == null) {
      return "?";
    }
    Duration left = Duration.between(now, expiresAt);
    return left.isNegative() || left.isZero()
        ? Durations.text(left.negated()) + " ago"
        : "in " + Durations.text(left);
  }

  /** In a sentence: who holds it, since when and until when. */
  static String holder(LockInfo info, Instant now) {
    String since = info.createdAt() == null ? "" : " for " + Durations.text(age(info, now));
    return switch (state(info)) {
      case "expired" -> "was held by " + owner(info) + ", whose lease expired " + expiry(info, now);
      case "free" ->
          "is held by nobody; "
              + owner(info)
              + " released it, and kept it unavailable until "
              + info.expiresAt();
      case "unheld" ->
          "is held by nobody, but kept unavailable by "
              + owner(info)
              + " until "
              + info.expiresAt();
      default -> "is held by " + owner(info) + since + ", expires " + expiry(info, now);
    };
  }

  static Map<String, @Nullable Object> json(LockInfo info, Instant now) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("lockId", info.lockId());
    json.put("state", state(info));
    json.put("owner", info.owner());
    json.put("token", info.token());
    json.put("createdAt", text(info.createdAt()));
    json.put("expiresAt", text(info.expiresAt()));
    json.put("ageMillis", age(info, now).toMillis());
    json.put("ttlMillis", info.ttl().toMillis());
    json.put("metadata", info.metadata());
    return json;
  }

  private static @Nullable String text(@Nullable Instant instant) {
    return instant == null ? null : instant.toString();
  }
}
