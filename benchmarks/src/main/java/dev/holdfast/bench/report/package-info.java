/** Measurements with their goals, their tables and pages, and what all commands have in common. */
@NullMarked
package dev.holdfast.bench.report;

import org.jspecify.annotations.NullMarked;
