package dev.holdfast.concurrency;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.Map;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/** What Lincheck does to the store in memory, and what it answers, as text. */
@Param(name = "token", gen = IntGen.class, conf = "1:3")
@Param(name = "seqNo", gen = IntGen.class, conf = "0:3")
public class StoreOperations {
  private static final String LOCK = "lock";

  private final LockStore store;

  /** The store as it is. */
  public StoreOperations() {
    this(new InMemoryLockStore());
  }

  StoreOperations(LockStore store) {
    this.store = store;
  }

  /** The store without its locks. */
  public static final class Unsynchronized extends StoreOperations {
    /** With a store of its own. */
    public Unsynchronized() {
      super(Weaver.unsynchronizedStore());
    }
  }

  @Operation
  public String create(@Param(name = "token") int token) {
    return written(store.create(record(token)).join());
  }

  @Operation
  public String replace(@Param(name = "token") int token, @Param(name = "seqNo") int seqNo) {
    return written(store.replace(record(token), version(seqNo)).join());
  }

  @Operation
  public String delete(@Param(name = "seqNo") int seqNo) {
    return written(store.delete(LOCK, version(seqNo)).join());
  }

  @Operation
  public String read() {
    return store.read(LOCK).join() instanceof ReadResult.Found found
        ? found.record().token() + " " + found.version().seqNo()
        : "absent";
  }

  private static LockRecord record(int token) {
    return new LockRecord(LOCK, "token-" + token, "owner", null, null, 1_000, null, Map.of());
  }

  private static Version version(int seqNo) {
    return new Version(new Incarnation("memory-0", 0), 1, seqNo);
  }

  private static String written(WriteResult result) {
    return result instanceof WriteResult.Applied applied
        ? "applied " + applied.version().seqNo()
        : result.getClass().getSimpleName();
  }
}
