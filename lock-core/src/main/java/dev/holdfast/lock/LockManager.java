package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.internal.Timeouts;
import dev.holdfast.lock.store.LockStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Acquires, keeps and releases locks. At most one caller at a time holds a lock, for as long as its
 * lease is renewed. Thread-safe; one per process is enough for any number of locks.
 *
 * <pre>{@code
 * try (var store = ElasticsearchLockStore.builder("https://localhost:9200").apiKey(key).build();
 *     var locks = LockManager.create(store)) {
 *   locks.withLock("nightly-reindex", () -> reindex());
 * }
 * }</pre>
 *
 * <p>A lock id is any text that is not blank and takes at most 512 bytes in UTF-8. Locks are not
 * reentrant, except by {@link #asLock}. The calls without {@link LockOptions} use {@link
 * Builder#defaultOptions}.
 *
 * <p>What is guaranteed: at no time do two leases of one lock judge themselves valid, as long as
 * one machine's monotonic clock is slower than another's by at most {@link Builder#maxClockDrift}
 * (10 %) and, where the calendar rule is on (see {@link Builder#calendarTakeover}), wall clocks
 * differ by less than {@link Builder#maxClockSkew}. What no lock can guarantee is that a process
 * acts only while its lease is valid; that is what {@link Lease#fencingToken} is for. Deleting the
 * lock index releases every lock by force; exclusion resumes when the leases of that time have
 * ended.
 */
public final class LockManager implements AutoCloseable {
  /** The longest lock id: Elasticsearch's limit for a document id. */
  static final int MAX_LOCK_ID_BYTES = 512;

  /**
   * How long a call waits, when its time is up, for the engine to say so: only where threads are
   * stuck, or the machine is.
   */
  static final Duration GRACE = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(LockManager.class);

  final Engine engine;

  private final OperatorCalls operatorCalls;

  /** The threads of this process that use a lock as a {@link Lock}. */
  final LocalLocks localLocks = new LocalLocks();

  final Permits permits;

  /** What else ends when this manager begins to close. */
  private final Set<Runnable> closingHooks = ConcurrentHashMap.newKeySet();

  private final int maxMetadataBytes;
  private final LockOptions defaultOptions;
  private final @Nullable CallObserver callObserver;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final AtomicBoolean finishing = new AtomicBoolean();
  private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();

  private LockManager(Builder builder) {
    this.engine = new Engine(builder);
    this.operatorCalls = new OperatorCalls(engine);
    this.permits = new Permits(this);
    this.maxMetadataBytes = builder.maxMetadataBytes;
    this.defaultOptions = builder.defaultOptions;
    this.callObserver = builder.callObserver;
  }

  /** A manager with default settings on this store, which stays the caller's to close. */
  public static LockManager create(LockStore store) {
    return builder(store).build();
  }

  /** For a manager on this store, which stays the caller's to close. */
  public static Builder builder(LockStore store) {
    return new Builder(Objects.requireNonNull(store, "store"));
  }

  // --- With a body

  /** Like {@link #withLock(String, LockOptions, LockedCallable)} with default options. */
  public <T extends @Nullable Object, E extends Exception> T withLock(
      String lockId, LockedCallable<T, E> body) throws E, InterruptedException {
    return withLock(lockId, defaultOptions, body);
  }

  /**
   * Runs the body on this thread while the lock is held, and releases the lock when the body has
   * ended, however it ends.
   *
   * @return what the body returned
   * @throws E what the body threw
   * @throws LockAcquisitionException if another holds the lock, and did so until the wait timed
   *     out; or if this thread holds it already, in an enclosing body; the body did not run
   * @throws LockStoreUnavailableException if the store did not answer or rejected the request; the
   *     body did not run
   * @throws LeaseLostException if the lease was lost before the body had returned, whatever the
   *     body did; what it threw is the cause. When the lease is lost, the body's thread is
   *     interrupted, unless the options say {@link OnLeaseLost#NOTIFY}. No such interrupt is left
   *     when this returns.
   * @throws InterruptedException if this thread was interrupted while it waited for the lock; then
   *     the lock is not held, and what the store may hold of it is cleaned up in the background
   * @throws IllegalArgumentException if the lock id or an option is out of range; or if the body
   *     returned a {@link CompletionStage}, whose work may go on after the release, see {@link
   *     #withLockAsync}
   * @throws LockManagerClosedException if this manager is closed, or was before the lock was
   *     granted
   */
  public <T extends @Nullable Object, E extends Exception> T withLock(
      String lockId, LockOptions options, LockedCallable<T, E> body)
      throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    return withLease(lockId, options, lease -> body.call());
  }

  /** Like {@link #withLock(String, LockOptions, LockedRunnable)} with default options. */
  public <E extends Exception> void withLock(String lockId, LockedRunnable<E> body)
      throws E, InterruptedException {
    withLock(lockId, defaultOptions, body);
  }

  /** Like {@link #withLock(String, LockOptions, LockedCallable)}, for a body without a result. */
  public <E extends Exception> void withLock(
      String lockId, LockOptions options, LockedRunnable<E> body) throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    runWithLease(lockId, options, lease -> body.run());
  }

  /** Like {@link #tryWithLock(String, LockOptions, LockedRunnable)} with default options. */
  public <E extends Exception> boolean tryWithLock(String lockId, LockedRunnable<E> body)
      throws E, InterruptedException {
    return tryWithLock(lockId, defaultOptions, body);
  }

  /**
   * Like {@link #withLock(String, LockOptions, LockedRunnable)}, but a lock that another holds is
   * no error.
   *
   * @return whether the body ran; false if another held the lock, until the wait timed out
   * @throws LockAcquisitionException if this thread holds the lock already, in an enclosing body
   */
  public <E extends Exception> boolean tryWithLock(
      String lockId, LockOptions options, LockedRunnable<E> body) throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    return tryRunWithLease(lockId, options, lease -> body.run());
  }

  /** Like {@link #withLease(String, LockOptions, LeaseFunction)} with default options. */
  public <T extends @Nullable Object, E extends Exception> T withLease(
      String lockId, LeaseFunction<T, E> body) throws E, InterruptedException {
    return withLease(lockId, defaultOptions, body);
  }

  /**
   * Like {@link #withLock(String, LockOptions, LockedCallable)}, for a body that uses the lease,
   * such as for its fencing token. The body may release it early; after that, no loss is an error.
   */
  public <T extends @Nullable Object, E extends Exception> T withLease(
      String lockId, LockOptions options, LeaseFunction<T, E> body) throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    ObservedCall call = observed(lockId, options);
    try {
      Outcome outcome = await(lockId, options, Acquisition.Purpose.BODY);
      T result = runBody(call.acquired(granted(lockId, outcome)), body);
      call.ended(null);
      return result;
    } catch (Throwable failure) {
      call.ended(failure);
      throw failure;
    }
  }

  /** Like {@link #runWithLease(String, LockOptions, LeaseConsumer)} with default options. */
  public <E extends Exception> void runWithLease(String lockId, LeaseConsumer<E> body)
      throws E, InterruptedException {
    runWithLease(lockId, defaultOptions, body);
  }

  /** Like {@link #withLease(String, LockOptions, LeaseFunction)}, for a body without a result. */
  public <E extends Exception> void runWithLease(
      String lockId, LockOptions options, LeaseConsumer<E> body) throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    withLease(lockId, options, consumer(body));
  }

  /**
   * Like {@link #tryWithLock(String, LockOptions, LockedRunnable)}, for a body that uses the lease.
   * The body may release it early; after that, no loss is an error.
   */
  public <E extends Exception> boolean tryRunWithLease(
      String lockId, LockOptions options, LeaseConsumer<E> body) throws E, InterruptedException {
    Objects.requireNonNull(body, "body");
    ObservedCall call = observed(lockId, options);
    try {
      Outcome outcome = await(lockId, options, Acquisition.Purpose.BODY);
      boolean runs = !(outcome instanceof Outcome.HeldByOther);
      if (runs) {
        runBody(call.acquired(granted(lockId, outcome)), consumer(body));
      }
      call.ended(null);
      return runs;
    } catch (Throwable failure) {
      call.ended(failure);
      throw failure;
    }
  }

  @SuppressWarnings("NullAway") // The checker does not look into type arguments.
  private static <E extends Exception> LeaseFunction<@Nullable Void, E> consumer(
      LeaseConsumer<E> body) {
    return lease -> {
      body.accept(lease);
      return null;
    };
  }

  private <T extends @Nullable Object, E extends Exception> T runBody(
      LeaseHandle lease, LeaseFunction<T, E> body) throws E, InterruptedException {
    // The wait may have been long: a lease that has ended by now runs no body.
    boolean held = lease.isHeld();
    if (!held || !lease.enterBody()) {
      lease.giveBackUnused();
      ReleaseResult unused = lease.release();
      throw held
          ? lease.notHeld(Reason.MANAGER_CLOSED, "the manager was closed before the body began")
          : lease.notHeld(Reason.EXPIRED, "it ended before the body began");
    }
    T result;
    try {
      result = body.apply(lease);
    } catch (Throwable failure) {
      LeaseLostException loss = endBody(lease, failure);
      if (loss != null) {
        throw loss.around(failure);
      }
      throw failure;
    }
    LeaseLostException loss = endBody(lease, null);
    if (loss != null) {
      throw loss.around(null);
    }
    if (result instanceof CompletionStage) {
      throw new IllegalArgumentException(
          "the body of lock \""
              + Texts.printable(lease.lockId())
              + "\" returned a CompletionStage, whose work would go on without the lock: use"
              + " withLockAsync or withLeaseAsync");
    }
    return result;
  }

  /**
   * Releases, and returns the loss if there was one before the body had ended: one that was known
   * by then, or one that the release shows.
   */
  private static @Nullable LeaseLostException endBody(
      LeaseHandle lease, @Nullable Throwable failure) {
    LeaseLostException known = lease.lossUntilNow();
    lease.exitBody(failure);
    return lease.lossAfter(lease.release(), known);
  }

  // --- Without a body

  /** Like {@link #acquire(String, LockOptions)} with default options. */
  public Lease acquire(String lockId) throws InterruptedException {
    return acquire(lockId, defaultOptions);
  }

  /**
   * Acquires the lock for the caller to release.
   *
   * @throws LockAcquisitionException if another holds the lock, and did so until the wait timed out
   * @throws LockStoreUnavailableException if the store did not answer
   * @throws InterruptedException if this thread was interrupted while it waited
   * @throws IllegalArgumentException if the lock id or an option is out of range
   * @throws LockManagerClosedException if this manager is closed, or was before the lock was
   *     granted
   */
  public Lease acquire(String lockId, LockOptions options) throws InterruptedException {
    ObservedCall call = observed(lockId, options);
    try {
      Outcome outcome = await(lockId, options, Acquisition.Purpose.LEASE);
      Lease lease = call.acquired(granted(lockId, outcome));
      call.ended(null);
      return lease;
    } catch (Throwable failure) {
      call.ended(failure);
      throw failure;
    }
  }

  /** Like {@link #tryAcquire(String, LockOptions)} with default options. */
  public Optional<Lease> tryAcquire(String lockId) throws InterruptedException {
    return tryAcquire(lockId, defaultOptions);
  }

  /**
   * Like {@link #acquire(String, LockOptions)}, but a lock that another holds is no error.
   *
   * @return empty if another held the lock, until the wait timed out
   */
  public Optional<Lease> tryAcquire(String lockId, LockOptions options)
      throws InterruptedException {
    ObservedCall call = observed(lockId, options);
    try {
      Outcome outcome = await(lockId, options, Acquisition.Purpose.LEASE);
      Optional<Lease> lease =
          outcome instanceof Outcome.HeldByOther
              ? Optional.empty()
              : Optional.of(call.acquired(granted(lockId, outcome)));
      call.ended(null);
      return lease;
    } catch (Throwable failure) {
      call.ended(failure);
      throw failure;
    }
  }

  /** Like {@link #acquireAsync(String, LockOptions)} with default options. */
  public CompletableFuture<Lease> acquireAsync(String lockId) {
    return acquireAsync(lockId, defaultOptions);
  }

  /**
   * Acquires the lock without blocking. The future fails with what {@link #acquire} throws. When it
   * is cancelled, or completed by other code, the acquisition is abandoned, and a lock that was won
   * is released. Dependent stages run on the callback executor, or on the thread that adds them.
   *
   * @throws IllegalArgumentException if the lock id or an option is out of range
   * @throws LockManagerClosedException if this manager is closed, or was before the lock was
   *     granted
   */
  public CompletableFuture<Lease> acquireAsync(String lockId, LockOptions options) {
    CompletableFuture<Lease> result = new CompletableFuture<>();
    acquireAsync(lockId, options, result);
    return result;
  }

  /** Completes the future, on the callback executor, with the lease or why there is none. */
  private void acquireAsync(String lockId, LockOptions options, CompletableFuture<Lease> result) {
    Acquisition call = submit(lockId, options, Acquisition.Purpose.LEASE, null);
    try {
      var unused =
          call.outcome.thenAccept(
              outcome -> engine.callbacks.execute(() -> complete(result, lockId, outcome)));
      var unusedToo = result.whenComplete((lease, failure) -> call.abandon());
    } catch (Throwable e) {
      giveBack(call);
      throw e;
    }
  }

  /** Like {@link #withLockAsync(String, LockOptions, Supplier)} with the default options. */
  public <T extends @Nullable Object> CompletableFuture<T> withLockAsync(
      String lockId, Supplier<? extends CompletionStage<T>> body) {
    return withLockAsync(lockId, defaultOptions, body);
  }

  /**
   * Runs an asynchronous body while the lock is held, without blocking, and releases the lock when
   * the stage that the body returned has completed, however it completes.
   *
   * <p>The body is called on the callback executor, and must not block it.
   *
   * <p>Cancelling a {@link CompletableFuture} completes it, but does not stop the work that was to
   * complete it, which goes on without the lock. Return a stage whose cancellation stops the work,
   * or use {@link #withLeaseAsync} and check {@link Lease#isHeld}.
   *
   * @return completes after the release, with the stage's value or failure. It fails with what
   *     {@link #acquire} throws if the lock was not acquired; the body was not called then. It
   *     fails with {@link LeaseLostException} as soon as the lease is lost, also when this manager
   *     is closed; the stage is cancelled then, unless the options say {@link OnLeaseLost#NOTIFY}.
   *     Cancelling it gives up the wait for the lock, or cancels the stage; the lock is released
   *     when the stage has completed. Completing it otherwise, such as by {@link
   *     CompletableFuture#orTimeout}, gives up the wait too, but leaves a stage alone: the lock is
   *     held until the stage has completed.
   * @throws IllegalArgumentException if the lock id or an option is out of range
   * @throws LockManagerClosedException if this manager is closed
   */
  public <T extends @Nullable Object> CompletableFuture<T> withLockAsync(
      String lockId, LockOptions options, Supplier<? extends CompletionStage<T>> body) {
    Objects.requireNonNull(body, "body");
    return withLeaseAsync(lockId, options, lease -> body.get());
  }

  /** Like {@link #withLeaseAsync(String, LockOptions, Function)} with the default options. */
  public <T extends @Nullable Object> CompletableFuture<T> withLeaseAsync(
      String lockId, Function<? super Lease, ? extends CompletionStage<T>> body) {
    return withLeaseAsync(lockId, defaultOptions, body);
  }

  /**
   * Like {@link #withLockAsync(String, LockOptions, Supplier)}, for a body that uses the lease. The
   * body may release it early; after that, no loss is an error.
   */
  public <T extends @Nullable Object> CompletableFuture<T> withLeaseAsync(
      String lockId,
      LockOptions options,
      Function<? super Lease, ? extends CompletionStage<T>> body) {
    Objects.requireNonNull(body, "body");
    Objects.requireNonNull(options, "options");
    CompletableFuture<Lease> acquired = new CompletableFuture<>();
    // First, so that the body runs where that future is completed, and never on this thread.
    CompletableFuture<T> result = AsyncBody.run(acquired, options.onLeaseLost(), body);
    acquireAsync(lockId, options, acquired);
    return result;
  }

  private void complete(CompletableFuture<Lease> result, String lockId, Outcome outcome) {
    if (outcome instanceof Outcome.Granted granted) {
      if (!result.complete(granted.lease())) {
        granted.lease().giveBackUnused();
      }
      return;
    }
    Throwable failure;
    try {
      failure = failure(lockId, outcome);
    } catch (Throwable e) {
      failure = e;
    }
    result.completeExceptionally(failure);
  }

  // --- Without a body, for code that needs another form

  /**
   * A {@link Lock} on that lock id, for code that is written for {@code java.util.concurrent}. All
   * that this manager returns for one id are the same lock. Reentrant: a thread that holds it gets
   * it again at once, and has to unlock it as often. Not reentrant with the other methods of this
   * class.
   *
   * <p>Threads of this process get the lock in the order in which they asked for it, except for
   * {@link Lock#tryLock()}. Only the first of them uses the store.
   *
   * <ul>
   *   <li>{@link Lock#lock} and {@link Lock#lockInterruptibly} wait for as long as another holds
   *       the lock. They throw {@link LockStoreUnavailableException} when the store has not
   *       answered for as long as the wait timeout of the options, but at least for 10 s; or at
   *       once when it rejects the request.
   *   <li>{@link Lock#tryLock()} makes one attempt, which takes at most the request timeout.
   *   <li>{@link Lock#tryLock(long, TimeUnit)} waits at most for that time. If it is shorter than
   *       0.1 s, it makes one attempt as {@link Lock#tryLock()} does. The wait timeout of the
   *       options does not matter.
   *   <li>All of them throw {@link LockStoreUnavailableException} if the store did not answer:
   *       {@code false} always means that another holds the lock.
   *   <li>{@link Lock#newCondition} is not supported.
   * </ul>
   *
   * <p><b>Loss.</b> There is no body to interrupt, so no thread is: {@link OnLeaseLost} does not
   * matter. {@link Lock#unlock} throws {@link LeaseLostException} if the lease had been lost
   * before, for each level of a nested lock, and locking it again does so too. After the outermost
   * {@code unlock}, other threads of this process can get the lock. To notice a loss earlier, and
   * for the fencing token, use {@link #currentLease}.
   *
   * <p><b>Interrupt.</b> {@link Lock#lock} and {@link Lock#tryLock()} go on, and leave the
   * interrupt flag set. {@link Lock#lockInterruptibly} and {@link Lock#tryLock(long, TimeUnit)} end
   * in {@link InterruptedException}, and then the lock is not held.
   *
   * <p><b>{@link #close()}.</b> The lease of a thread that holds the lock is lost, and is released
   * without waiting for {@code unlock}, which throws {@link LeaseLostException}. Threads that wait
   * for another process get an exception at once; those that wait for a thread of this process get
   * it when that thread has unlocked.
   *
   * @param options the wait timeout matters for outages only
   * @throws IllegalArgumentException if the lock id is out of range
   */
  public Lock asLock(String lockId, LockOptions options) {
    check(lockId);
    return new LeasedLock(this, localLocks, lockId, Objects.requireNonNull(options, "options"));
  }

  /**
   * The lease under which the calling thread holds a lock by {@link #asLock}, for its fencing
   * token, to check it, or to be notified of its loss. Also a lease that was lost, until the lock
   * is unlocked. Empty if this thread does not hold the lock in that way. Without I/O.
   */
  public Optional<Lease> currentLease(String lockId) {
    return Optional.ofNullable(localLocks.leaseOfCurrentThread(lockId));
  }

  /**
   * Acquires one of a number of permits: a semaphore across processes. The permits of {@code
   * import} are the locks {@code import#0}, {@code import#1} and so on, so there are never more
   * holders than permits, and each of them is a lock that can be listed, found and released by
   * force. All processes have to pass the same number; if they do not, the largest counts.
   *
   * <p>A permit is chosen by chance first; if it is held, those that are free are tried. Without a
   * wait timeout, that is all. With one, the call looks at all permits again and again, at the
   * intervals at which a call waits for one lock ({@code 0.12 s} at most). Calls of this process
   * that wait for permits of one name get them in their order, and only the first of them uses the
   * store. Between processes, and before calls without a wait timeout, there is no order.
   *
   * <p><b>Loss, interrupt, {@link #close()}.</b> The same as for {@link #acquire}: a lease that is
   * lost notifies {@link Lease#onLost}, and another process can have the permit then; an interrupt
   * or {@code close()} ends the wait, and nothing is held afterwards. Fencing tokens rise for each
   * permit by itself, not across permits; {@link Lease#lockId} names the permit.
   *
   * <p>A permit does not linger, whatever the options say.
   *
   * @param permits 1 to 256
   * @return empty if others held all permits, until the wait timed out; never for an outage
   * @throws LockStoreUnavailableException if the store did not answer
   * @throws InterruptedException if this thread was interrupted while it waited
   * @throws IllegalArgumentException if the number or an option is out of range, or if the name
   *     with the longest suffix is no lock id
   * @throws LockManagerClosedException if this manager is closed, or was before a permit was
   *     granted
   */
  public Optional<Lease> tryAcquirePermit(String name, int permits, LockOptions options)
      throws InterruptedException {
    return this.permits.tryAcquire(name, permits, options);
  }

  /**
   * Acquires a permit as {@link #tryAcquirePermit} does, without blocking. The future fails with
   * what that throws. When it is cancelled, or completed by other code, the call is abandoned, and
   * a permit that was won is released. Dependent stages run on the callback executor, or on the
   * thread that adds them.
   *
   * @throws IllegalArgumentException if the number or an option is out of range, or if the name
   *     with the longest suffix is no lock id
   * @throws LockManagerClosedException if this manager is closed
   */
  public CompletableFuture<Optional<Lease>> tryAcquirePermitAsync(
      String name, int permits, LockOptions options) {
    return this.permits.tryAcquireAsync(name, permits, options);
  }

  // --- The way to the engine

  Acquisition submit(
      String lockId, LockOptions options, Acquisition.Purpose purpose, @Nullable Thread caller) {
    checkOpen();
    check(lockId);
    check(options);
    ClockReading started = engine.clocks.read();
    Acquisition call = new Acquisition(engine, lockId, options, started, caller, purpose);
    try {
      engine.onQueue(
          lockId,
          queue -> {
            try {
              queue.submit(call);
            } catch (Throwable e) {
              call.finish(Outcome.noAnswer(e, false));
              throw e;
            }
          });
    } catch (Throwable e) {
      // No memory or no stack: no caller will get what the engine has of this call by now.
      call.abandon();
      throw e;
    }
    return call;
  }

  /** A blocking call begins, which is observed if there is an observer. */
  private ObservedCall observed(String lockId, LockOptions options) {
    if (callObserver == null) {
      return ObservedCall.NONE;
    }
    check(lockId);
    Objects.requireNonNull(options, "options");
    return ObservedCall.started(callObserver, lockId, options);
  }

  private Outcome await(String lockId, LockOptions options, Acquisition.Purpose purpose)
      throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException(
          "interrupted before lock \"" + lockId + "\" could be acquired");
    }
    return outcome(lockId, options, purpose, FutureWaits::await);
  }

  /**
   * One call without a body.
   *
   * @return null if another held the lock, until the wait timed out
   */
  @Nullable LeaseHandle tryLease(String lockId, LockOptions options) throws InterruptedException {
    return lease(lockId, await(lockId, options, Acquisition.Purpose.LEASE));
  }

  /** Like {@link #tryLease}, but an interrupt does not end the wait, and is kept. */
  @Nullable LeaseHandle tryLeaseUninterruptibly(String lockId, LockOptions options) {
    boolean interrupted = Thread.interrupted();
    try {
      return lease(
          lockId,
          outcome(lockId, options, Acquisition.Purpose.LEASE, FutureWaits::awaitUninterruptibly));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private @Nullable LeaseHandle lease(String lockId, Outcome outcome) {
    return outcome instanceof Outcome.HeldByOther ? null : granted(lockId, outcome);
  }

  /** How a thread waits for a future: whether an interrupt ends that. */
  private interface Waiting<E extends Exception> {
    boolean await(CompletableFuture<?> future, Duration limit) throws E;
  }

  private <E extends Exception> Outcome outcome(
      String lockId, LockOptions options, Acquisition.Purpose purpose, Waiting<E> waiting)
      throws E {
    Duration limit =
        options.isFailFast() ? engine.requestTimeout(options.ttl()) : options.waitTimeout();
    Acquisition call = submit(lockId, options, purpose, Thread.currentThread());
    boolean taken = false;
    try {
      if (!waiting.await(call.outcome, limit)) {
        // The engine's own timer is late: this thread does what that was to do.
        call.timeOut();
        if (!waiting.await(call.outcome, GRACE)) {
          return new Outcome.Unavailable(
              new TimeoutException(
                  "the lock engine had no outcome within "
                      + limit.plus(GRACE).toMillis()
                      + " ms: another thread is stuck in the store or in an injected part"),
              true);
        }
      }
      taken = true;
      return call.outcome.join();
    } finally {
      if (!taken) {
        giveBack(call);
      }
    }
  }

  /** The caller goes away; the lock may have been granted at this very moment. */
  private static void giveBack(Acquisition call) {
    call.abandon();
    var unused = call.outcome.thenAccept(LockManager::giveBack);
  }

  /** Releases what was granted to a caller that has gone. */
  static void giveBack(Outcome outcome) {
    if (outcome instanceof Outcome.Granted granted) {
      granted.lease().giveBackUnused();
    }
  }

  private LeaseHandle granted(String lockId, Outcome outcome) {
    if (outcome instanceof Outcome.Granted granted) {
      return granted.lease();
    }
    throw failure(lockId, outcome);
  }

  /** Returns the exception for a call that was not granted; throws what is an error. */
  RuntimeException failure(String lockId, Outcome outcome) {
    if (outcome instanceof Outcome.Broken broken) {
      throw broken.error();
    }
    if (outcome instanceof Outcome.HeldByOther held) {
      return held.exception(lockId);
    } else if (outcome instanceof Outcome.Reentrant reentrant) {
      return reentrant.exception(lockId);
    } else if (outcome instanceof Outcome.Unavailable unavailable) {
      return unavailable.exception(lockId, engine.store.description());
    }
    return new LockManagerClosedException(
        "the lock manager was closed before lock \"" + Texts.printable(lockId) + "\" was acquired");
  }

  /** Throws {@link IllegalArgumentException} if no lock can be acquired with these options. */
  void check(LockOptions options) {
    Objects.requireNonNull(options, "options");
    options.check();
    Duration unused = engine.requestTimeout(options.ttl());
    if (options.metadataBytes() > maxMetadataBytes) {
      throw new IllegalArgumentException(
          "metadata must be at most "
              + maxMetadataBytes
              + " bytes as JSON, but is "
              + options.metadataBytes());
    }
  }

  static void check(String lockId) {
    Objects.requireNonNull(lockId, "lockId");
    if (lockId.isBlank()) {
      throw new IllegalArgumentException(
          "lockId must not be blank, but is \"" + Texts.printable(lockId) + "\"");
    }
    byte[] utf8 = lockId.getBytes(StandardCharsets.UTF_8);
    if (!new String(utf8, StandardCharsets.UTF_8).equals(lockId)) {
      throw new IllegalArgumentException(
          "lockId must be encodable in UTF-8, but has an unpaired surrogate");
    }
    if (utf8.length > MAX_LOCK_ID_BYTES) {
      throw new IllegalArgumentException(
          "lockId must take at most "
              + MAX_LOCK_ID_BYTES
              + " bytes in UTF-8, but \""
              + Texts.printable(lockId.substring(0, lockId.offsetByCodePoints(0, 20)))
              + "...\" takes "
              + utf8.length);
    }
  }

  // --- For operators

  /**
   * Returns a lock's record; empty if there is none. It may be of a lock that nobody holds: one
   * that has expired, that lingers ({@link LockOptions#withLinger}), or that is kept unavailable
   * ({@link LockOptions#withHoldAtLeast}).
   *
   * @throws LockStoreUnavailableException if the store did not answer
   */
  public Optional<LockInfo> find(String lockId) {
    checkOpen();
    check(lockId);
    return operatorCalls.find(lockId);
  }

  /**
   * Returns the records of all locks, also of those that nobody holds, see {@link #find}. A record
   * written within about the last second may be missing, and one that was deleted within it may be
   * there.
   *
   * @throws LockStoreUnavailableException if the store did not answer, or has more than 100,000
   *     records
   */
  public List<LockInfo> list() {
    checkOpen();
    return operatorCalls.list();
  }

  /**
   * Deletes a lock's record, regardless of its holder. For operators who know that the holder is
   * gone, or accept two at once. A holder of this manager is notified at once. One elsewhere that
   * still runs notices at its next renewal, or when its validity ends; until then it continues to
   * hold its lease. So does another process in which the lock lingers (see {@link
   * LockOptions#withLinger}): until then, its next callers get the lock from memory.
   *
   * @return whether there was a record
   * @throws LockStoreUnavailableException if the store did not answer, or the record changed faster
   *     than it could be deleted; whether it is gone is not known then
   */
  public boolean forceRelease(String lockId) {
    checkOpen();
    check(lockId);
    return operatorCalls.forceRelease(lockId, null);
  }

  /**
   * Deletes a lock's record as {@link #forceRelease(String)} does, but only if it is still the one
   * with that token. So the lock of a successor stays as it is, when the holder that was to be
   * freed has released the lock meanwhile.
   *
   * @param token as {@link LockInfo#token} has it. It stays the same while a lease is renewed, and
   *     while the lock is handed off in memory within one process
   * @return whether there was a record with that token
   * @throws LockStoreUnavailableException if the store did not answer, or the record changed faster
   *     than it could be deleted; whether it is gone is not known then
   */
  public boolean forceRelease(String lockId, String token) {
    checkOpen();
    check(lockId);
    Objects.requireNonNull(token, "token");
    return operatorCalls.forceRelease(lockId, token);
  }

  /** Returns what this manager tracks now. Without I/O; also after {@link #close()}. */
  public LockManagerStats stats() {
    return engine.stats();
  }

  // --- The end

  /**
   * Closes this manager, and waits until that is done, at most for twice the release timeout. Waits
   * end. Locks that linger are released. Bodies are interrupted, unless their options say {@link
   * OnLeaseLost#NOTIFY}, and their locks released when they have returned. Holders of other leases
   * are notified by {@link Lease#onLost}; when those callbacks have run, the locks are released.
   * One that fails stops none of the others. Elections end as by {@link LeaderElection#close}. What
   * is not released by then ends with its TTL, and its holder is notified of the loss. An interrupt
   * does not end the wait, and is kept. Closing again does nothing.
   *
   * <p>Not to be called by a body that runs under a lock of this manager: it would wait for itself.
   */
  @Override
  public void close() {
    Duration limit = engine.releaseTimeout.multipliedBy(2);
    beginClosing();
    if (!FutureWaits.awaitUninterruptibly(closed, limit)) {
      // The engine's own timer is late: this thread does what that was to do.
      finishClosing();
    }
  }

  /** Like {@link #close}, without waiting. */
  public CompletableFuture<@Nullable Void> closeAsync() {
    beginClosing();
    CompletableFuture<@Nullable Void> result = new CompletableFuture<>();
    var unused = closed.thenRun(() -> engine.callbacks.execute(() -> result.complete(null)));
    return result;
  }

  private void beginClosing() {
    if (closing.compareAndSet(false, true)) {
      engine.beginClosing();
      permits.closing();
      closingHooks.forEach(hook -> Logs.quietly(() -> engine.callbacks.execute(hook)));
      Duration limit = engine.releaseTimeout.multipliedBy(2);
      Scheduler.Timer timer = deadlineOfClosing(limit);
      List<CompletableFuture<?>> pending = new ArrayList<>();
      for (LockQueue queue : engine.queues.values()) {
        CompletableFuture<@Nullable Void> idle = new CompletableFuture<>();
        pending.add(idle);
        queue.execute(() -> queue.closing(idle));
      }
      var unused =
          CompletableFuture.allOf(pending.toArray(CompletableFuture<?>[]::new))
              .thenRun(timer::cancel)
              .thenRun(this::finishClosing);
    }
  }

  /** Without a thread for timers there are none to end either; a call that waits ends by itself. */
  private Scheduler.Timer deadlineOfClosing(Duration limit) {
    try {
      return engine.timers.schedule(this::finishClosing, limit.toNanos());
    } catch (Throwable e) {
      Logs.quietly(() -> LOG.warn("No timer bounds the end of a lock manager", e));
      return () -> {};
    }
  }

  private void finishClosing() {
    if (finishing.compareAndSet(false, true)) {
      try {
        engine.close();
        for (LockQueue queue : engine.queues.values()) {
          queue.execute(queue::closed);
        }
      } finally {
        closed.complete(null);
      }
    }
  }

  /** Has the hook run, on the callback executor, when this manager begins to close. */
  void onClosing(Runnable hook) {
    closingHooks.add(hook);
    if (closing.get()) {
      engine.callbacks.execute(hook);
    }
  }

  void removeOnClosing(Runnable hook) {
    closingHooks.remove(hook);
  }

  boolean isClosing() {
    return closing.get();
  }

  LockOptions defaultOptions() {
    return defaultOptions;
  }

  void checkOpen() {
    if (closing.get()) {
      throw new LockManagerClosedException("the lock manager is closed");
    }
  }

  /** Settings of a {@link LockManager}. Not thread-safe. */
  public static final class Builder {
    private static final Duration MAX_SKEW = Duration.ofHours(1);
    private static final double MAX_DRIFT = 0.5;
    private static final Duration MIN_POLL_INTERVAL = Duration.ofMillis(5);
    private static final Duration MAX_POLL_INTERVAL = Duration.ofSeconds(10);
    private static final int MAX_METADATA_LIMIT = 10 * 1024 * 1024;

    final LockStore store;
    Ticker ticker = Ticker.system();
    boolean realTime = true;
    InstantSource wallClock = Defaults.wallClock();
    RandomGenerator random = Defaults.random();
    Supplier<String> tokens = Defaults.tokens();
    String owner = Defaults.owner();
    Duration maxClockSkew = Duration.ofSeconds(2);
    double maxClockDrift = 0.10;
    boolean calendarTakeover = true;
    @Nullable Duration requestTimeout;
    Duration releaseTimeout = Duration.ofSeconds(5);
    Duration maxPollInterval = Duration.ofMillis(104);
    LockOptions defaultOptions = LockOptions.defaults();
    int maxLingering = LingeringSessions.MAX;
    int maxMetadataBytes = 64 * 1024;
    @Nullable Scheduler scheduler;
    @Nullable Executor callbackExecutor;

    /** What runs what the scheduler rejects; null for a thread of the manager's own. */
    @Nullable Scheduler spareScheduler;

    /** What runs what the callback executor rejects; null for threads of the manager's own. */
    @Nullable Executor spareExecutor;

    final List<LockListener> listeners = new ArrayList<>();
    @Nullable CallObserver callObserver;

    private Builder(LockStore store) {
      this.store = store;
    }

    /**
     * Sets how far apart the wall clocks of two processes may be, 2 s by default. For the calendar
     * rule; and leases are shortened by it (but not by more than a tenth of their TTL) against a
     * wall clock that is set back while the machine sleeps.
     *
     * @param maxClockSkew 0 to 1 h, in whole milliseconds
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder maxClockSkew(Duration maxClockSkew) {
      Objects.requireNonNull(maxClockSkew, "maxClockSkew");
      if (maxClockSkew.isNegative()
          || maxClockSkew.compareTo(MAX_SKEW) > 0
          || !maxClockSkew.equals(Duration.ofMillis(maxClockSkew.toMillis()))) {
        throw new IllegalArgumentException(
            "maxClockSkew must be from 0 to 1 h in whole milliseconds, but is " + maxClockSkew);
      }
      this.maxClockSkew = maxClockSkew;
      return this;
    }

    /**
     * The margin for monotonic clocks that run at different speeds, as a fraction of the TTL, 0.10
     * by default. A lease is valid for that much less than its TTL by this process's clock; others
     * count the whole TTL by theirs. So two leases are never valid at once while the clock of the
     * holder's machine runs at no less than {@code 1 - maxClockDrift} times the rate of any
     * other's.
     *
     * <p>Clocks that are corrected gradually do not run true meanwhile, monotonic ones included:
     * chrony slews by up to 83,333 ppm (a twelfth) by default, ntpd by 500 ppm.
     *
     * <ul>
     *   <li>0.10 covers <em>one</em> machine that slews at 83,333 ppm, slower or faster, beside
     *       others that run true within 1.8 %. It does not cover two that slew in opposite
     *       directions at more than 5.2 % each.
     *   <li>0.16 covers any number of machines that slew by up to 83,333 ppm in any direction.
     * </ul>
     *
     * <p>The margin protects the leases of this process, whatever others have set; it need not be
     * the same in all of them. With a larger margin leases are lost sooner when the store does not
     * answer; above 0.2, set a {@link #requestTimeout} of less than a third of the TTL, so that a
     * renewal can be tried again in time.
     *
     * <p>A virtual machine that its hypervisor pauses (snapshot, migration) may find both its
     * clocks standing still. From its resumption until its wall clock is corrected, only the
     * margins cover it: pauses of up to {@code maxClockDrift * TTL + min(maxClockSkew, TTL / 10)}
     * in all, 5 s with the defaults, if its clocks run true otherwise. A machine that suspends
     * itself is covered: its wall clock is right when it wakes up.
     *
     * @param maxClockDrift 0 to 0.5
     * @throws IllegalArgumentException if it is out of range or not a number
     */
    public Builder maxClockDrift(double maxClockDrift) {
      if (!(maxClockDrift >= 0 && maxClockDrift <= MAX_DRIFT)) {
        throw new IllegalArgumentException(
            "maxClockDrift must be from 0 to "
                + MAX_DRIFT
                + ", as a fraction of the TTL (0.1 is 10 %), but is "
                + maxClockDrift);
      }
      this.maxClockDrift = maxClockDrift;
      return this;
    }

    /**
     * Sets whether a lock may be taken over as soon as its record's {@code expiresAt} has passed by
     * more than the clock skew, true by default. Where clocks are not synchronised, switch it off
     * in all processes: then a record must be observed unchanged for its whole TTL first, and the
     * records of this process say that its dates are not to be trusted.
     */
    public Builder calendarTakeover(boolean calendarTakeover) {
      this.calendarTakeover = calendarTakeover;
      return this;
    }

    /**
     * Sets how long one request to the store may take. By default a third of the lock's TTL, but at
     * most 10 s. When it is set, TTLs must be at least three times as long.
     *
     * @param requestTimeout 1 ms to 1 h
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder requestTimeout(Duration requestTimeout) {
      this.requestTimeout = Timeouts.checked(requestTimeout, "requestTimeout");
      return this;
    }

    /**
     * Sets how long a release waits for the store to confirm, 5 s by default; after that the TTL
     * frees the lock.
     *
     * @param releaseTimeout 1 ms to 1 h
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder releaseTimeout(Duration releaseTimeout) {
      this.releaseTimeout = Timeouts.checked(releaseTimeout, "releaseTimeout");
      return this;
    }

    /**
     * The longest pause between two attempts of a call that waits for a lock that another process
     * holds, 104 ms by default, give or take some by chance. A lock that another process releases
     * is granted within about this time; a shorter interval costs as many more requests. Pauses
     * begin at 10 ms, or at this interval if it is shorter, and double. Calls of this manager that
     * wait for one lock poll together; a handoff within one manager needs no poll.
     *
     * <p>Give all processes that contend for a lock the same interval: a busy process leaves a lock
     * alone for 1.44 times its own interval, and at least for 150 ms, so that others find it free.
     *
     * @param maxPollInterval 5 ms to 10 s
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder maxPollInterval(Duration maxPollInterval) {
      Objects.requireNonNull(maxPollInterval, "maxPollInterval");
      if (maxPollInterval.compareTo(MIN_POLL_INTERVAL) < 0
          || maxPollInterval.compareTo(MAX_POLL_INTERVAL) > 0) {
        throw new IllegalArgumentException(
            "maxPollInterval must be from 5 ms to 10 s, but is " + maxPollInterval);
      }
      this.maxPollInterval = maxPollInterval;
      return this;
    }

    /**
     * Sets the options of calls that are given none, {@link LockOptions#defaults} by default.
     *
     * @throws IllegalArgumentException if two of the options contradict each other
     */
    public Builder defaultOptions(LockOptions defaultOptions) {
      Objects.requireNonNull(defaultOptions, "defaultOptions");
      defaultOptions.check();
      this.defaultOptions = defaultOptions;
      return this;
    }

    /**
     * Sets how large a lock's metadata may be as JSON, 64 KiB by default.
     *
     * @param maxMetadataBytes 2 bytes to 10 MiB
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder maxMetadataBytes(int maxMetadataBytes) {
      if (maxMetadataBytes < 2 || maxMetadataBytes > MAX_METADATA_LIMIT) {
        throw new IllegalArgumentException(
            "maxMetadataBytes must be from 2 to "
                + MAX_METADATA_LIMIT
                + ", but is "
                + maxMetadataBytes);
      }
      this.maxMetadataBytes = maxMetadataBytes;
      return this;
    }

    /**
     * Sets what others see as the holder: by default host, process id and a number for this
     * manager.
     *
     * @throws IllegalArgumentException if it is blank or longer than 1,000 characters
     */
    public Builder owner(String owner) {
      Objects.requireNonNull(owner, "owner");
      if (owner.isBlank() || owner.length() > 1_000) {
        throw new IllegalArgumentException("owner must have 1 to 1,000 characters, not all blank");
      }
      this.owner = owner;
      return this;
    }

    /**
     * Sets where callbacks, listeners and asynchronous bodies run: by default daemon threads of the
     * manager's own, created as needed. It stays the caller's to shut down. It is called from such
     * a thread too, so it may run tasks in its caller. A task that it rejects, or has not begun
     * after a second, runs on a thread of the manager's own.
     */
    public Builder callbackExecutor(Executor callbackExecutor) {
      this.callbackExecutor = Objects.requireNonNull(callbackExecutor, "callbackExecutor");
      return this;
    }

    /** Adds a listener, which is notified of what happens to locks. */
    public Builder listener(LockListener listener) {
      listeners.add(Objects.requireNonNull(listener, "listener"));
      return this;
    }

    /**
     * Sets an observer of blocking calls, which is called on the threads that make them, such as
     * for tracing. By default none.
     */
    public Builder callObserver(CallObserver callObserver) {
      this.callObserver = Objects.requireNonNull(callObserver, "callObserver");
      return this;
    }

    /** Sets the monotonic clock, {@link Ticker#system} by default. For simulation. */
    public Builder ticker(Ticker ticker) {
      this.ticker = Objects.requireNonNull(ticker, "ticker");
      this.realTime = false;
      return this;
    }

    /** Sets the wall clock, the system's by default. For simulation. */
    public Builder wallClock(InstantSource wallClock) {
      this.wallClock = Objects.requireNonNull(wallClock, "wallClock");
      return this;
    }

    /**
     * Runs timers: by default one daemon thread of this manager's own. For simulation. A timer that
     * it rejects runs on such a thread; so does, unless a {@link #ticker} is given, one that it has
     * not run a second after it was due.
     */
    public Builder scheduler(Scheduler scheduler) {
      this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
      return this;
    }

    /** Sets the source of jitter; must be thread-safe. For simulation. */
    public Builder random(RandomGenerator random) {
      this.random = Objects.requireNonNull(random, "random");
      return this;
    }

    /**
     * Makes tokens, each different from all others of all processes; thread-safe, and never blocks.
     * What it throws ends the acquisition, as the cause of a {@link LockStoreUnavailableException}.
     * For simulation.
     */
    public Builder tokens(Supplier<String> tokens) {
      this.tokens = Objects.requireNonNull(tokens, "tokens");
      return this;
    }

    /** Builds the manager. */
    public LockManager build() {
      LockManager manager = new LockManager(this);
      manager.engine.events.attached(manager.engine.stats);
      return manager;
    }
  }
}
