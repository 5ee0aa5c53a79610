package dev.holdfast.lock;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A store in memory that creates the first record only when told to. */
final class PendingStore implements LockStore {
  private final InMemoryLockStore memory = new InMemoryLockStore();
  private volatile @Nullable LockRecord created;
  private volatile @Nullable CompletableFuture<WriteResult> answer;

  /** Whether a create is out, or was. */
  boolean isAsked() {
    return created != null;
  }

  /** Creates the record that was asked for, and says so. */
  void create() {
    LockRecord record = created;
    CompletableFuture<WriteResult> pending = answer;
    if (record == null || pending == null) {
      throw new IllegalStateException("nothing is to be created");
    }
    pending.complete(memory.create(record).join());
  }

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    if (created != null) {
      return memory.create(record);
    }
    CompletableFuture<WriteResult> pending = new CompletableFuture<>();
    answer = pending;
    created = record;
    return pending;
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    return memory.replace(record, expected);
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return memory.delete(lockId, expected);
  }

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return memory.read(lockId);
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return memory.list(limit);
  }

  @Override
  public String description() {
    return "pending store";
  }
}
