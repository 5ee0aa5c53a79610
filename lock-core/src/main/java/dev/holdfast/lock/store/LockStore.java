package dev.holdfast.lock.store;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A place that keeps one record per lock and can write it conditionally.
 *
 * <p>What the engine's safety rests on:
 *
 * <ul>
 *   <li>A write answered {@link WriteResult.Applied} is durable and linearizable with all others on
 *       that record, and its condition was true when it took effect.
 *   <li>Versions of successive applied writes to one record rise strictly, within one incarnation.
 *   <li>A write answered {@link WriteResult.Rejected} never takes effect. When in doubt, answer
 *       {@link WriteResult.Unknown}.
 *   <li>A record is stored exactly as given: the store stamps no times of its own.
 * </ul>
 *
 * <p>Nothing is expected of reads: they may be behind or ahead of what is committed.
 *
 * <p>All methods return at once and may be called from any thread, concurrently. The futures may be
 * completed on any thread; the engine does not block in them. A future that the engine cancels is
 * one whose answer nobody waits for any more: a request that has not left yet must not leave then,
 * one that has left may still take effect. A future that fails counts as {@code Unknown} or {@code
 * Unavailable}. Deadlines are the engine's business.
 *
 * <p>Closing a store is up to its creator, after the managers that use it.
 */
public interface LockStore {

  /** Writes the record if the lock has none. */
  CompletableFuture<WriteResult> create(LockRecord record);

  /** Writes the record if the lock's record has exactly this version. */
  CompletableFuture<WriteResult> replace(LockRecord record, Version expected);

  /** Removes the lock's record if it has exactly this version. */
  CompletableFuture<WriteResult> delete(String lockId, Version expected);

  /** Reads the lock's record from the index as it is now. */
  CompletableFuture<ReadResult> read(String lockId);

  /**
   * Reads all records.
   *
   * @param limit how many at most, from 1; when there are more, the answer is {@link
   *     ListResult.Rejected}, never a part of them
   */
  CompletableFuture<ListResult> list(int limit);

  /**
   * Subscribes a listener to incarnations that the store finds gone or replaced without a write
   * that meets them. The default, for stores that do not look, calls it never.
   *
   * @param listener called on any thread; must not block
   * @return ends the subscription
   */
  default Runnable onIncarnationGone(Consumer<IncarnationGoneException> listener) {
    return () -> {};
  }

  /** A short description of this store for messages, such as its hosts; no secrets. */
  String description();
}
