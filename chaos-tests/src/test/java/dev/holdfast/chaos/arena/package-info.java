/** The arena of scenarios: a cluster and the proxies in front of it. */
@NullMarked
package dev.holdfast.chaos.arena;

import org.jspecify.annotations.NullMarked;
