/** The catalogue of scenarios, their runs and their outcomes. */
@NullMarked
package dev.holdfast.chaos.scenario;

import org.jspecify.annotations.NullMarked;
