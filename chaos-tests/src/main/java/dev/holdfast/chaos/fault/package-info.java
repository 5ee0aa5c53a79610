/** What can be broken, and how it is mended. */
@NullMarked
package dev.holdfast.chaos.fault;

import org.jspecify.annotations.NullMarked;
