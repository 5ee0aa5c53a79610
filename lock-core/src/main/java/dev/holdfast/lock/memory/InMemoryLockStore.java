package dev.holdfast.lock.memory;

import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps lock records in this process: for tests of code that uses locks, without a cluster.
 * Managers that share one such store exclude each other just as they would on Elasticsearch.
 * Answers at once, on the caller's thread. Thread-safe.
 */
public final class InMemoryLockStore implements LockStore {
  private static final long PRIMARY_TERM = 1;

  // Guarded by this.
  private final Map<String, ReadResult.Found> records = new LinkedHashMap<>();
  private Incarnation incarnation = new Incarnation("memory-0", 0);
  private int lives;
  private long seqNo;

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    Objects.requireNonNull(record, "record");
    return write(
        record.lockId(), null, current -> current == null ? record : null, /* deletes= */ false);
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    Objects.requireNonNull(record, "record");
    return write(
        record.lockId(),
        Objects.requireNonNull(expected, "expected"),
        current -> current != null && current.version().equals(expected) ? record : null,
        /* deletes= */ false);
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return write(
        lockId,
        Objects.requireNonNull(expected, "expected"),
        current -> current != null && current.version().equals(expected) ? current.record() : null,
        /* deletes= */ true);
  }

  private synchronized CompletableFuture<WriteResult> write(
      String lockId,
      @Nullable Version expected,
      Function<ReadResult.@Nullable Found, @Nullable LockRecord> condition,
      boolean deletes) {
    if (expected != null && !expected.incarnation().equals(incarnation)) {
      return CompletableFuture.completedFuture(
          new WriteResult.Rejected(new IncarnationGoneException(expected.incarnation())));
    }
    LockRecord written = condition.apply(records.get(lockId));
    if (written == null) {
      return CompletableFuture.completedFuture(new WriteResult.Conflict());
    }
    Version version = new Version(incarnation, PRIMARY_TERM, seqNo++);
    if (deletes) {
      records.remove(lockId);
    } else {
      records.put(lockId, new ReadResult.Found(written, version));
    }
    return CompletableFuture.completedFuture(new WriteResult.Applied(version));
  }

  @Override
  public synchronized CompletableFuture<ReadResult> read(String lockId) {
    ReadResult.Found found = records.get(lockId);
    return CompletableFuture.completedFuture(
        found != null ? found : new ReadResult.Absent(incarnation));
  }

  @Override
  public synchronized CompletableFuture<ListResult> list(int limit) {
    return CompletableFuture.completedFuture(
        records.size() > limit
            ? new ListResult.Rejected(
                new IllegalStateException("more than " + limit + " lock records"))
            : new ListResult.Listed(List.copyOf(records.values())));
  }

  /**
   * Drops all records and begins a new incarnation, as when an operator deletes the lock index and
   * it is re-created.
   *
   * @param era the new incarnation's, 0 or more
   */
  public synchronized void recreate(int era) {
    records.clear();
    seqNo = 0;
    incarnation = new Incarnation("memory-" + ++lives, era);
  }

  @Override
  public String description() {
    return "in-memory store";
  }
}
