package dev.holdfast.chaos.sim;

import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Passes everything on; what differs is overridden. */
class ForwardingStore implements LockStore {
  final LockStore real;

  ForwardingStore(LockStore real) {
    this.real = real;
  }

  /** Another view of an answer, whose request is given up with it. */
  static <A, B> CompletableFuture<B> map(CompletableFuture<A> answer, Function<A, B> view) {
    return CancellableFuture.of(
        answer, value -> CompletableFuture.completedFuture(view.apply(value)));
  }

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    return real.create(record);
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    return real.replace(record, expected);
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return real.delete(lockId, expected);
  }

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return real.read(lockId);
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return real.list(limit);
  }

  @Override
  public String description() {
    return real.description();
  }
}
