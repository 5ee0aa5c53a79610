/** Benchmarks of Holdfast against real servers, and their command line. */
@NullMarked
package dev.holdfast.bench;

import org.jspecify.annotations.NullMarked;
