package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import java.util.function.Function;

/** The properties of a lock manager. */
final class ManagerSettings {
  private ManagerSettings() {}

  static void apply(
      HoldfastProperties properties, LockOptions options, LockManager.Builder builder) {
    set("holdfast.defaults", options, builder::defaultOptions);
    set("holdfast.max-clock-skew", properties.maxClockSkew(), builder::maxClockSkew);
    set("holdfast.max-clock-drift", properties.maxClockDrift(), builder::maxClockDrift);
    builder.calendarTakeover(properties.calendarTakeover());
    set("holdfast.release-timeout", properties.releaseTimeout(), builder::releaseTimeout);
    set("holdfast.max-poll-interval", properties.maxPollInterval(), builder::maxPollInterval);
    set(
        "holdfast.max-metadata-size",
        properties.maxMetadataSize(),
        size -> builder.maxMetadataBytes((int) Math.min(Integer.MAX_VALUE, size.toBytes())));
    if (properties.requestTimeout() != null) {
      set("holdfast.request-timeout", properties.requestTimeout(), builder::requestTimeout);
    }
    if (properties.owner() != null) {
      set("holdfast.owner", properties.owner(), builder::owner);
    }
  }

  private static <T> void set(String property, T value, Function<T, LockManager.Builder> setter) {
    LockManager.Builder unused = Settings.apply(property, value, setter);
  }
}
