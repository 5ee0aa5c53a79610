/** The services under measurement: their servers, and a client for each. */
@NullMarked
package dev.holdfast.bench.peers;

import org.jspecify.annotations.NullMarked;
