/**
 * Metrics and observations through Micrometer, which is an optional dependency: {@link
 * dev.holdfast.lock.micrometer.HoldfastMetrics} and {@link
 * dev.holdfast.lock.micrometer.HoldfastObservations}.
 */
@NullMarked
package dev.holdfast.lock.micrometer;

import org.jspecify.annotations.NullMarked;
