/** JMH benchmarks of Holdfast, of raw requests and of other lock services. */
@NullMarked
package dev.holdfast.bench.jmh;

import org.jspecify.annotations.NullMarked;
