/**
 * Which TTL is safe on a given cluster: measurements, and the arithmetic that turns them into
 * advice.
 */
@NullMarked
package dev.holdfast.bench.ttl;

import org.jspecify.annotations.NullMarked;
