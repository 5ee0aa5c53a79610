package dev.holdfast.badexamples.memory;

import io.micrometer.core.instrument.MeterRegistry;

/** Micrometer is optional: what uses it is in a package of its own. */
public interface StoreThatLogsToMicrometer {
  MeterRegistry registry();
}
