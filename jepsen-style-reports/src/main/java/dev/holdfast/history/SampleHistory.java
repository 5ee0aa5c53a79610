package dev.holdfast.history;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes up the history of a lock that does all things right, of any length: with waiting, failing,
 * renewing, answers that get lost, holders that are killed and holders that lose their lease. The
 * same numbers make the same history. For trying checkers, and for measuring them.
 */
public final class SampleHistory {

  private static final long TTL_MILLIS = 2_000;
  private static final long TTL = TimeUnit.MILLISECONDS.toNanos(TTL_MILLIS);
  private static final int CLIENTS_PER_LOCK = 3;
  private static final String KILL = "kill";

  private final SplittableRandom random;
  private final Consumer<Operation> sink;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
  private long now;
  private long order;
  private long made;
  private long processes;
  private long clients;

  private record Event(long at, long order, Runnable what) {}

  /** The state of one lock in the store. */
  private static final class Lock {
    final String name;
    long fence;
    @Nullable SampleClient holder;
    long until;

    Lock(String name) {
      this.name = name;
    }

    boolean isOf(SampleClient client) {
      return holder == client && fence == client.fence;
    }
  }

  /** A client that acquires a lock again and again. */
  private final class SampleClient {
    final Lock lock;
    final String name = "c" + ++clients;
    long process = processes++;
    long fence;

    /** Until when it believes to hold the lock. */
    long until;

    SampleClient(Lock lock) {
      this.lock = lock;
    }

    void idle() {
      after(millis(1, 20), this::acquire);
    }

    private void acquire() {
      Map<String, Object> value = value(false);
      value.put(Vocabulary.TTL, TTL_MILLIS);
      record(Operation.Type.INVOKE, Vocabulary.ACQUIRE, value);
      ask(value, now + millis(10, 3_000));
    }

    /** Each look is a request of its own: the lease counts from the one that got it. */
    private void ask(Map<String, Object> value, long patience) {
      long asked = now;
      after(micros(100, 3_000), () -> look(value, asked, patience));
    }

    private void look(Map<String, Object> value, long asked, long patience) {
      if (lock.holder == null || lock.until < now) {
        lock.holder = this;
        lock.fence++;
        lock.until = now + TTL;
        fence = lock.fence;
        until = asked + TTL;
        if (isRare(200)) {
          after(millis(100, 1_000), () -> unanswered(Vocabulary.ACQUIRE, value));
        } else {
          after(micros(100, 3_000), () -> granted(value));
        }
      } else if (now > patience) {
        after(micros(100, 3_000), () -> failed(value));
      } else {
        after(millis(1, 50), () -> ask(value, patience));
      }
    }

    private void failed(Map<String, Object> value) {
      record(Operation.Type.FAIL, Vocabulary.ACQUIRE, value);
      idle();
    }

    private void unanswered(String f, Map<String, Object> value) {
      record(Operation.Type.INFO, f, value);
      process = processes++;
      idle();
    }

    private void granted(Map<String, Object> value) {
      value.put(Vocabulary.FENCE, fence);
      value.put(Vocabulary.UNTIL, until);
      record(Operation.Type.OK, Vocabulary.ACQUIRE, value);
      hold();
    }

    private void hold() {
      if (isRare(300)) {
        nemesis(name);
        new SampleClient(lock).idle();
      } else if (isRare(300)) {
        // Cut off: it cannot renew, and is told so before its lease ends.
        at(until - TTL / 50, this::lose);
      } else {
        int what = random.nextInt(5);
        after(millis(1, 20), what == 0 ? this::renew : what <= 2 ? this::write : this::release);
      }
    }

    private void lose() {
      record(Operation.Type.INFO, Vocabulary.LOST, value(true), processes++);
      idle();
    }

    private void renew() {
      Map<String, Object> value = value(true);
      record(Operation.Type.INVOKE, Vocabulary.RENEW, value);
      long asked = now;
      after(
          micros(100, 3_000),
          () -> {
            lock.until = now + TTL;
            after(
                micros(100, 3_000),
                () -> {
                  until = asked + TTL;
                  record(Operation.Type.OK, Vocabulary.RENEW, value);
                  hold();
                });
          });
    }

    private void write() {
      Map<String, Object> value = value(true);
      record(Operation.Type.INVOKE, Vocabulary.WRITE, value);
      after(
          micros(100, 3_000),
          () -> {
            record(Operation.Type.OK, Vocabulary.WRITE, value);
            hold();
          });
    }

    private void release() {
      Map<String, Object> value = value(true);
      record(Operation.Type.INVOKE, Vocabulary.RELEASE, value);
      boolean isLost = isRare(200);
      boolean isApplied = !isLost || random.nextBoolean();
      after(
          micros(100, 3_000),
          () -> {
            if (isApplied && lock.isOf(this)) {
              lock.holder = null;
            }
            after(
                micros(100, 3_000),
                () -> {
                  if (isLost) {
                    unanswered(Vocabulary.RELEASE, value);
                  } else {
                    record(Operation.Type.OK, Vocabulary.RELEASE, value);
                    idle();
                  }
                });
          });
    }

    private Map<String, Object> value(boolean withFence) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put(Vocabulary.LOCK, lock.name);
      value.put(Vocabulary.CLIENT, name);
      if (withFence) {
        value.put(Vocabulary.FENCE, fence);
      }
      return value;
    }

    private void record(Operation.Type type, String f, Map<String, Object> value) {
      record(type, f, value, process);
    }

    private void record(Operation.Type type, String f, Map<String, Object> value, long by) {
      sink.accept(new Operation(made++, now, type, by, f, value));
    }
  }

  private SampleHistory(long seed, Consumer<Operation> sink) {
    this.random = new SplittableRandom(seed);
    this.sink = sink;
  }

  /**
   * Makes one.
   *
   * @param operations how many operations (lines) it is to have, at least 1
   * @param locks on how many locks, at least 1
   * @param seed any number; another one makes another history
   * @param sink receives the operations in order of time
   */
  public static void make(long operations, int locks, long seed, Consumer<Operation> sink) {
    if (operations < 1 || locks < 1) {
      throw new IllegalArgumentException("there must be at least 1 operation and 1 lock");
    }
    new SampleHistory(seed, sink).make(operations, locks);
  }

  private void make(long operations, int locks) {
    for (int i = 0; i < locks; i++) {
      Lock lock = new Lock("lock-" + i);
      for (int k = 0; k < CLIENTS_PER_LOCK; k++) {
        new SampleClient(lock).idle();
      }
    }
    while (made < operations) {
      Event event = events.remove();
      now = event.at;
      event.what.run();
    }
  }

  private void nemesis(String client) {
    sink.accept(
        new Operation(
            made++,
            now,
            Operation.Type.INFO,
            Operation.NEMESIS,
            KILL,
            Map.of(Vocabulary.TARGET, client)));
  }

  private void after(long nanos, Runnable what) {
    at(now + nanos, what);
  }

  private void at(long nanos, Runnable what) {
    events.add(new Event(Math.max(now, nanos), order++, what));
  }

  private boolean isRare(int oneIn) {
    return random.nextInt(oneIn) == 0;
  }

  private long millis(int from, int to) {
    return micros(from * 1_000, to * 1_000);
  }

  private long micros(int from, int to) {
    return TimeUnit.MICROSECONDS.toNanos(random.nextInt(from, to));
  }
}
