/**
 * Checkers: each checks one property of a history and says in words what it saw. A verdict is
 * valid, invalid or unknown; what could not be checked is never called valid.
 */
@NullMarked
package dev.holdfast.history.check;

import org.jspecify.annotations.NullMarked;
