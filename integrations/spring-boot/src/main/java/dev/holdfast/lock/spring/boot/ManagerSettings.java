package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import java.time.Duration;
import java.util.function.Function;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/** The properties of a lock manager. */
final class ManagerSettings {
  private ManagerSettings() {}

  /** The rule of the lock manager, which applies it to each call. */
  static Duration longestRequestTimeout(LockOptions options) {
    return options.ttl().dividedBy(3);
  }

  static void apply(HoldfastProperties properties, LockManager.Builder builder) {
    LockOptions options = properties.defaults().options();
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
      if (properties.requestTimeout().compareTo(longestRequestTimeout(options)) > 0) {
        throw new InvalidConfigurationPropertyValueException(
            "holdfast.request-timeout",
            properties.requestTimeout(),
            "must be at most a third of holdfast.defaults.ttl, " + options.ttl());
      }
    }
    if (properties.owner() != null) {
      set("holdfast.owner", properties.owner(), builder::owner);
    }
  }

  private static <T> void set(String property, T value, Function<T, LockManager.Builder> setter) {
    LockManager.Builder unused = Settings.apply(property, value, setter);
  }
}
