package dev.holdfast.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Writes small histories by hand, in milliseconds. Each call is a process of its own unless said
 * otherwise.
 */
public final class HistoryScript {

  private final List<Operation> operations = new ArrayList<>();
  private long nextProcess;

  public HistoryScript acquired(long from, long to, String client, long fence, long ttl) {
    return ok(from, to, "acquire", "lock", "a", "client", client, "fence", fence, "ttl", ttl);
  }

  public HistoryScript renewed(long from, long to, String client, long fence, long ttl) {
    return ok(from, to, "renew", "lock", "a", "client", client, "fence", fence, "ttl", ttl);
  }

  public HistoryScript believed(long from, long to, String client, long fence, long ttl) {
    return ok(from, to, "belief", "lock", "a", "client", client, "fence", fence, "ttl", ttl);
  }

  public HistoryScript released(long from, long to, String client, long fence) {
    return ok(from, to, "release", "lock", "a", "client", client, "fence", fence);
  }

  public HistoryScript wrote(long from, long to, String client, long fence) {
    return ok(from, to, "write", "lock", "a", "client", client, "fence", fence);
  }

  public HistoryScript lost(long at, String client, long fence) {
    return notice(at, "lost", "lock", "a", "client", client, "fence", fence);
  }

  public HistoryScript ok(long from, long to, String f, Object... value) {
    return call(from, to, Operation.Type.OK, f, value);
  }

  public HistoryScript call(long from, long to, Operation.Type type, String f, Object... value) {
    add(from, Operation.Type.INVOKE, nextProcess, f, value);
    return add(to, type, nextProcess++, f, value);
  }

  public HistoryScript invoked(long at, String f, Object... value) {
    return add(at, Operation.Type.INVOKE, nextProcess++, f, value);
  }

  public HistoryScript notice(long at, String f, Object... value) {
    return add(at, Operation.Type.INFO, nextProcess++, f, value);
  }

  public HistoryScript nemesis(long at, String f, Object... value) {
    return add(at, Operation.Type.INFO, Operation.NEMESIS, f, value);
  }

  public HistoryScript add(
      long atMillis, Operation.Type type, long process, String f, Object... value) {
    operations.add(
        new Operation(
            Operation.NO_INDEX,
            TimeUnit.MILLISECONDS.toNanos(atMillis),
            type,
            process,
            f,
            map(value)));
    return this;
  }

  public History build() {
    List<Operation> sorted = new ArrayList<>(operations);
    sorted.sort(Comparator.comparingLong(Operation::time));
    for (int i = 0; i < sorted.size(); i++) {
      sorted.set(i, sorted.get(i).withIndex(i));
    }
    return History.of(sorted);
  }

  private static Map<String, Object> map(Object... keysAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }
}
