package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.LockManagerStats;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** The statistics of all managers that metrics are attached to, added up. Thread-safe. */
final class AttachedManagers {
  // Guarded by this.
  private final List<Attached> managers = new ArrayList<>();
  private long droppedEvents;

  /** One manager, which meters do not keep alive. */
  private static final class Attached {
    final WeakReference<Supplier<LockManagerStats>> stats;
    long droppedEvents;

    Attached(Supplier<LockManagerStats> stats) {
      this.stats = new WeakReference<>(stats);
    }

    @Nullable LockManagerStats now() {
      Supplier<LockManagerStats> supplier = stats.get();
      return supplier == null ? null : supplier.get();
    }
  }

  synchronized void add(Supplier<LockManagerStats> stats) {
    managers.removeIf(manager -> manager.stats.refersTo(null));
    managers.add(new Attached(stats));
  }

  synchronized int sum(ToIntFunction<LockManagerStats> number) {
    int sum = 0;
    for (Attached manager : managers) {
      LockManagerStats now = manager.now();
      sum += now == null ? 0 : number.applyAsInt(now);
    }
    return sum;
  }

  /** Returns a count that never falls, also when a manager is gone. */
  synchronized long droppedEvents() {
    for (Attached manager : managers) {
      LockManagerStats now = manager.now();
      if (now != null) {
        droppedEvents += now.droppedEvents() - manager.droppedEvents;
        manager.droppedEvents = now.droppedEvents();
      }
    }
    return droppedEvents;
  }
}
