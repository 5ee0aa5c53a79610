/**
 * Real Elasticsearch nodes as processes of the operating system, for tests and benchmarks.
 *
 * <p>{@link dev.holdfast.cluster.ElasticsearchNode} starts one, {@link
 * dev.holdfast.cluster.SharedNodes} hands out one per version that all tests of a JVM share.
 * Whatever happens to the JVM, no process and no file is left behind: a supervisor, a small shell
 * script in a session of its own, waits for the pipe from the JVM to close.
 */
@NullMarked
package dev.holdfast.cluster;

import org.jspecify.annotations.NullMarked;
