package dev.holdfast.lock.micrometer;

import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import java.util.Locale;

/**
 * The name and the key values of an observation of a lock. Its methods are the default convention:
 * the name {@code holdfast.lock}, the low-cardinality key {@code outcome} and the high-cardinality
 * keys {@code lock.id} and {@code lock.fencing.token}. Override what is to be different.
 */
public interface LockObservationConvention extends ObservationConvention<LockObservationContext> {
  @Override
  default boolean supportsContext(Observation.Context context) {
    return context instanceof LockObservationContext;
  }

  @Override
  default String getName() {
    return "holdfast.lock";
  }

  /** Asked at the beginning, when there is no outcome yet, and at the end. */
  @Override
  default KeyValues getLowCardinalityKeyValues(LockObservationContext context) {
    return KeyValues.of(
        "outcome",
        context
            .outcome()
            .map(outcome -> outcome.name().toLowerCase(Locale.ROOT))
            .orElse(KeyValue.NONE_VALUE));
  }

  /** Asked at the beginning, when there is no fencing token yet, and at the end. */
  @Override
  default KeyValues getHighCardinalityKeyValues(LockObservationContext context) {
    return KeyValues.of(
        "lock.id",
        context.lockId(),
        "lock.fencing.token",
        context.fencingToken().map(Object::toString).orElse(KeyValue.NONE_VALUE));
  }
}
