/**
 * The fault-injection suite: faults, the clients under test, and the checkers of their histories.
 */
@NullMarked
package dev.holdfast.chaos;

import org.jspecify.annotations.NullMarked;
