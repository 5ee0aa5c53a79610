package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Released;
import dev.holdfast.lock.SessionState.Releasing;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock that this process holds: the record's token and version, the start of validity, and the
 * one request that may be out for it. What the user has of it is a {@link LeaseHandle}.
 *
 * <p>When it is given back while another in this process waits, it is handed off in memory, and
 * that one gets a lease of its own, with the next fencing token. Other processes do not notice: the
 * record stays as it is. With {@link LockOptions#withLinger} it stays as well if no call waits.
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

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final LockQueue queue;
  private final Engine engine;
  private final LockOptions options;
  final String token;
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

  /** Set by the first that finds the validity over, on any thread, and never taken back. */
  private volatile boolean latched;

  ClockReading lastSent;

  /** The last version that was acknowledged. */
  private Version version;

  /** Whether a request is out: a session has one at a time. */
  boolean requestOut;

  /**
   * Whether the last lease was released and the session stays with this manager for the next
   * caller: it lingers. Still set while such a session is given back.
   */
  private boolean holderless;

  /** Whether it was ever without a holder. */
  private boolean lingered;

  private long lingerEndNanos;

  private boolean cleanedUp;

  /** Whether listeners are notified of the loss: then they are not notified of a release. */
  private boolean lossTold;

  private Scheduler.@Nullable Timer timer;
  private long timerDueNanos;

  /** Tells the tick that is meant from those that were cancelled too late. */
  private long ticks;

  final Renewal renewal;
  final Release release;

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
    this.lease = new LeaseHandle(this, acquisition, FencingToken.of(version, 0), token, leaseSince);
    this.renewal = new Renewal(this);
    this.release = new Release(this);
  }

  /** Begins to renew the lock, and returns the lease on it. */
  LeaseHandle start() {
    engine.lossWatch.add(this);
    renewal.scheduleNext();
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
    return LockInfo.of(record(lastSent), version, engine.clocks.wallNow());
  }

  /** Returns the record for a write whose clocks are read now. */
  LockRecord record(ClockReading reading) {
    return engine.record(queue.lockId, token, grantedAt, reading, options);
  }

  /** Returns the record that keeps the lock unavailable for so long, and that nobody holds. */
  LockRecord unheldRecord(ClockReading reading, long nanos) {
    long millis = Math.max(1, Times.toMillisUp(nanos));
    LockRecord held = record(reading);
    return new LockRecord(
        held.lockId(),
        LockRecord.unheldToken(token),
        held.owner(),
        held.createdAt(),
        reading.wall().plusMillis(millis),
        millis,
        held.maxClockSkewMillis(),
        held.metadata());
  }

  SessionState state() {
    return state;
  }

  void state(SessionState next) {
    state = next;
  }

  /** Whether there is a lease that has been neither lost nor released. */
  boolean hasHolder() {
    return !holderless && !(state instanceof Lost || state instanceof Released);
  }

  void renewalBegins() {
    handoffAtRenewal = nextHandoff;
  }

  /** A renewal was acknowledged: fencing tokens are counted from its version now. */
  void acknowledged(Version acknowledged) {
    version = acknowledged;
    queue.pace.renewed(nextHandoff - handoffAtRenewal);
    nextHandoff = 0;
    queue.learned(acknowledged);
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
      } else if (!holderless && lease.holdNanosLeft() <= 0) {
        lose(Lost.maxHold());
      }
    }
  }

  /** On any thread: a look at the clock has shown that the lease has been held for too long. */
  void heldTooLong() {
    engine.soon(queue, this::expireIfOver);
  }

  /** The lease may have to end sooner than the next look at the clocks. */
  void limitsChanged(LeaseHandle changed) {
    if (changed == lease && !holderless && state instanceof Holding holding) {
      keepTimer(holding);
    }
  }

  private void tick() {
    timer = null;
    expireIfOver();
    if (!(state instanceof Holding)) {
      return;
    }
    if (holderless) {
      if (lingerNanosLeft() <= 0) {
        stopLingering();
      } else {
        armTimer();
      }
      return;
    }
    if (lease.isReleaseRequested()) {
      // The thread that released it had no stack or memory left to say so here.
      release(lease);
      return;
    }
    if (options.autoRenew() && !requestOut && renewal.nanosUntilDue() <= 0) {
      renewal.begin();
    }
    armTimer();
  }

  /** The next look at the clocks: for a renewal that is due, or just to notice a loss in time. */
  void armTimer() {
    if (state instanceof Holding holding) {
      armTimer(this::tick, nanosToNextLook(holding));
    }
  }

  /** Arms the timer unless it is due early enough: what it finds to be too early is armed again. */
  private void keepTimer(Holding holding) {
    long delay = nanosToNextLook(holding);
    if (timer == null || timerDueNanos - (engine.clocks.ticker().nanos() + delay) > 0) {
      armTimer(this::tick, delay);
    }
  }

  private long nanosToNextLook(Holding holding) {
    long delay = holding.validity().remainingNanos(engine.clocks.read());
    if (holderless) {
      return Math.min(delay, Math.max(0, lingerNanosLeft()));
    }
    delay = Math.min(delay, lease.holdNanosLeft());
    long check = holding.validity().ttlNanos() / CHECKS_PER_TTL;
    if (check < LossWatch.INTERVAL_NANOS) {
      delay = Math.min(delay, check);
    }
    if (options.autoRenew() && !requestOut) {
      delay = Math.min(delay, Math.max(0, renewal.nanosUntilDue()));
    }
    return delay;
  }

  private void armTimer(Runnable task, long delay) {
    cancelTimer();
    long tick = ticks;
    timerDueNanos = engine.clocks.ticker().nanos() + delay;
    timer =
        engine.timers.schedule(
            () ->
                queue.execute(
                    () -> {
                      if (tick == ticks) {
                        task.run();
                      }
                    }),
            delay);
  }

  private void cancelTimer() {
    ticks++;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  // --- Loss

  void lose(Lost lost) {
    state = lost;
    settleLost(lost);
    if (holderless) {
      queue.notice(
          () ->
              LOG.debug(
                  "Lock \"{}\": lost without a holder, token {}: {}",
                  Logs.shown(queue.lockId),
                  token,
                  Logs.shown(lost.message())));
      return;
    }
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
    queue.recount();
    if (holderless) {
      // Its last lease was released: nobody is to be notified, and nobody will release it.
      engine.lingering.remove(this);
      cleanUp(lost.recordMayRemain() ? lastSent : uncertainCreate);
    } else {
      LeaseLostException loss = lost.exception(queue.lockId);
      boolean unused = lease.lost(loss);
      tellLoss(loss);
      // Also where the lease was lost before: if a task broke off then, they have not run.
      LeaseHandle told = lease;
      queue.notice(
          () -> {
            var unusedToo = told.runCallbacks(loss);
          });
    }
    engine.lossWatch.remove(this);
    cancelTimer();
    renewal.complete(false);
    queue.sessionEnded(this, lost.recordMayRemain() ? null : info());
  }

  /** Notifies the listeners, once. The holder may know already, if the manager closes. */
  private void tellLoss(LeaseLostException loss) {
    if (!lossTold) {
      Duration held = engine.clocks.since(leaseSince);
      queue.tell(l -> l.lost(queue.lockId, loss, held));
      lossTold = true;
    }
  }

  /**
   * A task broke off at a point that is not known: does again what follows from the state, all of
   * which can be done twice.
   */
  void recover() {
    grantee.finish(new Outcome.Granted(lease));
    if (!grantee.isGranted()) {
      // Its call has ended in another way meanwhile: nobody else will give the lock back.
      lease.giveBackUnused();
    }
    if (handedOff != null) {
      handedOff.released(ReleaseResult.RELEASED);
    }
    if (state instanceof Holding) {
      if (!requestOut) {
        renewal.complete(false);
      }
      if (holderless) {
        lease.released(ReleaseResult.RELEASED);
        stopLingering();
      } else if (lease.isReleaseRequested()) {
        release(lease);
      } else {
        armTimer();
      }
    } else if (state instanceof Releasing releasing) {
      armReleaseTimer(releasing);
      if (!requestOut) {
        release.sendDelete();
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
      boolean wasHeld = !holderless;
      lose(Lost.indexGone(gone));
      if (!wasHeld) {
        return;
      }
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

  /** The manager closes: notifies the holder, and releases the lock when it has done its work. */
  void closing() {
    if (holderless) {
      stopLingering();
    } else if (state instanceof Holding && !lease.tellBodyOfClosing()) {
      LeaseHandle told = lease;
      LeaseLostException loss =
          new LeaseLostException(
              queue.lockId, Reason.MANAGER_CLOSED, "the lock manager was closed");
      // Both can be done again.
      boolean unused = told.lost(loss);
      queue.notice(
          () -> {
            var unusedToo =
                told.runCallbacks(loss).thenRun(() -> queue.execute(() -> release(told)));
          });
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
   * Releases the lock, hands it off, or lets it linger; the lease gets the result. Does nothing for
   * a lease that is not the one of now, or that is given back already.
   */
  void release(LeaseHandle given) {
    if (given != lease || holderless) {
      return;
    }
    expireIfOver();
    if (state instanceof Holding holding) {
      renewal.complete(false);
      boolean hasNumber = nextHandoff <= FencingToken.MAX_HANDOFF;
      Acquisition successor = hasNumber && renewal.isCertain() ? successor(holding) : null;
      if (successor != null) {
        handOff(successor);
      } else if (mayLinger()) {
        linger(holding);
      } else {
        giveBack(holding);
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

  private void giveBack(Holding holding) {
    cancelTimer();
    Releasing releasing = holding.release();
    state = releasing;
    armReleaseTimer(releasing);
    if (!requestOut) {
      release.sendDelete();
    }
  }

  /**
   * For how long nobody is to have the lock, from now, although it is released; 0 if not at all.
   */
  long nanosToStayUnavailable() {
    return holderless || !lease.wasUsed() ? 0 : lease.holdAtLeastNanosLeft();
  }

  private void armReleaseTimer(Releasing releasing) {
    if (timer == null) {
      long left = releasing.validity().remainingNanos(engine.clocks.read());
      armTimer(this::releaseTimedOut, Math.min(left, engine.releaseTimeout.toNanos()));
    }
  }

  /** The caller of release has waited for as long as a release may take. */
  void releaseOverdue(LeaseHandle given) {
    if (given == lease && state instanceof Releasing releasing) {
      released(releasing.unconfirmed());
    }
  }

  /**
   * Whether the numbers for handoffs may run out before a renewal that begins now is acknowledged.
   */
  private boolean isShortOfNumbers() {
    return FencingToken.MAX_HANDOFF + 1 - nextHandoff <= queue.pace.handoffsInARenewal();
  }

  /** Who in this process is to have the lock next, without its being given back in between. */
  @Nullable Acquisition successor(Holding holding) {
    return options.autoRenew()
            && !latched
            && nanosToStayUnavailable() == 0
            && holding.lastsForAnother(engine.clocks.read())
        ? queue.successor(options)
        : null;
  }

  void handOff(Acquisition successor) {
    LeaseHandle previous = lease;
    Duration held = engine.clocks.since(leaseSince);
    handedOff = previous;
    grantNext(successor);
    previous.released(ReleaseResult.RELEASED);
    queue.tell(l -> l.released(queue.lockId, ReleaseResult.RELEASED, held));
    queue.handedOff(successor, lease);
    if (!requestOut && isShortOfNumbers()) {
      renewal.begin();
    }
    boolean mayEndSooner = successor.options.maxHold().isPresent();
    // There is none where the timer itself saw that the lease was released.
    if ((timer == null || mayEndSooner) && state instanceof Holding holding) {
      keepTimer(holding);
    }
  }

  private void grantNext(Acquisition next) {
    leaseSince = engine.clocks.read();
    LeaseHandle granted =
        new LeaseHandle(
            this,
            next,
            FencingToken.of(version, nextHandoff++),
            token + "#" + ++handoffs,
            leaseSince);
    grantee = next;
    lease = granted;
  }

  // --- Lingering

  boolean isHolderless() {
    return holderless;
  }

  boolean hasLingered() {
    return lingered;
  }

  private long lingerNanosLeft() {
    return lingerEndNanos - engine.clocks.ticker().nanos();
  }

  /** Whether the session may stay without a holder, now that its lease is released. */
  private boolean mayLinger() {
    return options.autoRenew()
        && !grantee.options.linger().isZero()
        && !latched
        && nanosToStayUnavailable() == 0
        && renewal.isCertain()
        && (nextHandoff <= FencingToken.MAX_HANDOFF || requestOut)
        && queue.allowsLingering();
  }

  private void linger(Holding holding) {
    holderless = true;
    lingered = true;
    lingerEndNanos = engine.clocks.ticker().nanos() + Times.nanos(grantee.options.linger());
    Duration held = engine.clocks.since(leaseSince);
    keepTimer(holding);
    queue.recount();
    lease.released(ReleaseResult.RELEASED);
    queue.tell(l -> l.released(queue.lockId, ReleaseResult.RELEASED, held));
    Session eldest = engine.lingering.add(this);
    if (eldest != null) {
      eldest.queue.execute(eldest::stopLingering);
    }
  }

  /**
   * Grants the lock to a caller while nobody holds it here.
   *
   * @return false if that one must wait until the session has been given back, or has new numbers
   */
  boolean resume(Acquisition next) {
    expireIfOver();
    if (!holderless
        || latched
        || nextHandoff > FencingToken.MAX_HANDOFF
        || !(state instanceof Holding holding)
        || !holding.lastsForNext(engine.clocks.read())
        || !queue.isNextFor(next, options)) {
      return false;
    }
    // First: if it fails, nobody holds it yet.
    grantNext(next);
    holderless = false;
    handedOff = null;
    engine.lingering.remove(this);
    queue.resumed(next, lease);
    if (!requestOut && (isShortOfNumbers() || renewal.nanosUntilDue() <= 0)) {
      renewal.begin();
    }
    keepTimer(holding);
    return true;
  }

  /**
   * Callers wait while nobody holds the lock here: the first gets it, or the session is given back,
   * for them to acquire again; but the first still gets it if a renewal that is under way succeeds.
   */
  void resumeOrGiveBack() {
    if (!holderless) {
      return;
    }
    Acquisition first = queue.successor(options);
    if (first == null || !resume(first)) {
      stopLingering();
    }
  }

  /** Gives back a session that nobody holds. Does nothing for one that has a holder. */
  void stopLingering() {
    expireIfOver();
    if (holderless && state instanceof Holding holding) {
      engine.lingering.remove(this);
      giveBack(holding);
    }
  }

  private void releaseTimedOut() {
    if (state instanceof Releasing releasing) {
      released(releasing.unconfirmed());
    }
  }

  /**
   * The release shows that the lease had ended before: the caller that waits for its end is thrown
   * the loss. Callbacks for a loss are not run any more, as the lease was given back.
   */
  void overlapped(Lost lost) {
    LeaseLostException loss = lost.exception(queue.lockId);
    if (!holderless && lease.lost(loss)) {
      tellLoss(loss);
      queue.notice(
          () ->
              LOG.error(
                  "Lock \"{}\": lease lost, token {}, as its release shows: {}",
                  Logs.shown(queue.lockId),
                  token,
                  Logs.shown(lost.message())));
    }
  }

  void released(Released released) {
    state = released;
    Duration held = engine.clocks.since(leaseSince);
    settleReleased(released);
    ReleaseResult result = released.result();
    if (holderless) {
      queue.notice(
          () ->
              LOG.debug(
                  "Lock \"{}\": given back without a holder, token {}: {}",
                  Logs.shown(queue.lockId),
                  token,
                  result));
      return;
    }
    if (!lossTold) {
      queue.tell(l -> l.released(queue.lockId, result, held));
    }
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
    queue.recount();
    ReleaseResult result = released.result();
    lease.released(result);
    engine.lossWatch.remove(this);
    cancelTimer();
    boolean unconfirmed = result == ReleaseResult.UNCONFIRMED;
    // What is to stay unavailable is left to its TTL.
    cleanUp(unconfirmed && nanosToStayUnavailable() == 0 ? lastSent : uncertainCreate);
    queue.sessionEnded(this, unconfirmed ? null : info());
  }

  /** No lease with this token is valid any more; what may still appear with it is deleted. */
  private void cleanUp(@Nullable ClockReading lastWrite) {
    if (lastWrite != null && !cleanedUp && !engine.isClosed()) {
      cleanedUp = true;
      queue.cleanUp(token, options, lastWrite, null);
    }
  }
}
