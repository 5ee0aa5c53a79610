/**
 * Measurements that do not fit JMH: interleaved comparisons, held leases, several managers and
 * processes.
 */
@NullMarked
package dev.holdfast.bench.scenarios;

import org.jspecify.annotations.NullMarked;
