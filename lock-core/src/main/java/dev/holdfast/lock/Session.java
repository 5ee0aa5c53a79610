package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Next;
import dev.holdfast.lock.SessionState.Released;
import dev.holdfast.lock.SessionState.Releasing;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock that this process holds: the record's token and version, the start of validity, and the
 * one request that may be out for it. What the user has of it is a {@link LeaseHandle}.
 *
 * <p>When it is given back while another in this process waits, it is handed off in memory, and
 * that one gets a lease of its own, with the next fencing token. Others of the same lock are told
 * nothing then: the record stays as it is.
 *
 * <p>One request at a time: a renewal and a release never race, and there is never more than one
 * write that may come late. The rules are in {@link SessionState}; here is what acts on them. All
 * methods run in the queue's serial, unless they say otherwise.
 */
final class Session {
  /**
   * Validity is judged at each use, and at least so often within a TTL: by a timer of its own,
   * where that is more often than the {@link LossWatch}.
   */
  private static final int CHECKS_PER_TTL = 10;

  private static final int RENEWALS_PER_TTL = 3;

  /**
   * A renewal comes up to twice this part of its interval early: once by chance, so that many do
   * not come at once, and then at an instant that it shares with others of its manager, so that
   * those leave in few requests. Other managers have other instants.
   */
  private static final int RENEWAL_INSTANTS_PER_INTERVAL = 20;

  /** The first pause after a failed renewal, as a part of the TTL, and the longest. */
  private static final int FIRST_BACKOFF_PER_TTL = 60;

  private static final int MAX_BACKOFF_PER_TTL = 6;
  private static final double BACKOFF_JITTER = 0.2;

  /** How many requests one renewal may take before it is put off. */
  private static final int MAX_REQUESTS = 8;

  private static final long FIRST_RELEASE_PAUSE_NANOS = Duration.ofMillis(20).toNanos();
  private static final long MAX_RELEASE_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final LockQueue queue;
  private final Engine engine;
  private final LockOptions options;
  private final String token;
  private final ClockReading grantedAt;

  /** Who the lock was granted to last, and what that one has of it, since when. */
  private Acquisition grantee;

  private LeaseHandle lease;

  private ClockReading leaseSince;

  /** The lease that was handed off last; told so again if the handoff breaks off. */
  private @Nullable LeaseHandle handedOff;

  /** The number of the next handoff since the last acknowledged write, and of all before it. */
  private int nextHandoff = 1;

  private long handoffs;

  /** What the next number was when the last renewal began. */
  private int handoffAtRenewal;

  /** When a create was begun that may still take effect after this session's end; null if none. */
  private final @Nullable ClockReading uncertainCreate;

  private volatile SessionState state;

  /** Set by whoever finds the validity over, on any thread, and never taken back. */
  private volatile boolean latched;

  private ClockReading lastSent;

  /** The last version that was acknowledged. */
  private Version version;

  /** When the first delete was sent, by the wall clock; and whether one was not answered. */
  private @Nullable Instant firstDeleteAt;

  private boolean deleteUnanswered;

  private boolean requestOut;
  private int requests;
  private int failures;
  private long renewAtNanos;
  private long releasePauseNanos = FIRST_RELEASE_PAUSE_NANOS;
  private boolean cleanedUp;
  private Scheduler.@Nullable Timer timer;

  /** Tells the tick that is meant from those that were cancelled too late. */
  private long ticks;

  private @Nullable List<CompletableFuture<Boolean>> renewalWaiters;

  Session(
      Acquisition acquisition,
      Version version,
      Validity validity,
      @Nullable ClockReading uncertainCreate) {
    this.queue = acquisition.queue();
    this.engine = queue.engine;
    this.options = acquisition.options;
    this.grantee = acquisition;
    this.token = acquisition.token();
    this.version = version;
    this.grantedAt = validity.start();
    this.lastSent = validity.start();
    this.uncertainCreate = uncertainCreate;
    this.state = Holding.granted(version, validity);
    this.leaseSince = grantedAt;
    this.lease =
        new LeaseHandle(
            this,
            options.onLeaseLost(),
            FencingToken.of(version, 0),
            token,
            grantedAt.wall(),
            acquisition.purpose == Acquisition.Purpose.BODY);
  }

  /** Begins to look after the lock, and returns the lease on it. */
  LeaseHandle start() {
    engine.lossWatch.add(this);
    renewAtNanos = nextRenewal();
    armTimer();
    return lease;
  }

  String lockId() {
    return queue.lockId;
  }

  Engine engine() {
    return engine;
  }

  LockQueue queue() {
    return queue;
  }

  LockOptions options() {
    return options;
  }

  boolean isBodyOf(@Nullable Thread thread) {
    return thread != null && lease.isBodyOf(thread);
  }

  LockInfo info() {
    LockRecord record = engine.record(queue.lockId, token, grantedAt, lastSent, options);
    return LockInfo.of(record, version, engine.clocks.wallNow());
  }

  /** What a renewal gives, if its acknowledgement takes no time. */
  long fullValidityNanos() {
    return engine.validity(grantedAt, options).fullNanos();
  }

  /**
   * How much validity is left, 0 if there is none; finding none is final. On any thread, without
   * I/O.
   */
  long remainingNanos() {
    if (latched || !(state instanceof Holding holding)) {
      return 0;
    }
    long remaining = holding.validity().remainingNanos(engine.clocks.read());
    if (remaining <= 0 && !latched) {
      latched = true;
      // Not on this thread: what follows from a loss may send requests.
      engine.soon(queue, this::expireIfOver);
    }
    return remaining;
  }

  /** Ends the session if its validity has ended. */
  void expireIfOver() {
    if (state instanceof Holding holding) {
      if (latched) {
        lose(Lost.validityEnded());
      } else if (holding.at(engine.clocks.read()) instanceof Lost lost) {
        lose(lost);
      }
    }
  }

  private void tick(long tick) {
    if (tick != ticks) {
      return;
    }
    timer = null;
    expireIfOver();
    if (!(state instanceof Holding)) {
      return;
    }
    if (lease.isReleaseRequested()) {
      // Whoever gave it back had no stack or memory left to say so here.
      release(lease);
      return;
    }
    if (options.autoRenew() && !requestOut && nanosUntil(renewAtNanos) <= 0) {
      beginRenewal();
    }
    armTimer();
  }

  /** The next look at the clocks: for a renewal that is due, or just to notice a loss in time. */
  private void armTimer() {
    if (!(state instanceof Holding holding)) {
      return;
    }
    long delay = holding.validity().remainingNanos(engine.clocks.read());
    long check = holding.validity().ttlNanos() / CHECKS_PER_TTL;
    if (check < LossWatch.INTERVAL_NANOS) {
      delay = Math.min(delay, check);
    }
    if (options.autoRenew() && !requestOut) {
      delay = Math.min(delay, Math.max(0, nanosUntil(renewAtNanos)));
    }
    cancelTimer();
    long tick = ticks;
    timer = engine.timers.schedule(() -> queue.execute(() -> tick(tick)), delay);
  }

  private void cancelTimer() {
    ticks++;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private long nanosUntil(long tickerNanos) {
    return tickerNanos - engine.clocks.ticker().nanos();
  }

  private long nextRenewal() {
    // Not later than in the middle of the validity, which a large margin for drift makes short.
    long interval = Math.min(options.ttl().toNanos() / RENEWALS_PER_TTL, fullValidityNanos() / 2);
    long apart = Math.max(1, interval / RENEWAL_INSTANTS_PER_INTERVAL);
    long latest = lastSent.nanos() + interval - (long) (apart * engine.random.nextDouble());
    return engine.renewalInstant(latest, apart);
  }

  // --- Renewal

  /** Renews now, for a caller who waits; one that is under way serves. On any thread. */
  CompletableFuture<Boolean> renew() {
    CompletableFuture<Boolean> renewed = new CompletableFuture<>();
    queue.execute(
        () -> {
          expireIfOver();
          if (!(state instanceof Holding)) {
            renewed.complete(false);
            return;
          }
          if (renewalWaiters == null) {
            renewalWaiters = new ArrayList<>(1);
          }
          renewalWaiters.add(renewed);
          if (!requestOut) {
            beginRenewal();
          }
        });
    return renewed;
  }

  private void beginRenewal() {
    requests = 0;
    handoffAtRenewal = nextHandoff;
    writeRenewal(((Holding) state).version());
  }

  private void writeRenewal(Version expected) {
    ClockReading reading = engine.clocks.read();
    lastSent = reading;
    requestOut = true;
    requests++;
    LockRecord record = engine.record(queue.lockId, token, grantedAt, reading, options);
    engine.write(
        queue,
        engine.requestTimeout(options.ttl()),
        () -> engine.store.replace(record, expected),
        result -> {
          requestOut = false;
          renewalWritten(result, reading);
        });
  }

  private void renewalWritten(WriteResult result, ClockReading reading) {
    if (state instanceof Releasing releasing) {
      releaseAfterRenewal(releasing, result, reading);
      return;
    }
    expireIfOver();
    if (!(state instanceof Holding holding)) {
      return;
    }
    if (result instanceof WriteResult.Applied applied) {
      Validity validity = engine.validity(reading, options);
      SessionState next = holding.acknowledged(applied.version(), validity, engine.clocks.read());
      if (next instanceof Lost lost) {
        lose(lost);
      } else {
        state = next;
        renewed(applied.version(), reading);
      }
    } else if (result instanceof WriteResult.Rejected rejected) {
      if (rejected.cause() instanceof IncarnationGoneException gone) {
        // This one now: whoever waits for the renewal must not find the lease held afterwards.
        incarnationGone(gone);
        engine.incarnationGone(gone);
      }
      renewalFailed(rejected.cause());
    } else {
      readForRenewal();
    }
  }

  private void readForRenewal() {
    requestOut = true;
    requests++;
    engine.read(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        read -> {
          requestOut = false;
          if (state instanceof Releasing) {
            sendDelete();
            return;
          }
          expireIfOver();
          if (state instanceof Holding holding) {
            act(holding.seen(ObservedRecord.ofHeld(read, token, holding.version())));
          }
        });
  }

  private void act(Next next) {
    if (next instanceof Next.End end) {
      lose(end.state());
    } else if (next instanceof Next.Later later) {
      state = later.state();
      renewalFailed(later.cause());
    } else if (next instanceof Next.Read read) {
      state = read.state();
      if (requests < MAX_REQUESTS) {
        readForRenewal();
      } else {
        renewalFailed(new IllegalStateException("reads showed only what is out of date"));
      }
    } else if (next instanceof Next.Write write) {
      state = write.state();
      if (requests < MAX_REQUESTS) {
        writeRenewal(write.expected());
      } else {
        renewalFailed(new IllegalStateException("writes conflicted again and again"));
      }
    }
  }

  private void renewed(Version acknowledged, ClockReading reading) {
    version = acknowledged;
    queue.pace.renewed(nextHandoff - handoffAtRenewal);
    nextHandoff = 0;
    queue.learned(acknowledged);
    failures = 0;
    renewAtNanos = nextRenewal();
    completeRenewal(true);
    armTimer();
    Duration took = engine.clocks.since(reading);
    queue.notice(
        () ->
            LOG.debug(
                "Lock \"{}\": renewed, token {}, in {} ms",
                Logs.shown(queue.lockId),
                token,
                took.toMillis()));
    queue.tell(l -> l.renewed(queue.lockId, took));
  }

  private void renewalFailed(Throwable cause) {
    if (!(state instanceof Holding holding)) {
      return;
    }
    long ttl = options.ttl().toNanos();
    long firstPause = ttl / FIRST_BACKOFF_PER_TTL;
    long pause = Math.min(firstPause << Math.min(failures, 8), ttl / MAX_BACKOFF_PER_TTL);
    Duration remaining = Duration.ofNanos(holding.validity().remainingNanos(engine.clocks.read()));
    // More often towards the end: no attempt must be put off beyond it.
    pause = Math.min(pause, Math.max(firstPause, remaining.toNanos() / 2));
    failures++;
    renewAtNanos = engine.clocks.ticker().nanos() + engine.jittered(pause, BACKOFF_JITTER);
    completeRenewal(false);
    armTimer();
    queue.notice(
        () ->
            LOG.warn(
                "Lock \"{}\": renewal failed, token {}, {} ms left: {}",
                Logs.shown(queue.lockId),
                token,
                remaining.toMillis(),
                Logs.shown(cause)));
    queue.tell(l -> l.renewalFailed(queue.lockId, cause, remaining));
  }

  private void completeRenewal(boolean result) {
    List<CompletableFuture<Boolean>> waiters = renewalWaiters;
    if (waiters != null) {
      renewalWaiters = null;
      waiters.forEach(waiter -> waiter.complete(result));
    }
  }

  // --- Loss

  private void lose(Lost lost) {
    state = lost;
    settleLost(lost);
    queue.notice(
        () ->
            LOG.warn(
                "Lock \"{}\": lease lost, token {}: {}",
                Logs.shown(queue.lockId),
                token,
                Logs.shown(lost.message())));
  }

  /** What follows from a loss. Again does nothing. */
  private void settleLost(Lost lost) {
    LeaseLostException loss = lost.exception(queue.lockId);
    if (lease.lost(loss)) {
      queue.tell(l -> l.lost(queue.lockId, loss));
      LeaseHandle told = lease;
      queue.notice(
          () -> {
            var unused = told.runCallbacks(loss);
          });
    }
    engine.lossWatch.remove(this);
    cancelTimer();
    completeRenewal(false);
    queue.sessionEnded(this, lost.recordMayRemain() ? null : info());
  }

  /**
   * A task broke off at a point that is not known: does again what follows from the state, all of
   * which can be done twice.
   */
  void recover() {
    grantee.finish(new Outcome.Granted(lease));
    if (!grantee.isGranted()) {
      // Its call has ended in another way meanwhile: nobody else will give the lock back.
      var unused = lease.releaseAsync();
    }
    if (handedOff != null) {
      handedOff.released(ReleaseResult.RELEASED);
    }
    if (state instanceof Holding) {
      if (!requestOut) {
        completeRenewal(false);
      }
      if (lease.isReleaseRequested()) {
        release(lease);
      } else {
        armTimer();
      }
    } else if (state instanceof Releasing releasing) {
      armReleaseTimer(releasing);
      if (!requestOut) {
        sendDelete();
      }
    } else if (state instanceof Lost lost) {
      settleLost(lost);
    } else if (state instanceof Released released) {
      settleReleased(released);
    }
  }

  void incarnationGone(IncarnationGoneException gone) {
    Incarnation incarnation = gone.incarnation();
    if (state instanceof Holding holding && holding.version().incarnation().equals(incarnation)) {
      lose(Lost.indexGone(gone));
      queue.notice(
          () ->
              LOG.error(
                  "Lock \"{}\": lost while it was held, token {}: {}",
                  Logs.shown(queue.lockId),
                  token,
                  Logs.shown(gone.getMessage())));
    } else if (state instanceof Releasing releasing
        && releasing.version().incarnation().equals(incarnation)) {
      if (!releasing.deleteSent()) {
        overlapped(Lost.indexGone(gone));
      }
      released(releasing.notHeld());
    }
  }

  void forceReleased(String deletedToken) {
    if (token.equals(deletedToken) && state instanceof Holding) {
      lose(Lost.because(Reason.FORCE_RELEASED, "an operator released it by force"));
    }
  }

  /** The manager closes: the holder is told, and the lock given back when it has done its work. */
  void closing() {
    if (state instanceof Holding && !lease.tellBodyOfClosing()) {
      LeaseHandle told = lease;
      LeaseLostException loss =
          new LeaseLostException(
              queue.lockId, Reason.MANAGER_CLOSED, "the lock manager was closed");
      if (told.lost(loss)) {
        queue.notice(
            () -> {
              var unused =
                  told.runCallbacks(loss).thenRun(() -> queue.execute(() -> release(told)));
            });
      }
    }
  }

  /** The manager has closed, and the holder has not done its work: its lease ends by itself. */
  void abandonedByManager() {
    if (state instanceof Holding) {
      lose(
          Lost.because(
              Reason.MANAGER_CLOSED, "the lock manager was closed before the body returned"));
    } else if (state instanceof Releasing releasing) {
      released(releasing.unconfirmed());
    }
  }

  // --- Release

  /**
   * Gives the lock back, or hands it off; the lease is told the result. Does nothing for a lease
   * that is not the one of now, or that is given back already.
   */
  void release(LeaseHandle given) {
    if (given != lease) {
      return;
    }
    expireIfOver();
    if (state instanceof Holding holding) {
      completeRenewal(false);
      boolean hasNumber = nextHandoff <= FencingToken.MAX_HANDOFF;
      Acquisition successor = hasNumber && isCertain() ? successor(holding) : null;
      if (successor != null) {
        handOff(successor);
        return;
      }
      cancelTimer();
      Releasing releasing = holding.release();
      state = releasing;
      armReleaseTimer(releasing);
      if (!requestOut) {
        sendDelete();
      }
    } else if (state instanceof Lost lost) {
      lease.released(ReleaseResult.NOT_HELD);
      if (lost.recordMayRemain()) {
        cleanUp(lastSent);
      } else {
        cleanUp(uncertainCreate);
      }
    }
  }

  private void armReleaseTimer(Releasing releasing) {
    if (timer == null) {
      long left = releasing.validity().remainingNanos(engine.clocks.read());
      long tick = ticks;
      timer =
          engine.timers.schedule(
              () -> queue.execute(() -> releaseTimedOut(tick)),
              Math.min(left, engine.releaseTimeout.toNanos()));
    }
  }

  /** Whoever gave it back has waited for as long as a release may take. */
  void releaseOverdue(LeaseHandle given) {
    if (given == lease && state instanceof Releasing releasing) {
      released(releasing.unconfirmed());
    }
  }

  /**
   * Whether every write was acknowledged, but for a renewal whose first answer is awaited: until
   * that comes, the lease is what the write before made it.
   */
  private boolean isCertain() {
    return failures == 0 && (!requestOut || requests == 1);
  }

  /**
   * Whether the numbers for handoffs may run out before a renewal that begins now is acknowledged.
   */
  private boolean isShortOfNumbers() {
    return FencingToken.MAX_HANDOFF + 1 - nextHandoff <= queue.pace.handoffsInARenewal();
  }

  /** Who in this process is to have the lock next, without its being given back in between. */
  private @Nullable Acquisition successor(Holding holding) {
    return options.autoRenew() && holding.lastsForAnother(engine.clocks.read())
        ? queue.successor(options)
        : null;
  }

  private void handOff(Acquisition successor) {
    LeaseHandle previous = lease;
    Duration held = engine.clocks.since(leaseSince);
    leaseSince = engine.clocks.read();
    LeaseHandle next =
        new LeaseHandle(
            this,
            successor.options.onLeaseLost(),
            FencingToken.of(version, nextHandoff++),
            token + "#" + ++handoffs,
            leaseSince.wall(),
            successor.purpose == Acquisition.Purpose.BODY);
    handedOff = previous;
    grantee = successor;
    lease = next;
    previous.released(ReleaseResult.RELEASED);
    queue.tell(l -> l.released(queue.lockId, ReleaseResult.RELEASED, held));
    queue.handedOff(successor, lease, held);
    if (!requestOut && isShortOfNumbers()) {
      beginRenewal();
    }
  }

  private void releaseTimedOut(long tick) {
    if (tick == ticks && state instanceof Releasing releasing) {
      released(releasing.unconfirmed());
    }
  }

  private void releaseAfterRenewal(Releasing releasing, WriteResult renewal, ClockReading reading) {
    if (renewal instanceof WriteResult.Applied applied) {
      Holding again =
          releasing
              .acknowledged(
                  applied.version(), engine.validity(reading, options), engine.clocks.read())
              .orElse(null);
      Acquisition successor = again == null || latched ? null : successor(again);
      if (again != null && successor != null) {
        state = again;
        renewed(applied.version(), reading);
        handOff(successor);
        return;
      }
      state = new Releasing(applied.version(), releasing.validity(), releasing.deleteSent(), 0);
      sendDelete();
    } else if (renewal instanceof WriteResult.Rejected) {
      sendDelete();
    } else {
      readForRelease();
    }
  }

  private void sendDelete() {
    if (requestOut || !(state instanceof Releasing releasing)) {
      return;
    }
    state = releasing.deleting();
    if (firstDeleteAt == null) {
      firstDeleteAt = engine.clocks.wallNow();
    }
    requestOut = true;
    engine.delete(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        releasing.version(),
        result -> {
          requestOut = false;
          if (state instanceof Releasing current) {
            deleteAnswered(current, result);
          }
        });
  }

  private void deleteAnswered(Releasing releasing, WriteResult result) {
    if (result instanceof WriteResult.Applied applied) {
      queue.learned(applied.version());
      released(releasing.deleted());
    } else if (result instanceof WriteResult.Rejected rejected) {
      if (rejected.cause() instanceof IncarnationGoneException gone) {
        if (!deleteUnanswered) {
          overlapped(Lost.indexGone(gone));
        }
        released(releasing.notHeld());
        engine.incarnationGone(gone);
      } else {
        released(releasing.unconfirmed());
        queue.notice(
            () ->
                LOG.warn(
                    "Lock \"{}\": the store rejected its release: {}",
                    Logs.shown(queue.lockId),
                    Logs.shown(rejected.cause())));
      }
    } else {
      deleteUnanswered |= result instanceof WriteResult.Unknown;
      readForRelease();
    }
  }

  private void readForRelease() {
    requestOut = true;
    engine.read(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        read -> {
          requestOut = false;
          if (state instanceof Releasing releasing) {
            ObservedRecord observed = ObservedRecord.ofHeld(read, token, releasing.version());
            releaseSeen(releasing.seen(observed, engine.clocks.read()), observed);
          }
        });
  }

  private void releaseSeen(SessionState next, ObservedRecord observed) {
    if (next instanceof Released released) {
      if (observed instanceof ObservedRecord.Others others) {
        if (firstDeleteAt == null || wasHeldBefore(others.record())) {
          overlapped(
              Lost.because(
                  Reason.TAKEN_OVER,
                  "when it was released, it was held by "
                      + Lost.describe(others.record().owner())));
        }
      } else if (firstDeleteAt == null) {
        // Nobody but us deletes a record that is held, and we have not.
        overlapped(Lost.because(Reason.RECORD_DELETED, "when it was released, it had no record"));
      }
      released(released);
      return;
    }
    state = next;
    boolean again =
        observed instanceof ObservedRecord.Ours
            || observed instanceof ObservedRecord.OtherIncarnation;
    long pause = engine.jittered(releasePauseNanos, BACKOFF_JITTER);
    releasePauseNanos = Math.min(releasePauseNanos * 2, MAX_RELEASE_PAUSE_NANOS);
    requestOut = true;
    Scheduler.Timer unused =
        engine.timers.schedule(
            () ->
                queue.execute(
                    () -> {
                      requestOut = false;
                      if (state instanceof Releasing) {
                        if (again) {
                          sendDelete();
                        } else {
                          readForRelease();
                        }
                      }
                    }),
            pause);
  }

  /**
   * Whether another took the lock before this one was given back, as far as its record tells. One
   * that was made after the delete had been sent tells nothing: the delete may have been applied,
   * although a second sending of it met a conflict.
   */
  private boolean wasHeldBefore(LockRecord others) {
    Instant made = others.createdAt();
    Long skew = others.maxClockSkewMillis();
    if (firstDeleteAt == null || made == null || skew == null) {
      return false;
    }
    Instant latest = deleteUnanswered ? made.plus(engine.maxClockSkew) : made;
    return latest.isBefore(firstDeleteAt);
  }

  /**
   * The release shows that the lease had ended before: whoever waits for its end is thrown the
   * loss. Callbacks for a loss are not run any more, as the lease was given back.
   */
  private void overlapped(Lost lost) {
    LeaseLostException loss = lost.exception(queue.lockId);
    if (lease.lost(loss)) {
      queue.tell(l -> l.lost(queue.lockId, loss));
      queue.notice(
          () ->
              LOG.error(
                  "Lock \"{}\": lease lost, token {}, as its release shows: {}",
                  Logs.shown(queue.lockId),
                  token,
                  Logs.shown(lost.message())));
    }
  }

  private void released(Released released) {
    state = released;
    Duration held = engine.clocks.since(leaseSince);
    settleReleased(released);
    ReleaseResult result = released.result();
    queue.tell(l -> l.released(queue.lockId, result, held));
    queue.notice(
        () -> {
          if (result == ReleaseResult.RELEASED) {
            LOG.debug(
                "Lock \"{}\": released, token {}, held for {} ms",
                Logs.shown(queue.lockId),
                token,
                held.toMillis());
          } else {
            LOG.warn(
                "Lock \"{}\": release ended {}, token {}; a record of it ends with its TTL at the"
                    + " latest",
                Logs.shown(queue.lockId),
                result,
                token);
          }
        });
  }

  /** What follows from a release. Again does nothing. */
  private void settleReleased(Released released) {
    ReleaseResult result = released.result();
    lease.released(result);
    engine.lossWatch.remove(this);
    cancelTimer();
    boolean unconfirmed = result == ReleaseResult.UNCONFIRMED;
    cleanUp(unconfirmed ? lastSent : uncertainCreate);
    queue.sessionEnded(this, unconfirmed ? null : info());
  }

  /**
   * Nobody believes in a lease with this token any more; what may still appear with it is deleted.
   */
  private void cleanUp(@Nullable ClockReading lastWrite) {
    if (lastWrite != null && !cleanedUp && !engine.isClosed()) {
      cleanedUp = true;
      queue.cleanUp(token, options, lastWrite, null);
    }
  }
}
