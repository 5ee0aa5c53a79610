/**
 * A distributed lock on Elasticsearch. {@link dev.holdfast.lock.LockManager} is where to begin.
 *
 * <p>What is public here is the API. The engine beside it is package-private: {@code LockQueue} is
 * one lock's queue in this process, {@code Acquisition} how one is won, {@code Session} how it is
 * kept, and {@code SessionState}, {@code Validity}, {@code ObservedRecord} and {@code Observations}
 * are the rules they follow, without any I/O.
 */
@NullMarked
package dev.holdfast.lock;

import org.jspecify.annotations.NullMarked;
