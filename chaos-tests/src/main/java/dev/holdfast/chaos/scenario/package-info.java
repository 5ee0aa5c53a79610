/** What is tried, how it is run, and what comes out. */
@NullMarked
package dev.holdfast.chaos.scenario;

import org.jspecify.annotations.NullMarked;
