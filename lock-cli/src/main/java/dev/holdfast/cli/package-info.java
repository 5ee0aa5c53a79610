/** The operator's command line, {@code holdfast.jar}. Not an API. */
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
