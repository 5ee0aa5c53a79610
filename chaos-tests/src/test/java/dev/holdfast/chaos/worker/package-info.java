/** A client of Holdfast as a process of its own, and how a test commands it. */
@NullMarked
package dev.holdfast.chaos.worker;

import org.jspecify.annotations.NullMarked;
