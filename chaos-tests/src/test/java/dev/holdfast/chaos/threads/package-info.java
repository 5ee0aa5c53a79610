/**
 * The library on real threads, under random faults: executors, schedulers and stores that fail,
 * interrupts, errors, and managers that are closed at any time.
 */
@NullMarked
package dev.holdfast.chaos.threads;

import org.jspecify.annotations.NullMarked;
