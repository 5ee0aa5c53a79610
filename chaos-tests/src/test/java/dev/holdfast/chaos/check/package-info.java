/** Checkers for what only runs on real clusters show, and figures about them. */
@NullMarked
package dev.holdfast.chaos.check;

import org.jspecify.annotations.NullMarked;
