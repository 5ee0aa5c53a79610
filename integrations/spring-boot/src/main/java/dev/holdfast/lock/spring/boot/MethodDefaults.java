package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What applies to methods whose annotation says nothing else. No bean {@link LockOptions}, which an
 * application may define for its own use.
 *
 * @param options the options
 * @param requestTimeout how long one request may take; null if that depends on the TTL
 */
record MethodDefaults(LockOptions options, @Nullable Duration requestTimeout) {
  static MethodDefaults of(HoldfastProperties properties) {
    return new MethodDefaults(properties.defaults().options(), properties.requestTimeout());
  }
}
