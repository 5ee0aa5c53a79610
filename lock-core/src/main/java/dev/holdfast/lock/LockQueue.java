package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue of one lock in this process: who holds it here, who waits here, and which tokens of
 * former holders are still tracked. Only the head of the queue talks to the store, so that threads
 * of one process never race each other through the network.
 *
 * <p>All methods but {@link #execute} run in tasks given to it, one at a time.
 */
final class LockQueue implements Executor {
  /**
   * The first pause between two attempts, give or take a tenth by chance. The longest is {@link
   * LockManager.Builder#maxPollInterval}, from a third less to a tenth more, and 2 % less on
   * average. That mean bounds the cost of waiting.
   */
  static final Duration FIRST_POLL = Duration.ofMillis(10);

  /**
   * How many instants there are, on average, within the longest pause, at which such pauses of all
   * locks of a manager end, so that it asks for many locks in one request. They are what is left to
   * chance.
   */
  private static final double POLL_INSTANTS_PER_PAUSE = 104.0 / 22;

  /** The pauses while the store does not answer. */
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(50);

  private static final Duration MAX_BACKOFF = Duration.ofSeconds(1);

  private static final double JITTER = 0.1;

  private static final Logger LOG = LoggerFactory.getLogger(LockQueue.class);

  final Engine engine;
  final String lockId;
  private final SerialExecutor serial = new SerialExecutor();
  private final ArrayDeque<Acquisition> waiting = new ArrayDeque<>(2);
  final HandoffPacing pace = new HandoffPacing();
  private @Nullable Session session;
  private @Nullable OrphanCleanup cleanup;
  private @Nullable Version known;

  private @Nullable Acquisition trying;
  private long triesFor;
  private long arrivals;
  private Acquisition.@Nullable Ending lastEnding;
  private Scheduler.@Nullable Timer nextAttempt;

  /** Tells the timer that is meant from those that were cancelled too late. */
  private long nextAttempts;

  /** Whether the fairness pause delays the next attempt: no call makes it begin earlier. */
  private boolean pausing;

  private final LocalTenure tenure;
  private final Duration firstPoll;
  private final Duration maxPoll;

  private long delayNanos;
  private int writesInFlight;
  private @Nullable CompletableFuture<@Nullable Void> closing;
  private boolean disposed;

  /** Notices for logs and listeners, for when the task that runs has ended. */
  private final ArrayDeque<Runnable> notices = new ArrayDeque<>(4);

  /** Whose handlers have not run yet. */
  private final List<Engine.Request<?>> requests = new ArrayList<>(2);

  /** Set while a task runs, so that it is still set if that task breaks off, wherever it does. */
  private boolean brokenOff;

  private @Nullable Throwable failure;

  /** What this queue adds to the engine's counts. */
  private int countedHeld;

  private int countedWaiting;

  LockQueue(Engine engine, String lockId) {
    this.engine = engine;
    this.lockId = lockId;
    this.maxPoll = engine.maxPollInterval;
    this.firstPoll = FIRST_POLL.compareTo(maxPoll) < 0 ? FIRST_POLL : maxPoll;
    this.tenure = new LocalTenure(maxPoll);
  }

  @Override
  public void execute(Runnable task) {
    serial.execute(() -> run(task));
  }

  private void run(Runnable task) {
    try {
      boolean recovered = !brokenOff || ends(this::recover);
      brokenOff = true;
      boolean ended = ends(task);
      brokenOff = !(ended && recovered);
    } finally {
      recount();
      tellNotices();
    }
  }

  /**
   * Brings the engine's counts up to date: before an outcome is passed on, so that its receiver
   * finds it counted, and at the end of each task, so that none that breaks off is miscounted.
   */
  void recount() {
    int held = session != null && session.hasHolder() ? 1 : 0;
    if (held != countedHeld) {
      engine.held.addAndGet(held - countedHeld);
      countedHeld = held;
    }
    int acquisitions = waiting.size();
    if (acquisitions != countedWaiting) {
      engine.waiting.addAndGet(acquisitions - countedWaiting);
      countedWaiting = acquisitions;
    }
  }

  /** Runs a task, and tells whether it ran to its end. */
  private boolean ends(Runnable task) {
    try {
      task.run();
      disposeIfIdle();
      return true;
    } catch (Throwable e) {
      failure = e;
      Logs.quietly(
          () -> LOG.error("Lock \"{}\": a task of the engine failed", Logs.shown(lockId), e));
      recoverSoon();
      return false;
    }
  }

  /**
   * Has that said when the task has ended: to logs, listeners, and others whose code may block or
   * throw. By then all that others depend on is done.
   */
  void notice(Runnable saying) {
    notices.add(saying);
  }

  private void tellNotices() {
    Runnable saying = notices.poll();
    while (saying != null) {
      Logs.quietly(saying);
      saying = notices.poll();
    }
  }

  /** A request was begun, whose handler is to run in this queue. */
  void begins(Engine.Request<?> request) {
    requests.add(request);
  }

  void ends(Engine.Request<?> request) {
    requests.remove(request);
  }

  /** On a thread with a stack of its own, if there is one to be had; else the next task does. */
  private void recoverSoon() {
    Logs.quietly(() -> engine.timers.schedule(() -> execute(() -> {}), 0));
  }

  /**
   * A task broke off at a point that is not known: an injected part threw, or there was no memory
   * or no stack left. Each transition first says what is so, and then does what follows from it;
   * what follows is done here again, by what is said.
   */
  private void recover() {
    Throwable error = failure != null ? failure : new IllegalStateException("a task broke off");
    for (Engine.Request<?> request : List.copyOf(requests)) {
      request.recover(error);
    }
    if (session != null) {
      session.recover();
    }
    for (Acquisition acquisition : List.copyOf(waiting)) {
      if (acquisition.isDone()) {
        waiting.remove(acquisition);
      } else {
        acquisition.armDeadline();
      }
    }
    Acquisition tried = trying;
    if (tried != null && tried.isDone()) {
      trying = null;
    } else if (tried != null && !tried.isAsking()) {
      attemptEnded(tried, new Acquisition.Ending.Unavailable(error, false));
    }
    if (cleanup != null) {
      cleanup.recover();
    }
    if (closing != null) {
      tellClosing();
    }
    pump(nextAttempt == null);
  }

  /** Whether the manager has dropped this queue, so that a new one is to be used. */
  boolean isDisposed() {
    return disposed;
  }

  void submit(Acquisition acquisition) {
    acquisition.enter(this, ++arrivals);
    if (acquisition.isAbandoned()) {
      acquisition.finish(new Outcome.Closed());
    }
    if (acquisition.isDone()) {
      return;
    }
    if (waiting.isEmpty() && session == null) {
      lastEnding = null;
    }
    if (closing != null || engine.isClosing()) {
      end(acquisition, new Outcome.Closed());
      return;
    }
    Session held = heldSession();
    if (held != null && held.isHolderless()) {
      if (held.resume(acquisition)) {
        return;
      }
    } else if (held != null) {
      if (held.isBodyOf(acquisition.caller)) {
        end(acquisition, new Outcome.Reentrant(held.info()));
        return;
      }
      if (acquisition.options.isFailFast()) {
        end(acquisition, heldByOther(acquisition, held.info()));
        return;
      }
      tellWaiting(acquisition, held.info());
    }
    String failed = "no token could be made";
    try {
      acquisition.makeToken();
      failed = "no timer could be set";
      acquisition.armDeadline();
    } catch (Throwable e) {
      // The user's supplier or scheduler, the platform's source of randomness, or no thread for
      // timers: this caller gets the error, and no other call waits for it.
      Throwable cause = e instanceof Error ? e : new IllegalStateException(failed + ": " + e, e);
      end(acquisition, Outcome.noAnswer(cause, false));
      return;
    }
    waiting.add(acquisition);
    if (held != null) {
      held.resumeOrGiveBack();
    }
    pump(nextAttempt == null);
  }

  /** A write that is out keeps the queue alive, also when its caller has gone. */
  void writeBegins() {
    writesInFlight++;
  }

  void writeEnds() {
    writesInFlight--;
  }

  /** Returns the session, once it was checked that its validity has not ended unnoticed. */
  private @Nullable Session heldSession() {
    Session held = session;
    if (held != null) {
      held.expireIfOver();
    }
    return session;
  }

  /** Starts an attempt for the head, unless one runs, or the lock is held here. */
  private void pump(boolean mayBeFree) {
    Acquisition head = waiting.peek();
    if (head == null || trying != null || session != null) {
      return;
    }
    if (nextAttempt != null) {
      if (pausing || !hasFailFast()) {
        return;
      }
      // A call that wants one attempt only gets it now, not at the next poll.
      cancelNextAttempt();
    }
    trying = head;
    triesFor = arrivals;
    head.attempt(mayBeFree);
  }

  private boolean hasFailFast() {
    for (Acquisition acquisition : waiting) {
      if (acquisition.options.isFailFast()) {
        return true;
      }
    }
    return false;
  }

  void attemptEnded(Acquisition acquisition, Acquisition.Ending ending) {
    if (trying != acquisition) {
      throw new IllegalStateException("an attempt ended that had not begun");
    }
    trying = null;
    if (ending instanceof Acquisition.Ending.Won won) {
      granted(acquisition, won);
    } else {
      lastEnding = ending;
      tenure.end();
      if (ending instanceof Acquisition.Ending.Contended contended) {
        tenure.foundContended();
        endAttemptOfFailFast(contended.holder());
        later(firstPoll, maxPoll, contended.nanosLeft());
      } else if (ending instanceof Acquisition.Ending.Unavailable unavailable) {
        endUnavailable(acquisition, unavailable);
        later(FIRST_BACKOFF, MAX_BACKOFF, Long.MAX_VALUE);
      }
    }
  }

  private void granted(Acquisition acquisition, Acquisition.Ending.Won won) {
    delayNanos = 0;
    tenure.granted(engine.clocks.ticker().nanos());
    waiting.remove(acquisition);
    session = won.session();
    LeaseHandle lease = won.session().start();
    recount();
    acquisition.finish(new Outcome.Granted(lease));
    noticeAcquired(acquisition, lease);
    LockInfo previous = won.previous();
    if (previous != null) {
      notice(
          () ->
              LOG.info(
                  "Lock \"{}\": taken over from {} (token {}), whose lease had expired at {}",
                  Logs.shown(lockId),
                  Logs.shown(previous.owner()),
                  Logs.shown(previous.token()),
                  previous.expiresAt()));
      tell(l -> l.takenOver(lockId, previous));
    }
    endAttemptOfFailFast(won.session().info());
    for (Acquisition other : waiting) {
      tellWaiting(other, won.session().info());
    }
  }

  private void noticeAcquired(Acquisition acquisition, LeaseHandle lease) {
    Duration waited = engine.clocks.since(acquisition.started);
    notice(
        () ->
            LOG.debug(
                "Lock \"{}\": acquired, token {}, fencing token {}, after {} ms",
                Logs.shown(lockId),
                lease.token(),
                lease.fencingToken(),
                waited.toMillis()));
    tell(l -> l.acquired(lockId, lease.fencingToken(), waited));
  }

  /** Notifies the listeners, when the task has ended. */
  void tell(Consumer<LockListener> event) {
    notice(() -> engine.events.tell(event));
  }

  /**
   * Returns the first caller that waits, if it can be handed a lock that was acquired with those
   * options; null if it cannot, if nobody waits, or if other processes are to have their chance.
   */
  @Nullable Acquisition successor(LockOptions options) {
    Acquisition first = waiting.peek();
    return first != null && isNextFor(first, options) ? first : null;
  }

  /** Whether this process may keep the lock among its own callers. */
  private boolean mayKeep() {
    return closing == null && !engine.isClosing() && !tenure.isOver(engine.clocks.ticker().nanos());
  }

  /** A waiter got the lock from its holder in this process. */
  void handedOff(Acquisition successor, LeaseHandle lease) {
    waiting.remove(successor);
    recount();
    successor.finish(new Outcome.Granted(lease));
    tenure.granted(engine.clocks.ticker().nanos());
    noticeAcquired(successor, lease);
  }

  // --- Sessions without a holder

  /** Whether a session may stay here without a holder: nobody is kept waiting by that. */
  boolean allowsLingering() {
    return waiting.isEmpty() && mayKeep();
  }

  boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  /** Whether this call is next, and can be granted a lock that was acquired with those options. */
  boolean isNextFor(Acquisition next, LockOptions options) {
    Acquisition first = waiting.peek();
    return (first == null || first == next) && mayKeep() && next.acceptsHandoff(options);
  }

  /** A caller got the lock that nobody held in this process. */
  void resumed(Acquisition next, LeaseHandle lease) {
    waiting.remove(next);
    recount();
    next.finish(new Outcome.Granted(lease));
    tenure.granted(engine.clocks.ticker().nanos());
    noticeAcquired(next, lease);
    Session resumed = session;
    if (!waiting.isEmpty() && resumed != null) {
      endAttemptOfFailFast(resumed.info());
    }
  }

  /** Ends the calls that wanted one attempt and came before it began, or whose lock is held. */
  private void endAttemptOfFailFast(@Nullable LockInfo holder) {
    for (Acquisition other : List.copyOf(waiting)) {
      if (other.options.isFailFast() && (other.arrival() <= triesFor || session != null)) {
        end(other, heldByOther(other, holder));
      } else {
        tellWaiting(other, holder);
      }
    }
  }

  private void endUnavailable(Acquisition tried, Acquisition.Ending.Unavailable unavailable) {
    for (Acquisition other : List.copyOf(waiting)) {
      boolean hadItsAttempt = other.options.isFailFast() && other.arrival() <= triesFor;
      if (hadItsAttempt || (other == tried && !unavailable.retryable())) {
        end(other, Outcome.noAnswer(unavailable.cause(), unavailable.retryable()));
      }
    }
  }

  /** Arms the timer for the next attempt, sooner if a record may be taken over sooner. */
  private void later(Duration first, Duration max, long nanosLeft) {
    if (hasFailFast()) {
      pump(false);
    } else if (!waiting.isEmpty()) {
      armNextAttempt(first, max, nanosLeft);
    }
  }

  private void armNextAttempt(Duration first, Duration max, long nanosLeft) {
    delayNanos = Math.min(Math.max(delayNanos * 2, first.toNanos()), max.toNanos());
    long pause = engine.jittered(delayNanos, JITTER);
    if (delayNanos == maxPoll.toNanos()) {
      long apart = (long) (delayNanos / POLL_INSTANTS_PER_PAUSE);
      long now = engine.clocks.ticker().nanos();
      pause = engine.pollInstant(now + delayNanos + apart / 2, apart) - now;
    }
    attemptAfter(Math.min(pause, Math.max(0, nanosLeft)));
  }

  private void attemptAfter(long delay) {
    long attempt = ++nextAttempts;
    nextAttempt =
        engine.timers.schedule(
            () ->
                execute(
                    () -> {
                      if (attempt == nextAttempts) {
                        nextAttempt = null;
                        pausing = false;
                        pump(false);
                      }
                    }),
            delay);
  }

  private void cancelNextAttempt() {
    nextAttempts++;
    pausing = false;
    if (nextAttempt != null) {
      nextAttempt.cancel();
      nextAttempt = null;
    }
  }

  void timedOut(Acquisition acquisition) {
    if (acquisition.isDone()) {
      return;
    }
    Session held = heldSession();
    boolean wasTrying = trying == acquisition;
    if (held != null && !held.isHolderless()) {
      end(acquisition, heldByOther(acquisition, held.info()));
    } else if (pausing) {
      // The store may answer well: this process leaves the lock to others.
      end(acquisition, heldByOther(acquisition, null));
    } else if (held == null
        && lastEnding instanceof Acquisition.Ending.Contended contended
        && !acquisition.options.isFailFast()) {
      end(acquisition, heldByOther(acquisition, contended.holder()));
    } else if (held == null && lastEnding instanceof Acquisition.Ending.Unavailable unavailable) {
      end(acquisition, Outcome.noAnswer(unavailable.cause(), unavailable.retryable()));
    } else {
      // The store does not answer; nor does it where this process gives back what nobody holds.
      Duration waited = engine.clocks.since(acquisition.started);
      end(acquisition, new Outcome.Unavailable(engine.noAnswerWithin(waited), true));
    }
    afterLeaving(wasTrying);
  }

  /** The caller was interrupted, or cancelled its future. */
  void abandoned(Acquisition acquisition) {
    if (!acquisition.isDone()) {
      notice(() -> LOG.debug("Lock \"{}\": acquisition abandoned", Logs.shown(lockId)));
      boolean wasTrying = trying == acquisition;
      end(acquisition, new Outcome.Closed());
      afterLeaving(wasTrying);
    }
  }

  private void afterLeaving(boolean wasTrying) {
    if (waiting.isEmpty()) {
      if (!pausing) {
        cancelNextAttempt();
      }
    } else if (wasTrying) {
      // Its request is still out: many who leave at once must not send one each.
      armNextAttempt(firstPoll, maxPoll, Long.MAX_VALUE);
    } else {
      pump(false);
    }
  }

  /** Removes an acquisition from the queue and gives its caller an answer that is not a lease. */
  private void end(Acquisition acquisition, Outcome outcome) {
    waiting.remove(acquisition);
    if (trying == acquisition) {
      trying = null;
    }
    recount();
    acquisition.finish(outcome);
    Duration waited = engine.clocks.since(acquisition.started);
    if (outcome instanceof Outcome.HeldByOther held) {
      notice(
          () -> LOG.debug("Lock \"{}\": not acquired, {}", Logs.shown(lockId), Logs.shown(held)));
      tell(l -> l.contended(lockId, Optional.ofNullable(held.holder()), waited));
    } else if (outcome instanceof Outcome.Unavailable unavailable) {
      notice(
          () ->
              LOG.warn(
                  "Lock \"{}\": not acquired. {}",
                  Logs.shown(lockId),
                  Logs.shown(
                      Outcome.Unavailable.message(
                          "",
                          engine.store.description(),
                          unavailable.cause(),
                          unavailable.retryable()))));
      tell(l -> l.unavailable(lockId, unavailable.cause(), waited));
    } else if (outcome instanceof Outcome.Broken broken) {
      notice(() -> LOG.error("Lock \"{}\": not acquired", Logs.shown(lockId), broken.error()));
      tell(l -> l.unavailable(lockId, broken.error(), waited));
    }
  }

  private Outcome.HeldByOther heldByOther(Acquisition acquisition, @Nullable LockInfo holder) {
    return new Outcome.HeldByOther(
        holder,
        acquisition.options.isFailFast()
            ? Duration.ZERO
            : engine.clocks.since(acquisition.started));
  }

  private void tellWaiting(Acquisition acquisition, @Nullable LockInfo holder) {
    if (!acquisition.toldWaiting) {
      acquisition.toldWaiting = true;
      tell(l -> l.waiting(lockId, Optional.ofNullable(holder)));
    }
  }

  /** An acknowledged version: whatever is older in its incarnation is out of date. */
  void learned(Version version) {
    if (known == null || !version.isOlderThan(known)) {
      known = version;
    }
    engine.observations.forget(lockId);
  }

  @Nullable Version known() {
    return known;
  }

  /**
   * The lock is not held here any more.
   *
   * @param last the holder, if the store said so; null if it was unavailable
   */
  void sessionEnded(Session ended, @Nullable LockInfo last) {
    if (session == ended) {
      session = null;
      delayNanos = 0;
      // Until the next answer: a wait that times out now has been waiting for this holder, or for
      // a store that does not answer.
      lastEnding = last == null ? null : new Acquisition.Ending.Contended(last, 0);
      boolean tenureOver = tenure.isOver(engine.clocks.ticker().nanos());
      if (waiting.isEmpty() || tenureOver) {
        tenure.end();
      }
      // A process that lingers wants the lock again and again, though no call may wait just now.
      boolean wanted = !waiting.isEmpty() || ended.hasLingered();
      if (tenureOver && wanted && nextAttempt == null && closing == null) {
        notice(
            () ->
                LOG.debug(
                    "Lock \"{}\": left alone for {} ms, for others",
                    Logs.shown(lockId),
                    tenure.pause().toMillis()));
        pausing = true;
        tenure.pausing();
        attemptAfter(tenure.pause().toNanos());
      } else {
        pump(true);
      }
    }
  }

  void cleanUp(
      String token,
      LockOptions options,
      @Nullable ClockReading lastSent,
      @Nullable Version knownVersion) {
    if (disposed) {
      engine.onQueue(lockId, queue -> queue.cleanUp(token, options, lastSent, knownVersion));
      return;
    }
    if (engine.cleanups.get() >= Engine.MAX_CLEANUPS) {
      notice(
          () ->
              LOG.warn(
                  "Lock \"{}\": more than {} clean-ups run already; token {} is left to its TTL of {}",
                  Logs.shown(lockId),
                  Engine.MAX_CLEANUPS,
                  token,
                  options.ttl()));
      return;
    }
    OrphanCleanup begun = cleanup;
    if (begun == null) {
      // A queue that is made while the manager closes is not told so.
      begun = new OrphanCleanup(this, closing != null || engine.isClosing());
      cleanup = begun;
    }
    begun.add(token, options.ttl(), lastSent, knownVersion);
  }

  void cleanupEnded(OrphanCleanup ended) {
    if (cleanup == ended) {
      cleanup = null;
    }
  }

  void incarnationGone(IncarnationGoneException gone) {
    if (session != null) {
      session.incarnationGone(gone);
    }
    if (known != null && known.incarnation().equals(gone.incarnation())) {
      known = null;
    }
  }

  /** An operator deleted the record with this token. */
  void forceReleased(String token) {
    if (session != null) {
      session.forceReleased(token);
    }
  }

  /**
   * The manager closes: ends waits, notifies the holder, and hurries clean-ups.
   *
   * @param idle is completed when nothing is left
   */
  void closing(CompletableFuture<@Nullable Void> idle) {
    if (disposed) {
      idle.complete(null);
    } else if (closing == null) {
      closing = idle;
      cancelNextAttempt();
      tellClosing();
    }
  }

  private void tellClosing() {
    for (Acquisition acquisition : List.copyOf(waiting)) {
      end(acquisition, new Outcome.Closed());
    }
    Session held = heldSession();
    if (held != null) {
      held.closing();
    }
    if (cleanup != null) {
      cleanup.closing();
    }
  }

  /** The manager has closed: what is still held here is not renewed or released any more. */
  void closed() {
    if (session != null) {
      session.abandonedByManager();
    }
  }

  private void disposeIfIdle() {
    if (!disposed
        && session == null
        && trying == null
        && waiting.isEmpty()
        && cleanup == null
        && writesInFlight == 0
        && !(pausing && nextAttempt != null)) {
      disposed = true;
      engine.queues.remove(lockId, this);
      if (closing != null) {
        closing.complete(null);
      }
    }
  }
}
