/**
 * What the engine needs from a place that keeps lock records: the {@link
 * dev.holdfast.lock.store.LockStore} interface, its records and its outcomes; and for those who
 * write stores, group commit ({@link dev.holdfast.lock.internal.Batcher}) and requests that can be
 * given up ({@link dev.holdfast.lock.internal.CancellableFuture}).
 *
 * <p>Users meet this package only when they look at a record's {@link
 * dev.holdfast.lock.store.Version} or write a store of their own.
 */
@NullMarked
package dev.holdfast.lock.store;

import org.jspecify.annotations.NullMarked;
