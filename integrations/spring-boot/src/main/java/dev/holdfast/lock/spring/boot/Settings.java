package dev.holdfast.lock.spring.boot;

import java.util.function.Function;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/** Values of properties, whose errors name the property. */
final class Settings {
  private Settings() {}

  /** Applies a value, which is shown if it is out of range. */
  static <T, R> R apply(String property, T value, Function<? super T, R> setter) {
    try {
      return setter.apply(value);
    } catch (IllegalArgumentException e) {
      throw new InvalidConfigurationPropertyValueException(
          property, value, String.valueOf(e.getMessage()));
    }
  }

  /** Applies a value that may be, or contain, a secret. */
  static <T, R> R applySecret(String property, T value, Function<? super T, R> setter) {
    try {
      return setter.apply(value);
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException("Property " + property + ": " + e.getMessage(), e);
    }
  }
}
