package dev.holdfast.history.report;

import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A run as large as they get, the same for the same seed: some hold, some wait, some crash. */
final class LargeRun {

  private static final long MILLI = 1_000_000;
  private static final long TTL_MILLIS = 2_000;

  private final SplittableRandom random;
  private final List<Operation> operations = new ArrayList<>();
  private int calls;
  private long processes;

  private LargeRun(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** A history of about that many calls, each with its answer, and faults every 20 seconds. */
  static History of(int calls, int locks, int clients, long seed) {
    LargeRun run = new LargeRun(seed);
    long end = 0;
    for (int lock = 0; lock < locks; lock++) {
      end = Math.max(end, run.use(lock, clients, calls * (lock + 1L) / locks));
    }
    String[] faults = {"partition", "kill", "pause"};
    for (int i = 0; i * 20_000L * MILLI < end - 10_000 * MILLI; i++) {
      String fault = faults[i % faults.length];
      Map<String, Object> target = Map.of("target", "es-" + (1 + i % 3));
      run.add((i * 20_000L + 5_000) * MILLI, Operation.Type.INFO, -1, "start-" + fault, target);
      run.add((i * 20_000L + 9_000) * MILLI, Operation.Type.INFO, -1, "stop-" + fault, target);
    }
    run.operations.sort(Comparator.comparingLong(Operation::time));
    for (int i = 0; i < run.operations.size(); i++) {
      run.operations.set(i, run.operations.get(i).withIndex(i));
    }
    return History.of(run.operations);
  }

  /** Uses one lock until there are enough calls; returns when that was. */
  private long use(int lock, int clients, long untilCalls) {
    long at = random.nextLong(20 * MILLI);
    long fence = 70_368_744_177_664L + lock; // as of an index's first primary term
    while (calls < untilCalls) {
      int client = random.nextInt(clients);
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("lock", "lock-" + lock);
      value.put("client", "client-" + client);
      Map<String, Object> other =
          Map.of("lock", "lock-" + lock, "client", "client-" + (client + 1) % clients);
      value.put("ttl", TTL_MILLIS);
      value.put("fence", fence += 256);
      at = call(at, Operation.Type.OK, "acquire", value);
      long waited = call(at, Operation.Type.FAIL, "acquire", other);
      long held =
          random.nextInt(10) == 0 ? random.nextLong(3_000 * MILLI) : random.nextLong(30 * MILLI);
      long until = Math.max(waited, at + held);
      for (at += 600 * MILLI; at < until; at += 600 * MILLI) {
        at = call(at, Operation.Type.OK, "renew", value);
      }
      at = Math.max(until, call(until, Operation.Type.OK, "write", value));
      if (random.nextInt(200) == 0) { // crashed
        at += TTL_MILLIS * MILLI + random.nextLong(50 * MILLI);
      } else {
        at = call(at, Operation.Type.OK, "release", value);
      }
      at += random.nextLong(5 * MILLI);
    }
    return at;
  }

  private long call(long at, Operation.Type type, String f, Map<String, Object> value) {
    long end = at + (long) (MILLI * Math.exp(random.nextGaussian() * 0.7 + 0.7));
    long process = processes++;
    calls++;
    add(at, Operation.Type.INVOKE, process, f, value);
    add(end, type, process, f, value);
    return end + 1_000;
  }

  private void add(
      long at, Operation.Type type, long process, String f, Map<String, Object> value) {
    operations.add(new Operation(Operation.NO_INDEX, at, type, process, f, value));
  }
}
