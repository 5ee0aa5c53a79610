package dev.holdfast.chaos.threads;

import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The way of one process to the store: requests and answers are late, lost, repeated and overtaken
 * by others, and calls fail, each by its number and the seed. Requests of different delays overtake
 * each other; answers come on the carrier's threads or on that of the call.
 */
final class FaultyStore implements LockStore {
  private static final int CHANCES = 1_000;

  /** How long an answer takes that is not late. */
  private static final long SOON_MICROS = 2_000;

  /** Of requests that are not late: so many are answered within the call, as in memory. */
  private static final int AT_ONCE = 300;

  private final LockStore real;
  private final FaultLevel faults;
  private final long seed;
  private final long latestMicros;
  private final long requestTimeoutNanos;
  private final ScheduledExecutorService carrier;
  private final AtomicLong requests = new AtomicLong();

  /** Requests that have not reached the store yet. */
  private final AtomicInteger underWay = new AtomicInteger();

  /** What reads have shown before, by lock. */
  private final Map<String, ReadResult> shown = new ConcurrentHashMap<>();

  /** Tokens of writes that reached the store when nobody tracked them any more. */
  private final Set<String> overdue = ConcurrentHashMap.newKeySet();

  /** Locks of which a read or a delete was not answered in time. */
  private final Set<String> unclear = ConcurrentHashMap.newKeySet();

  private volatile boolean severed;
  private volatile boolean healed;
  private volatile boolean closing;

  /**
   * A way to the store.
   *
   * @param ttl on which delays depend
   * @param carrier runs what is late
   */
  FaultyStore(
      LockStore real,
      FaultLevel faults,
      long seed,
      Duration ttl,
      ScheduledExecutorService carrier) {
    this.real = real;
    this.faults = faults;
    this.seed = seed;
    this.latestMicros = TimeUnit.NANOSECONDS.toMicros(ttl.toNanos()) * faults.latestPerTtl() / 100;
    this.requestTimeoutNanos = ttl.toNanos() / 3;
    this.carrier = carrier;
  }

  /** Cuts the process off, or connects it again: nothing reaches the store, and no answer comes. */
  void sever(boolean cut) {
    severed = cut;
  }

  /** From now on all is well. */
  void heal() {
    healed = true;
    severed = false;
  }

  /** The manager that uses this begins to close. */
  void closing() {
    closing = true;
  }

  int underWay() {
    return underWay.get();
  }

  /** Whether the library may have left this record behind: it had no way to find it. */
  boolean mayRemain(LockRecord record) {
    return overdue.contains(record.token()) || unclear.contains(record.lockId());
  }

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    return write(record, () -> real.create(record));
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    return write(record, () -> real.replace(record, expected));
  }

  private CompletableFuture<WriteResult> write(
      LockRecord record, Supplier<CompletableFuture<WriteResult>> request) {
    long sent = System.nanoTime();
    long ttl = TimeUnit.MILLISECONDS.toNanos(record.ttlMillis());
    return send(
        () -> {
          CompletableFuture<WriteResult> answer = request.get();
          // A token is tracked for its TTL, and by a manager that closes only until one more look.
          if (closing || System.nanoTime() - sent > ttl) {
            overdue.add(record.token());
          }
          return answer;
        },
        WriteResult.Unknown::new,
        true);
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return timed(
        lockId, send(() -> real.delete(lockId, expected), WriteResult.Unknown::new, isLossy()));
  }

  /** Notes a request for the lock that was not answered in time. */
  private <R> CompletableFuture<R> timed(String lockId, CompletableFuture<R> answer) {
    long sent = System.nanoTime();
    var unused =
        answer.whenComplete(
            (result, failure) -> {
              if (System.nanoTime() - sent > requestTimeoutNanos) {
                unclear.add(lockId);
              }
            });
    return answer;
  }

  /**
   * Whether reads and deletes are late, too. Where they are not, each clean-up comes to its end.
   */
  private boolean isLossy() {
    return !faults.leavesNoRecord();
  }

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    CompletableFuture<ReadResult> answer =
        send(
            () -> {
              ReadResult now = real.read(lockId).join();
              ReadResult before = shown.put(lockId, now);
              boolean isStale =
                  before != null && random().nextInt(CHANCES) < chance(faults.stale());
              return CompletableFuture.completedFuture(isStale ? before : now);
            },
            ReadResult.Unavailable::new,
            isLossy());
    return timed(lockId, answer);
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return send(() -> real.list(limit), ListResult.Unavailable::new, true);
  }

  @Override
  public String description() {
    return "faulty store";
  }

  private SplittableRandom random() {
    return new SplittableRandom(seed ^ (requests.getAndIncrement() * 0x9E3779B97F4A7C15L));
  }

  private int chance(int perThousand) {
    return healed ? 0 : perThousand;
  }

  /** One request, whose fate was drawn when it was made. */
  private final class Fate {
    final SplittableRandom random = random();
    final boolean mayBeLate;
    final long requestMicros;
    final long answerMicros;
    final boolean requestLost = happens(faults.lost());
    final boolean answerLost = happens(faults.lost());
    final boolean twice = happens(faults.twice());
    final boolean failsBefore = happens(faults.thrown());
    final boolean failsAfter = happens(faults.thrown());
    final boolean withdrawn = random.nextBoolean();

    Fate(boolean mayBeLate) {
      this.mayBeLate = mayBeLate;
      this.requestMicros = delay();
      this.answerMicros = delay();
    }

    private boolean happens(int perThousand) {
      return random.nextInt(CHANCES) < chance(perThousand);
    }

    /** 0 for none. */
    private long delay() {
      if (mayBeLate && latestMicros > 0 && happens(faults.late())) {
        return random.nextLong(latestMicros);
      }
      return random.nextInt(CHANCES) < AT_ONCE ? 0 : random.nextLong(SOON_MICROS);
    }
  }

  private <R> CompletableFuture<R> send(
      Supplier<CompletableFuture<R>> request, Function<Throwable, R> unknown, boolean mayBeLate) {
    Fate fate = new Fate(mayBeLate);
    if (fate.failsBefore) {
      return failed(fate);
    }
    CompletableFuture<R> answer = new CompletableFuture<>();
    if (fate.requestLost) {
      unanswered(fate, answer, unknown);
    } else {
      underWay.incrementAndGet();
      after(fate.requestMicros, () -> arrive(fate, request, answer, unknown));
    }
    // The request may have left before the call broke off.
    return fate.failsAfter ? failed(fate) : answer;
  }

  private <R> void arrive(
      Fate fate,
      Supplier<CompletableFuture<R>> request,
      CompletableFuture<R> answer,
      Function<Throwable, R> unknown) {
    try {
      // One that nobody waits for any more may not have left.
      if (severed || (answer.isCancelled() && fate.withdrawn)) {
        return;
      }
      R result = request.get().join();
      R told = fate.twice && fate.random.nextBoolean() ? request.get().join() : result;
      if (fate.twice) {
        underWay.incrementAndGet();
        after(
            fate.random.nextLong(latestMicros),
            () -> {
              underWay.decrementAndGet();
              var unused = request.get();
            });
      }
      if (fate.answerLost) {
        unanswered(fate, answer, unknown);
      } else {
        after(
            fate.answerMicros,
            () -> {
              if (!severed) {
                answer.complete(told);
              }
            });
      }
    } finally {
      underWay.decrementAndGet();
    }
  }

  /** There is no answer, or one that tells nothing. */
  private <R> void unanswered(
      Fate fate, CompletableFuture<R> answer, Function<Throwable, R> unknown) {
    if (fate.random.nextBoolean()) {
      after(
          fate.answerMicros,
          () -> answer.complete(unknown.apply(new TimeoutException("lost on the way"))));
    }
  }

  /** Throws, or returns a future that has failed or holds nothing. */
  @SuppressWarnings("NullAway") // What a store must not answer.
  private static <R> CompletableFuture<R> failed(Fate fate) {
    return switch (fate.random.nextInt(5)) {
      case 0 -> throw Injected.error(fate.random);
      case 1 -> throw Injected.exception();
      case 2 -> CompletableFuture.failedFuture(Injected.error(fate.random));
      case 3 -> CompletableFuture.failedFuture(Injected.exception());
      default -> CompletableFuture.completedFuture(null);
    };
  }

  private void after(long micros, Runnable task) {
    if (micros == 0) {
      task.run();
    } else {
      var unused = carrier.schedule(task, micros, TimeUnit.MICROSECONDS);
    }
  }
}
