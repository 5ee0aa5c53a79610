/**
 * What scenarios play on: a cluster, the proxies in front of it, and the rules that part its nodes.
 */
@NullMarked
package dev.holdfast.chaos.arena;

import org.jspecify.annotations.NullMarked;
