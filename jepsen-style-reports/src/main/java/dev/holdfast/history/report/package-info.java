/**
 * The store of runs, and the pages by which a person sees at a glance who held which lock when, and
 * what was broken meanwhile.
 */
@NullMarked
package dev.holdfast.history.report;

import org.jspecify.annotations.NullMarked;
