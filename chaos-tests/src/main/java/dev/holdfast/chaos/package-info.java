/** What breaks Holdfast's surroundings on purpose, and watches whether its promises hold. */
@NullMarked
package dev.holdfast.chaos;

import org.jspecify.annotations.NullMarked;
