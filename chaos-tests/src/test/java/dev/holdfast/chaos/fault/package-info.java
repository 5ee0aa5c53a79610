/** Faults: what they break, and how they are undone. */
@NullMarked
package dev.holdfast.chaos.fault;

import org.jspecify.annotations.NullMarked;
