package dev.holdfast.lock;

import dev.holdfast.lock.store.Incarnation;
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
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all locks of one manager share: the seams to the world, and requests with deadlines. Nothing
 * here or in what it drives is static or reads a clock of its own, so that a simulator can run it.
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
  final Scheduler scheduler;
  final RandomGenerator random;
  final Supplier<String> tokens;
  final String owner;
  final Duration maxClockSkew;
  final boolean calendarTakeover;
  final Duration releaseTimeout;
  final Executor callbacks;

  /** Where this manager's instants are, as a part of what is between two of them. */
  private final double phase;

  final EventDispatch events;
  final Observations observations;
  final ConcurrentHashMap<String, LockQueue> queues = new ConcurrentHashMap<>();
  final AtomicInteger cleanups = new AtomicInteger();

  private final @Nullable Duration requestTimeout;
  private volatile boolean closing;
  private volatile boolean closed;

  Engine(LockManager.Builder builder, Scheduler scheduler, Executor callbacks) {
    this.store = builder.store;
    this.clocks = new Clocks(builder.ticker, builder.wallClock);
    this.scheduler = scheduler;
    this.random = builder.random;
    this.phase = random.nextDouble();
    this.tokens = builder.tokens;
    this.owner = builder.owner;
    this.maxClockSkew = builder.maxClockSkew;
    this.calendarTakeover = builder.calendarTakeover;
    this.requestTimeout = builder.requestTimeout;
    this.releaseTimeout = builder.releaseTimeout;
    this.callbacks = neverRejecting(callbacks);
    this.events = new EventDispatch(builder.listeners, this.callbacks);
    this.observations = new Observations(clocks, maxClockSkew, calendarTakeover);
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

  /** From now on no acquisition begins. */
  void beginClosing() {
    closing = true;
  }

  boolean isClosing() {
    return closing;
  }

  /** From now on no timer may be set: nothing is looked after any more. */
  void close() {
    closed = true;
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

  Validity validity(Stamp start, LockOptions options) {
    return Validity.from(start, options.ttl(), maxClockSkew);
  }

  /** The record for a write whose clocks were read at that stamp. */
  LockRecord record(
      String lockId, String token, Stamp createdAt, Stamp stamp, LockOptions options) {
    return new LockRecord(
        lockId,
        token,
        owner,
        createdAt.wall(),
        stamp.wall().plus(options.ttl()),
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

  /** The index of that incarnation is gone: so are all leases in it. */
  void incarnationGone(Incarnation incarnation) {
    observations.clear();
    for (LockQueue queue : queues.values()) {
      queue.execute(() -> queue.incarnationGone(incarnation));
    }
  }

  void write(
      Executor then,
      Duration timeout,
      Supplier<CompletableFuture<WriteResult>> call,
      Consumer<WriteResult> handler) {
    send(then, timeout, call, WriteResult.Unknown::new, handler);
  }

  void read(Executor then, Duration timeout, String lockId, Consumer<ReadResult> handler) {
    send(then, timeout, () -> store.read(lockId), ReadResult.Unavailable::new, handler);
  }

  void delete(
      Executor then,
      Duration timeout,
      String lockId,
      Version expected,
      Consumer<WriteResult> handler) {
    write(then, timeout, () -> store.delete(lockId, expected), handler);
  }

  void list(Executor then, int limit, Consumer<ListResult> handler) {
    send(then, requestTimeout(), () -> store.list(limit), ListResult.Unavailable::new, handler);
  }

  /**
   * Sends one request and hands its answer to the handler, exactly once: the store's, or what
   * {@code failed} makes of an exception or of the deadline's passing. An answer after the deadline
   * is not looked at: whoever needs to know reads.
   */
  private <R> void send(
      Executor then,
      Duration timeout,
      Supplier<CompletableFuture<R>> call,
      Function<Throwable, R> failed,
      Consumer<R> handler) {
    CompletableFuture<R> future;
    try {
      future = Objects.requireNonNull(call.get(), "the lock store returned null");
    } catch (RuntimeException | Error e) {
      LOG.error("The lock store {} threw instead of answering", store.description(), e);
      then.execute(() -> handler.accept(failed.apply(e)));
      return;
    }
    AtomicBoolean answered = new AtomicBoolean();
    Scheduler.Timer deadline =
        future.isDone()
            ? () -> {}
            : scheduleUnlessClosed(
                () -> {
                  if (answered.compareAndSet(false, true)) {
                    giveUp(future);
                    R late = failed.apply(noAnswerWithin(timeout));
                    then.execute(() -> handler.accept(late));
                  }
                },
                timeout.toNanos());
    var unused =
        future.whenComplete(
            (answer, failure) -> {
              if (answered.compareAndSet(false, true)) {
                deadline.cancel();
                R result = answer != null ? answer : failed.apply(unwrapped(failure));
                then.execute(() -> handler.accept(result));
              }
            });
  }

  /** Whatever the store makes of it, the caller is told of the deadline. */
  private void giveUp(CompletableFuture<?> request) {
    try {
      request.cancel(false);
    } catch (RuntimeException e) {
      LOG.warn("The lock store {} failed to give a request up", store.description(), e);
    }
  }

  /** What a closed manager still sends, to clean up, has no deadline: nobody waits for it. */
  private Scheduler.Timer scheduleUnlessClosed(Runnable task, long delayNanos) {
    try {
      return scheduler.schedule(task, delayNanos);
    } catch (RejectedExecutionException e) {
      if (!closed) {
        throw e;
      }
      return () -> {};
    }
  }

  TimeoutException noAnswerWithin(Duration timeout) {
    return new TimeoutException(
        "no answer from " + store.description() + " within " + timeout.toMillis() + " ms");
  }

  /** Runs a user's callback where it may block: never on an engine thread. */
  void callback(Runnable callback) {
    callbacks.execute(callback);
  }

  /** The user's executor, or a thread of its own for a callback that the executor turns away. */
  private static Executor neverRejecting(Executor callbacks) {
    return callback -> {
      try {
        callbacks.execute(callback);
      } catch (RejectedExecutionException e) {
        LOG.debug("The callback executor is closed; a callback gets a thread of its own", e);
        Defaults.start("holdfast-callback", callback);
      }
    };
  }

  private static Throwable unwrapped(@Nullable Throwable failure) {
    if (failure == null) {
      return new IllegalStateException("the lock store answered null");
    }
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }
}
