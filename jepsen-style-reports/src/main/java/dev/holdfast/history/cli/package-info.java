/** The command line. */
@NullMarked
package dev.holdfast.history.cli;

import org.jspecify.annotations.NullMarked;
