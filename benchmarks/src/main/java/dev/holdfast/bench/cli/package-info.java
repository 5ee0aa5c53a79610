/** The command line: {@code benchmarks.jar} and its command {@code compare}. */
@NullMarked
package dev.holdfast.bench.cli;

import org.jspecify.annotations.NullMarked;
