/** What scenarios play on: a cluster and the proxies in front of it. */
@NullMarked
package dev.holdfast.chaos.arena;

import org.jspecify.annotations.NullMarked;
