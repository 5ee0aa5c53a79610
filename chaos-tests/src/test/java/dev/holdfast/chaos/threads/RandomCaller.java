package dev.holdfast.chaos.threads;

import dev.holdfast.chaos.threads.CallCounts.Event;
import dev.holdfast.chaos.threads.Injected.BodyException;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockManagerClosedException;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.OnLeaseLost;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/**
 * Makes one call after another, of every form, on one thread, until the round ends. What a call is
 * to do is drawn from the seed.
 *
 * <p><b>Bounds.</b> A blocking call waits for its wait timeout, or for one request timeout (a third
 * of the TTL) if it has none, and then at most {@link #GRACE} for the engine. A release takes at
 * most {@link LockProcess#RELEASE_TIMEOUT} and the same grace. A body ends after {@link #BODY}.
 * What is asynchronous depends on timers and callbacks, each of which a bad scheduler or executor
 * delays by {@link #BAD_PART}, before the library runs it elsewhere.
 */
final class RandomCaller implements Runnable {
  /** How long a call waits for the engine after its time is up. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  /** After so long a task runs elsewhere that a scheduler or an executor has not run. */
  private static final Duration BAD_PART = Duration.ofSeconds(1);

  /** A body takes six steps at most, each shorter than the longest TTL. */
  private static final Duration BODY = Duration.ofSeconds(3);

  /** How long a wait without a limit goes on while the store does not answer. */
  private static final Duration OUTAGE = Duration.ofSeconds(10);

  /** The time for which a caller watches what it has started. */
  private static final long GLANCE_MILLIS = 30;

  private static final String OWN = "own-";
  private static final int PERMITS = 2;

  private final ThreadsRound round;
  private final int number;
  private final SplittableRandom random;
  private long calls;
  private volatile @Nullable Interrupts interrupts;

  RandomCaller(ThreadsRound round, int number) {
    this.round = round;
    this.number = number;
    this.random = new SplittableRandom(round.plan.seed() * 1_000 + number);
  }

  /** Whether nobody else ever asks for that lock. */
  static boolean isOwn(String lockId) {
    return lockId.startsWith(OWN);
  }

  /** Interrupts this caller's thread, if it runs. */
  void interrupt() {
    Interrupts current = interrupts;
    if (current != null && current.send()) {
      round.counts.add(Event.INTERRUPTED);
    }
  }

  @Override
  public void run() {
    Interrupts mine = new Interrupts();
    interrupts = mine;
    try {
      while (!round.isOver()) {
        calls++;
        round.counts.add(Event.CALL);
        call(mine);
      }
    } catch (Throwable e) {
      round.findings.add(Requirement.NAMED_EXCEPTIONS, "caller " + number + " ended", e);
    } finally {
      mine.end();
    }
  }

  // --- What is called

  /** What may throw anything. */
  private interface Action {
    void make() throws Throwable;
  }

  private void call(Interrupts mine) {
    LockProcess process = round.process(random);
    boolean own = random.nextInt(6) == 0;
    String lock = own ? OWN + number + "-" + calls : "lock-" + random.nextInt(RoundPlan.LOCKS);
    LockOptions options = options();
    Duration wait = wait(options);
    Duration release = LockProcess.RELEASE_TIMEOUT.plus(GRACE);
    switch (random.nextInt(11)) {
      case 0, 1 ->
          attempt(
              mine,
              process,
              lock,
              "withLease",
              wait.plus(BODY).plus(release),
              () -> withLease(process, lock, options));
      case 2 ->
          attempt(
              mine,
              process,
              lock,
              "tryRunWithLease",
              wait.plus(BODY).plus(release),
              () -> tryRunWithLease(process, lock, options));
      case 3 ->
          attempt(
              mine,
              process,
              lock,
              "acquire",
              wait.plus(BODY).plus(release),
              () -> acquire(process, lock, options));
      case 4 ->
          attempt(
              mine,
              process,
              lock,
              "tryAcquire",
              wait.plus(BODY).plus(release),
              () -> tryAcquire(process, lock, options));
      case 5 -> acquireAsync(mine, process, lock, options);
      case 6, 7 -> withLeaseAsync(mine, process, lock, options);
      case 8 ->
          attempt(
              mine,
              process,
              lock,
              "asLock",
              asLockBound().plus(BODY).plus(release),
              () -> asLock(process, lock, options));
      case 9 ->
          attempt(
              mine,
              process,
              lock,
              "tryAcquirePermit",
              wait.multipliedBy(2).plus(BODY).plus(release),
              () -> tryAcquirePermit(process, own ? lock : "permits", permitOptions(options, own)));
      default ->
          tryAcquirePermitAsync(mine, process, own ? lock : "permits", permitOptions(options, own));
    }
  }

  /**
   * A call for a permit that waits makes one attempt after the other. What one of them has left
   * behind in an outage is another's for the next, until it is cleaned up.
   */
  private static LockOptions permitOptions(LockOptions options, boolean own) {
    return own ? options.withWaitTimeout(Duration.ZERO) : options;
  }

  private LockOptions options() {
    LockOptions options =
        LockOptions.defaults()
            .withTtl(round.plan.ttl())
            .withAutoRenew(random.nextInt(3) > 0)
            .withOnLeaseLost(random.nextInt(3) > 0 ? OnLeaseLost.INTERRUPT : OnLeaseLost.NOTIFY);
    if (random.nextInt(3) > 0) {
      options = options.withWaitTimeout(millis(1 + random.nextInt(600)));
    }
    if (random.nextInt(3) == 0) {
      options = options.withLinger(round.plan.ttl().dividedBy(2 + random.nextInt(6)));
    }
    if (random.nextInt(4) == 0) {
      options = options.withMaxHold(millis(5 + random.nextInt(60)));
    }
    if (random.nextInt(8) == 0) {
      options = options.withHoldAtLeast(millis(1 + random.nextInt(5)));
    }
    return options;
  }

  private static Duration millis(long millis) {
    return Duration.ofMillis(millis);
  }

  /** How long a call with these options may wait for the lock. */
  private static Duration wait(LockOptions options) {
    Duration request = options.ttl().dividedBy(3);
    Duration wait = options.waitTimeout();
    return (wait.compareTo(request) > 0 ? wait : request).plus(GRACE);
  }

  /** Lock() waits until the lock is free, which it is soon after the round. */
  private Duration asLockBound() {
    return round.plan.length().plus(OUTAGE.multipliedBy(2)).plus(GRACE);
  }

  // --- With a body

  private void withLease(LockProcess process, String lock, LockOptions options) throws Throwable {
    GrantHistory.Recorded asked = asking(process, lock, options);
    boolean[] began = new boolean[1];
    try {
      boolean unused =
          process.locks.withLease(
              lock,
              options,
              lease -> {
                began[0] = true;
                return body(granted(process, lease, asked, options));
              });
    } finally {
      notGranted(asked, began[0]);
    }
  }

  private void tryRunWithLease(LockProcess process, String lock, LockOptions options)
      throws Throwable {
    GrantHistory.Recorded asked = asking(process, lock, options);
    boolean[] began = new boolean[1];
    try {
      boolean ran =
          process.locks.tryRunWithLease(
              lock,
              options,
              lease -> {
                began[0] = true;
                boolean unused = body(granted(process, lease, asked, options));
              });
      if (!ran) {
        contended(lock, "tryRunWithLease returned false");
      }
    } finally {
      notGranted(asked, began[0]);
    }
  }

  private boolean body(RecordedLease mine) throws BodyException {
    try {
      use(mine);
      if (random.nextInt(3) == 0) {
        mine.leaving();
        mine.left(mine.lease().release());
      }
      return true;
    } finally {
      mine.leaving();
    }
  }

  /** Uses a lock for a moment. An interrupt that is taken here is never thrown as such. */
  private void use(RecordedLease mine) throws BodyException {
    if (random.nextInt(7) == 0) {
      useUntilLost(mine);
      return;
    }
    int steps = random.nextInt(6);
    boolean goesOn = random.nextInt(3) == 0;
    for (int i = 0; i <= steps; i++) {
      if (!mine.check() && !goesOn) {
        return;
      }
      try {
        act(mine);
      } catch (InterruptedException e) {
        if (random.nextBoolean()) {
          Thread.currentThread().interrupt();
          return;
        }
        throw new BodyException();
      }
    }
  }

  /** As long as it is held, but for a few TTLs at most; some do not react to interrupts. */
  private void useUntilLost(RecordedLease mine) throws BodyException {
    boolean reacts = random.nextInt(3) == 0;
    long begin = System.nanoTime();
    while (mine.check() && System.nanoTime() - begin < 3 * round.plan.ttl().toNanos()) {
      try {
        Thread.sleep(1 + random.nextInt(4));
      } catch (InterruptedException e) {
        if (reacts) {
          throw new BodyException();
        }
      }
    }
  }

  private void act(RecordedLease mine) throws BodyException, InterruptedException {
    long ttl = round.plan.ttl().toMillis();
    switch (random.nextInt(20)) {
      case 0 -> mine.renew();
      case 1 -> mine.lease().ensureHeld(millis(1 + random.nextLong(ttl / 4)));
      case 2 ->
          mine.limit(
              random.nextBoolean() ? Duration.ZERO : millis(random.nextInt(4)),
              millis(4 + random.nextInt(60)));
      case 3 -> throw new BodyException();
      case 4 -> Injected.fail(random);
      case 5 -> Thread.sleep(random.nextLong(2 * ttl / 3));
      case 6, 7, 8, 9 -> Thread.sleep(random.nextLong(10));
      default -> Thread.onSpinWait();
    }
  }

  // --- With a lease

  private void acquire(LockProcess process, String lock, LockOptions options) throws Throwable {
    GrantHistory.Recorded asked = asking(process, lock, options);
    Lease lease = null;
    try {
      lease = process.locks.acquire(lock, options);
    } finally {
      notGranted(asked, lease != null);
    }
    useAndRelease(granted(process, lease, asked, options));
  }

  private void tryAcquire(LockProcess process, String lock, LockOptions options) throws Throwable {
    GrantHistory.Recorded asked = asking(process, lock, options);
    Optional<Lease> lease = Optional.empty();
    try {
      lease = process.locks.tryAcquire(lock, options);
      if (lease.isEmpty()) {
        contended(lock, "tryAcquire returned nothing");
      }
    } finally {
      notGranted(asked, lease.isPresent());
    }
    if (lease.isPresent()) {
      useAndRelease(granted(process, lease.get(), asked, options));
    }
  }

  private void tryAcquirePermit(LockProcess process, String name, LockOptions options)
      throws Throwable {
    long since = round.history.now();
    Optional<Lease> lease = process.locks.tryAcquirePermit(name, PERMITS, options);
    if (lease.isPresent()) {
      useAndRelease(permitted(process, lease.get(), since, options));
    } else {
      contended(name, "tryAcquirePermit returned nothing");
    }
  }

  private void useAndRelease(RecordedLease mine) throws BodyException {
    try {
      use(mine);
    } finally {
      mine.release(random);
    }
  }

  private void asLock(LockProcess process, String id, LockOptions options) throws Throwable {
    Lock lock = process.locks.asLock(id, options);
    GrantHistory.Recorded asked = asking(process, id, options);
    boolean locked = false;
    try {
      locked =
          switch (random.nextInt(8)) {
            case 0 -> {
              lock.lock();
              yield true;
            }
            case 1, 2, 3 -> lock.tryLock();
            default -> lock.tryLock(random.nextInt(600), TimeUnit.MILLISECONDS);
          };
      if (!locked) {
        contended(id, "tryLock returned false");
      }
    } finally {
      notGranted(asked, locked);
    }
    if (locked) {
      RecordedLease mine =
          granted(process, process.locks.currentLease(id).orElseThrow(), asked, options);
      try {
        use(mine);
      } finally {
        mine.leaving();
        lock.unlock();
      }
    }
  }

  // --- Without blocking

  private void acquireAsync(
      Interrupts mine, LockProcess process, String lock, LockOptions options) {
    GrantHistory.Recorded asked = asking(process, lock, options);
    boolean cancelled = random.nextInt(4) == 0;
    boolean fails = random.nextInt(20) == 0;
    SplittableRandom own = random.split();
    Duration bound = wait(options).plus(BAD_PART.multipliedBy(3)).plus(LockProcess.RELEASE_TIMEOUT);
    started(
        mine,
        process,
        lock,
        "acquireAsync",
        bound,
        cancelled,
        () -> process.locks.acquireAsync(lock, options),
        (lease, failure) -> {
          notGranted(asked, failure == null);
          if (lease != null) {
            useLater(granted(process, lease, asked, options), own, fails);
          }
        });
  }

  private void tryAcquirePermitAsync(
      Interrupts mine, LockProcess process, String name, LockOptions options) {
    long since = round.history.now();
    boolean cancelled = random.nextInt(4) == 0;
    boolean fails = random.nextInt(20) == 0;
    SplittableRandom own = random.split();
    Duration bound =
        wait(options)
            .multipliedBy(2)
            .plus(BAD_PART.multipliedBy(3))
            .plus(LockProcess.RELEASE_TIMEOUT);
    started(
        mine,
        process,
        name,
        "tryAcquirePermitAsync",
        bound,
        cancelled,
        () -> process.locks.tryAcquirePermitAsync(name, PERMITS, options),
        (lease, failure) -> {
          if (lease != null && lease.isPresent()) {
            useLater(permitted(process, lease.get(), since, options), own, fails);
          } else if (lease != null) {
            contended(name, "tryAcquirePermitAsync gave nothing");
          }
        });
  }

  /** On a callback thread: looks at it once, and gives it back. */
  private void useLater(RecordedLease held, SplittableRandom own, boolean fails) {
    boolean unused = held.check();
    held.leaving();
    Duration bound = LockProcess.RELEASE_TIMEOUT.plus(BAD_PART.multipliedBy(3));
    CallWatch.OpenCall open = round.watch.begin("releaseAsync of " + held.lease(), bound);
    CompletableFuture<ReleaseResult> released = held.lease().releaseAsync();
    var unusedToo =
        released.whenComplete(
            (result, failure) -> {
              open.end();
              if (failure != null) {
                round.findings.add(Requirement.NAMED_EXCEPTIONS, "releaseAsync", failure);
              } else {
                held.left(result);
              }
            });
    if (fails) {
      Injected.fail(own);
    }
  }

  /** The stage of an asynchronous body, whose end is the end of the use of the lock. */
  private static final class RecordedStage extends CompletableFuture<String> {
    private final RecordedLease held;

    RecordedStage(RecordedLease held) {
      this.held = held;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      held.leaving();
      return super.cancel(mayInterruptIfRunning);
    }

    void end(boolean fails, SplittableRandom own) {
      if (!isDone()) {
        boolean unused = held.check();
      }
      held.leaving();
      if (fails) {
        boolean unused = completeExceptionally(Injected.error(own));
      } else {
        boolean unused = complete("done");
      }
    }
  }

  private void withLeaseAsync(
      Interrupts mine, LockProcess process, String lock, LockOptions options) {
    GrantHistory.Recorded asked = asking(process, lock, options);
    SplittableRandom own = random.split();
    boolean cancelled = random.nextInt(5) == 0;
    int fate = random.nextInt(10);
    long length = random.nextLong(20);
    boolean[] began = new boolean[1];
    // Of the timers and callbacks: the wait's end, the body, the release's end, and its result.
    Duration bound =
        wait(options).plus(BODY).plus(LockProcess.RELEASE_TIMEOUT).plus(BAD_PART.multipliedBy(5));
    started(
        mine,
        process,
        lock,
        "withLeaseAsync",
        bound,
        cancelled,
        () ->
            process.locks.withLeaseAsync(
                lock,
                options,
                lease -> {
                  synchronized (began) {
                    began[0] = true;
                  }
                  RecordedLease held = granted(process, lease, asked, options);
                  boolean unused = held.check();
                  if (fate == 0) {
                    held.leaving();
                    throw Injected.error(own);
                  }
                  RecordedStage stage = new RecordedStage(held);
                  if (fate == 1) {
                    stage.end(false, own);
                  } else {
                    var unusedToo =
                        round.carrier.schedule(
                            () -> quietly("the end of a body", () -> stage.end(fate == 2, own)),
                            length,
                            TimeUnit.MILLISECONDS);
                  }
                  return stage;
                }),
        (result, failure) -> {
          if (failure instanceof CancellationException) {
            return; // The body may begin at this very moment.
          }
          synchronized (began) {
            notGranted(asked, began[0]);
          }
        });
  }

  private interface Starting<T> {
    CompletableFuture<T> start() throws Exception;
  }

  private interface Ended<T> {
    void ended(@Nullable T result, @Nullable Throwable failure);
  }

  /** Starts what does not block, watches it for a moment, and may cancel it. */
  private <T> void started(
      Interrupts mine,
      LockProcess process,
      String lock,
      String what,
      Duration bound,
      boolean cancelled,
      Starting<T> starting,
      Ended<T> ended) {
    CallWatch.OpenCall open = round.watch.begin(describe(what, process, lock), bound);
    attempt(
        mine,
        process,
        lock,
        what + ", its start",
        GRACE,
        () -> {
          CompletableFuture<T> future;
          try {
            future = starting.start();
          } catch (Throwable e) {
            open.end();
            throw e;
          }
          CompletableFuture<T> handled =
              future.whenComplete(
                  (result, failure) -> {
                    try {
                      if (failure != null) {
                        judge(process, lock, what, unwrapped(failure), cancelled);
                      }
                      quietly(what, () -> ended.ended(result, failure));
                    } finally {
                      open.end();
                    }
                  });
          if (cancelled) {
            glance(handled, random.nextLong(GLANCE_MILLIS));
            boolean unused = future.cancel(random.nextBoolean());
          } else {
            glance(handled, GLANCE_MILLIS);
          }
        });
  }

  /** Waits a little, so that a caller does not start calls faster than they end. */
  private static void glance(CompletableFuture<?> future, long millis) throws InterruptedException {
    try {
      Object unused = future.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | java.util.concurrent.ExecutionException | CancellationException e) {
      // Who handles the future has seen it.
    }
  }

  /** Runs what nobody waits for: nothing but what is injected is to be thrown there. */
  private void quietly(String what, Runnable task) {
    try {
      task.run();
    } catch (Throwable e) {
      if (!Injected.is(e)) {
        round.findings.add(Requirement.NAMED_EXCEPTIONS, "after " + what, e);
      }
      throw e;
    }
  }

  private static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }

  // --- What is recorded, and judged

  private GrantHistory.Recorded asking(LockProcess process, String lock, LockOptions options) {
    return round.history.begin(Vocabulary.ACQUIRE, subject(process, lock, options));
  }

  private static Map<String, Object> subject(
      LockProcess process, String lock, LockOptions options) {
    Map<String, Object> subject = new LinkedHashMap<>();
    subject.put(Vocabulary.LOCK, lock);
    subject.put(Vocabulary.CLIENT, process.name);
    subject.put(Vocabulary.TTL, options.ttl().toMillis());
    return subject;
  }

  private RecordedLease granted(
      LockProcess process, Lease lease, GrantHistory.Recorded asked, LockOptions options) {
    round.counts.add(Event.GRANT);
    if (lease.token().contains("#")) {
      round.counts.add(Event.HANDOFF);
    }
    SplittableRandom own = new SplittableRandom(lease.token().hashCode());
    return new RecordedLease(
        round.history,
        round.findings,
        lease,
        process.name,
        asked,
        options.maxHold().orElse(null),
        () -> {
          if (own.nextInt(4) == 0) {
            Injected.fail(own);
          }
        });
  }

  /** Which permit it is was not known when it was asked for. */
  private RecordedLease permitted(
      LockProcess process, Lease lease, long since, LockOptions options) {
    GrantHistory.Recorded asked =
        round.history.begunAt(since, Vocabulary.ACQUIRE, subject(process, lease.lockId(), options));
    return granted(process, lease, asked, options);
  }

  /** Nobody holds a lock because of this call. */
  private static void notGranted(GrantHistory.Recorded asked, boolean granted) {
    if (!granted) {
      asked.end(Operation.Type.FAIL, Map.of());
    }
  }

  private void contended(String lock, String what) {
    round.counts.add(Event.CONTENDED);
    if (isOwn(lock)) {
      round.findings.add(Requirement.NO_FALSE_CONTENTION, what + ", but nobody else wants " + lock);
    }
  }

  private String describe(String what, LockProcess process, String lock) {
    return what
        + " of "
        + lock
        + " by caller "
        + number
        + " with "
        + process.name
        + " "
        + process.plan;
  }

  private void attempt(
      Interrupts mine,
      LockProcess process,
      String lock,
      String what,
      Duration bound,
      Action action) {
    CallWatch.OpenCall open = round.watch.begin(describe(what, process, lock), bound);
    boolean taken = false;
    try {
      action.make();
    } catch (InterruptedException e) {
      taken = true;
    } catch (Throwable e) {
      judge(process, lock, what, e, false);
    } finally {
      open.end();
      if (mine.settle(taken)) {
        round.findings.add(
            Requirement.NO_STRAY_INTERRUPT,
            describe(what, process, lock) + (taken ? " was interrupted" : " left an interrupt"));
      }
    }
  }

  /** A call has thrown this, or its future has failed with it. */
  private void judge(
      LockProcess process, String lock, String what, Throwable e, boolean cancelled) {
    if (e instanceof LockAcquisitionException) {
      contended(lock, what + ": " + e.getMessage());
    } else if (e instanceof LockStoreUnavailableException) {
      round.counts.add(Event.UNAVAILABLE);
    } else if (e instanceof LeaseLostException) {
      round.counts.add(Event.LEASE_LOST);
    } else if (e instanceof LockManagerClosedException && process.isClosing()) {
      round.counts.add(Event.CLOSED);
    } else if (e instanceof CancellationException && cancelled) {
      round.counts.add(Event.CANCELLED);
    } else if (e instanceof BodyException || Injected.is(e)) {
      round.counts.add(Event.INJECTED);
    } else {
      round.findings.add(Requirement.NAMED_EXCEPTIONS, describe(what, process, lock), e);
    }
  }
}
