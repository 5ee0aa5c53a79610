/** Metrics through Micrometer, which is an optional dependency. */
@NullMarked
package dev.holdfast.lock.micrometer;

import org.jspecify.annotations.NullMarked;
