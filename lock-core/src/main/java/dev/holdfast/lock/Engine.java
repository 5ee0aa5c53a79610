package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part that all locks of one manager share: the seams to the world, and requests with
 * deadlines. Nothing here or in what it drives is static or reads a clock of its own, so that a
 * simulator can run it.
 */
final class Engine {
  /** How many clean-ups may run at once; beyond that, TTLs do their work. */
  static final int MAX_CLEANUPS = 10_000;

  /** The most a single request may take when the user did not say, unless the TTL asks for less. */
  static final Duration DEFAULT_REQUEST_TIMEOUT = Duration.ofSeconds(10);

  /** A TTL is at least so many request timeouts long: room for a renewal to be tried again. */
  static final int REQUEST_TIMEOUTS_PER_TTL = 3;

  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  final LockStore store;
  final Clocks clocks;
  final Timers timers;
  final RandomGenerator random;
  final Supplier<String> tokens;
  final String owner;
  final Duration maxClockSkew;
  final double maxClockDrift;
  final boolean calendarTakeover;
  final Duration releaseTimeout;

  /** The longest pause between two attempts, but for jitter. */
  final Duration maxPollInterval;

  final Callbacks callbacks;

  /** Where this manager's instants are, as a part of what is between two of them. */
  private final double phase;

  final EventDispatch events;
  final Observations observations;
  final ConcurrentHashMap<String, LockQueue> queues = new ConcurrentHashMap<>();
  final LossWatch lossWatch;
  final LingeringSessions lingering;

  /** How many tokens are tracked by clean-ups. */
  final AtomicInteger cleanups = new AtomicInteger();

  /** How many locks are held here: granted, and neither lost nor released yet. */
  final AtomicInteger held = new AtomicInteger();

  /** How many calls have no outcome yet. */
  final AtomicInteger waiting = new AtomicInteger();

  /** For listeners, which refer to it weakly: it lives as long as this engine. */
  final Supplier<LockManagerStats> stats = this::stats;

  final CleanupBudget cleanupBudget;

  /** Ends the subscription to incarnations that the store finds to be gone. */
  private final Runnable unsubscribe;

  private final @Nullable Duration requestTimeout;
  private volatile boolean closing;
  private volatile boolean closed;

  Engine(LockManager.Builder builder) {
    this.store = builder.store;
    this.clocks = new Clocks(builder.ticker, builder.wallClock);
    this.timers = new Timers(builder.scheduler, builder.realTime, builder.spareScheduler);
    this.random = builder.random;
    this.phase = random.nextDouble();
    this.tokens = builder.tokens;
    this.owner = builder.owner;
    this.maxClockSkew = builder.maxClockSkew;
    this.maxClockDrift = builder.maxClockDrift;
    this.calendarTakeover = builder.calendarTakeover;
    this.requestTimeout = builder.requestTimeout;
    this.releaseTimeout = builder.releaseTimeout;
    this.maxPollInterval = builder.maxPollInterval;
    // A scheduler alone makes no simulation.
    boolean driven = builder.scheduler != null && !builder.realTime;
    this.callbacks = new Callbacks(builder.callbackExecutor, driven, timers, builder.spareExecutor);
    this.events = new EventDispatch(builder.listeners, this.callbacks);
    this.lossWatch = new LossWatch(timers);
    this.lingering = new LingeringSessions(builder.maxLingering);
    this.cleanupBudget = new CleanupBudget(clocks.ticker(), timers);
    this.observations = new Observations(clocks, maxClockSkew, calendarTakeover);
    this.unsubscribe = store.onIncarnationGone(this::incarnationGone);
  }

  LockManagerStats stats() {
    return new LockManagerStats(
        queues.size(),
        held.get(),
        waiting.get(),
        lingering.size(),
        observations.size(),
        cleanups.get(),
        events.dropped());
  }

  /** Runs a task on the queue of that lock, which is made if there is none. */
  void onQueue(String lockId, Consumer<LockQueue> task) {
    LockQueue queue = queues.computeIfAbsent(lockId, id -> new LockQueue(this, id));
    queue.execute(
        () -> {
          if (queue.isDisposed()) {
            onQueue(lockId, task);
          } else {
            task.accept(queue);
          }
        });
  }

  /**
   * Runs a task of a queue on a thread of the engine's own. If none can be had, what the task is to
   * find is found at the queue's next timer.
   */
  void soon(LockQueue queue, Runnable task) {
    Logs.quietly(() -> timers.schedule(() -> queue.execute(task), 0));
  }

  /** From now on no acquisition begins. */
  void beginClosing() {
    closing = true;
  }

  boolean isClosing() {
    return closing;
  }

  /** From now on no timer runs: nothing is tracked any more. */
  void close() {
    closed = true;
    timers.close();
    callbacks.close();
    unsubscribe.run();
  }

  boolean isClosed() {
    return closed;
  }

  /** How long one request for a lock of this TTL may take. */
  Duration requestTimeout(Duration ttl) {
    // Not Duration.dividedBy, which takes BigDecimals: this is asked for each acquisition.
    Duration share = Duration.ofNanos(ttl.toNanos() / REQUEST_TIMEOUTS_PER_TTL);
    if (requestTimeout == null) {
      return share.compareTo(DEFAULT_REQUEST_TIMEOUT) < 0 ? share : DEFAULT_REQUEST_TIMEOUT;
    }
    if (requestTimeout.compareTo(share) > 0) {
      throw new IllegalArgumentException(
          "ttl must be at least "
              + REQUEST_TIMEOUTS_PER_TTL
              + " times the request timeout of "
              + requestTimeout
              + ", but is "
              + ttl);
    }
    return requestTimeout;
  }

  /** How long a request that concerns no lease may take. */
  Duration requestTimeout() {
    return requestTimeout == null ? DEFAULT_REQUEST_TIMEOUT : requestTimeout;
  }

  Validity validity(ClockReading start, LockOptions options) {
    return Validity.from(start, options.ttl(), maxClockDrift, maxClockSkew);
  }

  /** The record for a write whose clocks were read at that reading. */
  LockRecord record(
      String lockId,
      String token,
      ClockReading createdAt,
      ClockReading reading,
      LockOptions options) {
    return new LockRecord(
        lockId,
        token,
        owner,
        createdAt.wall(),
        reading.wall().plus(options.ttl()),
        options.ttl().toMillis(),
        calendarTakeover ? (Long) maxClockSkew.toMillis() : null,
        options.metadata());
  }

  /** A delay, give or take a fraction, so that processes do not move in step. */
  long jittered(long nanos, double fraction) {
    double factor = 1 + (random.nextDouble() * 2 - 1) * fraction;
    return (long) (nanos * factor);
  }

  /**
   * The last instant, up to that moment, that this manager's renewals share, so that they leave
   * together. Other managers have other instants.
   *
   * @param tickerNanos a moment of the monotonic clock
   * @param apart the nanoseconds between two such instants, more than 0
   */
  long renewalInstant(long tickerNanos, long apart) {
    return tickerNanos - Math.floorMod(tickerNanos - (long) (apart * phase), apart);
  }

  /**
   * The same for polls. When in its turn each instant comes is left to chance: of two managers that
   * wait for a lock, it must not be the same who looks first after each release.
   */
  long pollInstant(long tickerNanos, long apart) {
    long turn = Math.floorDiv(tickerNanos, apart);
    long instant = instantOf(turn, apart);
    return tickerNanos - instant >= 0 ? instant : instantOf(turn - 1, apart);
  }

  private long instantOf(long turn, long apart) {
    // The same for all who ask (the finalizer of SplitMix64, Steele, Lea and Flood, OOPSLA 2014).
    long mixed = turn + Double.doubleToLongBits(phase);
    mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return turn * apart + Math.floorMod(mixed ^ (mixed >>> 31), apart);
  }

  /** The index of an incarnation is gone: so are all leases in it. */
  void incarnationGone(IncarnationGoneException gone) {
    observations.clear();
    for (LockQueue queue : queues.values()) {
      queue.execute(() -> queue.incarnationGone(gone));
    }
  }

  void write(
      LockQueue queue,
      Duration timeout,
      Supplier<CompletableFuture<WriteResult>> call,
      Consumer<WriteResult> handler) {
    send(queue, timeout, call, WriteResult.Unknown::new, handler);
  }

  void read(LockQueue queue, Duration timeout, String lockId, Consumer<ReadResult> handler) {
    send(queue, timeout, () -> store.read(lockId), ReadResult.Unavailable::new, handler);
  }

  void delete(
      LockQueue queue,
      Duration timeout,
      String lockId,
      Version expected,
      Consumer<WriteResult> handler) {
    write(queue, timeout, () -> store.delete(lockId, expected), handler);
  }

  private <R> void send(
      LockQueue queue,
      Duration timeout,
      Supplier<CompletableFuture<R>> call,
      Function<Throwable, R> failed,
      Consumer<R> handler) {
    Request<R> request = new Request<>(queue, failed, handler);
    queue.begins(request);
    request.send(timeout, call);
  }

  // --- Requests that concern no queue

  CompletableFuture<ReadResult> read(String lockId) {
    return send(() -> store.read(lockId), ReadResult.Unavailable::new);
  }

  CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return send(() -> store.delete(lockId, expected), WriteResult.Unknown::new);
  }

  CompletableFuture<ListResult> list(int limit) {
    return send(() -> store.list(limit), ListResult.Unavailable::new);
  }

  private <R> CompletableFuture<R> send(
      Supplier<CompletableFuture<R>> call, Function<Throwable, R> failed) {
    CompletableFuture<R> answer = new CompletableFuture<>();
    new Request<>(null, failed, answer::complete).send(requestTimeout(), call);
    return answer;
  }

  /**
   * One request, whose handler is given an answer exactly once: the store's, or what {@code failed}
   * makes of an exception or of the deadline's passing. An answer after the deadline is not looked
   * at: a caller that needs to know reads.
   */
  final class Request<R> {
    /** Where the handler runs; null if on any thread. */
    private final @Nullable LockQueue queue;

    private final Function<Throwable, R> failed;
    private final Consumer<R> handler;
    private final AtomicBoolean claimed = new AtomicBoolean();
    private volatile @Nullable CompletableFuture<R> future;
    private volatile Scheduler.@Nullable Timer deadline;
    private volatile @Nullable R answer;

    /** Whether an answer is certain to come. */
    private volatile boolean sent;

    /** Whether the handler has been called; touched where handlers run. */
    private boolean handled;

    Request(@Nullable LockQueue queue, Function<Throwable, R> failed, Consumer<R> handler) {
      this.queue = queue;
      this.failed = failed;
      this.handler = handler;
    }

    void send(Duration timeout, Supplier<CompletableFuture<R>> call) {
      try {
        CompletableFuture<R> begun =
            Objects.requireNonNull(call.get(), "the lock store returned null");
        future = begun;
        if (!begun.isDone()) {
          deadline = requestDeadline(() -> fail(noAnswerWithin(timeout)), timeout.toNanos());
        }
        BiFunction<@Nullable R, @Nullable Throwable, @Nullable Void> ended =
            (answer, failure) -> {
              if (answer != null) {
                answer(answer);
              } else {
                fail(unwrapped(failure));
              }
              return null;
            };
        var unused = begun.handle(ended);
        sent = true;
      } catch (Throwable e) {
        fail(e);
        Logs.quietly(
            () ->
                LOG.error(
                    "The lock store {} threw instead of answering",
                    Logs.shown(store.description()),
                    e));
      }
    }

    /** There is no answer but this. */
    void fail(Throwable failure) {
      answer(failed.apply(failure));
    }

    private void answer(R result) {
      if (claimed.compareAndSet(false, true)) {
        answer = result;
        Scheduler.Timer timer = deadline;
        if (timer != null) {
          timer.cancel();
        }
        CompletableFuture<R> request = future;
        if (request != null && !request.isDone()) {
          giveUp(request);
        }
        if (queue != null) {
          queue.execute(this::handle);
        } else {
          handle();
        }
      }
    }

    private void handle() {
      R result = answer;
      if (!handled && result != null) {
        handled = true;
        if (queue != null) {
          queue.ends(this);
        }
        handler.accept(result);
      }
    }

    /** After an error at an unknown point: has the handler called, unless an answer is to come. */
    void recover(Throwable error) {
      if (answer != null) {
        handle();
      } else if (!sent) {
        fail(error);
      }
    }
  }

  /** Whatever the store makes of it, the caller is notified of the deadline. */
  private void giveUp(CompletableFuture<?> request) {
    try {
      request.cancel(false);
    } catch (Throwable e) {
      Logs.quietly(
          () ->
              LOG.warn(
                  "The lock store {} failed to give a request up",
                  Logs.shown(store.description()),
                  e));
    }
  }

  /** What a closed manager still sends, to clean up, has no deadline: nobody waits for it. */
  private Scheduler.Timer requestDeadline(Runnable task, long delayNanos) {
    return timers.schedule(task, delayNanos);
  }

  TimeoutException noAnswer() {
    return noAnswerWithin(requestTimeout());
  }

  TimeoutException noAnswerWithin(Duration timeout) {
    return new TimeoutException(
        "no answer from " + store.description() + " within " + timeout.toMillis() + " ms");
  }

  private static Throwable unwrapped(@Nullable Throwable failure) {
    if (failure == null) {
      return new IllegalStateException("the lock store answered null");
    }
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }
}
