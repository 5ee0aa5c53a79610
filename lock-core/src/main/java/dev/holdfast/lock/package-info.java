/**
 * A distributed lock on Elasticsearch. {@link dev.holdfast.lock.LockManager} is where to begin;
 * {@link dev.holdfast.lock.LeaderElection} is built on it.
 *
 * <p>The public types are the API. The engine beside it is package-private: {@code LockQueue} is
 * one lock's queue in this process, {@code Acquisition} acquires it, {@code Session} keeps it, with
 * {@code Renewal} and {@code Release}, and {@code SessionState}, {@code Validity}, {@code
 * ObservedRecord} and {@code Observations} are the rules they follow, without any I/O.
 */
@NullMarked
package dev.holdfast.lock;

import org.jspecify.annotations.NullMarked;
