package dev.holdfast.chaos.threads;

import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The history of a round as its callers saw it, by the machine's monotonic clock. An operation is
 * recorded as failed only if it certainly did not happen. Each has a process of its own, since
 * callers share leases with callbacks. Thread-safe.
 */
final class GrantHistory {
  private final long origin = System.nanoTime();
  private final Queue<Operation> operations = new ConcurrentLinkedQueue<>();
  private final AtomicLong processes = new AtomicLong();

  /**
   * Spans in which a lease was certainly valid.
   *
   * @param lease of which lease
   */
  record ValidSpan(String lock, String lease, long fromNanos, long toNanos) {}

  private final Queue<ValidSpan> spans = new ConcurrentLinkedQueue<>();

  /** An operation under way. */
  final class Recorded {
    private final long process = processes.getAndIncrement();
    private final String f;
    private final Map<String, Object> value;

    private Recorded(String f, Map<String, Object> value) {
      this.f = f;
      this.value = value;
    }

    void end(Operation.Type type, Map<String, Object> added) {
      Map<String, Object> all = new LinkedHashMap<>(value);
      all.putAll(added);
      add(now(), type, process, f, all);
    }
  }

  /** Nanoseconds of the monotonic clock from the beginning of the round. */
  long now() {
    return System.nanoTime() - origin;
  }

  Recorded begin(String f, Map<String, Object> value) {
    return begunAt(now(), f, value);
  }

  /** One that began before it was known what it was about. */
  Recorded begunAt(long time, String f, Map<String, Object> value) {
    Recorded begun = new Recorded(f, value);
    add(time, Operation.Type.INVOKE, begun.process, f, value);
    return begun;
  }

  void notice(String f, Map<String, Object> value) {
    add(now(), Operation.Type.INFO, processes.getAndIncrement(), f, value);
  }

  private void add(
      long time, Operation.Type type, long process, String f, Map<String, Object> value) {
    operations.add(new Operation(Operation.NO_INDEX, time, type, process, f, value));
  }

  /** The lease was valid at both ends of the span, and a loss is final. */
  void valid(ValidSpan span) {
    if (span.fromNanos() < span.toNanos()) {
      spans.add(span);
    }
  }

  /** Returns two spans that overlap and are of different leases of one lock, for each such pair. */
  List<String> overlaps() {
    Map<String, List<ValidSpan>> byLock = new HashMap<>();
    spans.forEach(span -> byLock.computeIfAbsent(span.lock(), k -> new ArrayList<>()).add(span));
    List<String> overlaps = new ArrayList<>();
    for (List<ValidSpan> ofLock : byLock.values()) {
      ofLock.sort(Comparator.comparingLong(ValidSpan::fromNanos));
      ValidSpan latest = ofLock.get(0);
      for (ValidSpan next : ofLock) {
        if (!next.lease().equals(latest.lease()) && next.fromNanos() < latest.toNanos()) {
          overlaps.add(next + " while " + latest);
        }
        latest = next.toNanos() > latest.toNanos() ? next : latest;
      }
    }
    return overlaps;
  }

  /** Returns all of it so far. */
  History history() {
    return History.of(sorted());
  }

  private List<Operation> sorted() {
    List<Operation> sorted = new ArrayList<>(operations);
    sorted.sort(Comparator.comparingLong(Operation::time));
    for (int i = 0; i < sorted.size(); i++) {
      sorted.set(i, sorted.get(i).withIndex(i));
    }
    return sorted;
  }

  int grants() {
    return (int)
        operations.stream()
            .filter(each -> each.type() == Operation.Type.OK)
            .filter(each -> each.f().equals(Vocabulary.ACQUIRE))
            .count();
  }

  void write(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, sorted().stream().map(Operation::toEdn).toList());
  }
}
