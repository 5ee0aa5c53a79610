package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.internal.Logs;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a user holds of a {@link Session}: acts on it until it was released, and is notified of its
 * loss, once. Bound to no thread; but it knows the thread of a body that runs under it, to
 * interrupt just that, and just while it runs.
 */
final class LeaseHandle implements Lease {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseHandle.class);

  private final Session session;
  private final OnLeaseLost onLeaseLost;
  private final FencingToken fencingToken;
  private final String token;
  private final Instant acquiredAt;
  private final boolean forBody;

  /** Replaced as a whole, on any thread; not any more once the longest hold was found over. */
  private volatile HoldLimits limits;

  /** Set if the lock was granted to a caller that had gone, who did nothing under it. */
  private volatile boolean unused;

  private final AtomicBoolean releaseRequested = new AtomicBoolean();
  private final CompletableFuture<ReleaseResult> released = new CompletableFuture<>();

  // Guarded by this.
  private @Nullable LeaseLostException loss;
  private @Nullable List<Consumer<LeaseLostException>> callbacks;
  private @Nullable CompletableFuture<@Nullable Void> callbacksEnded;
  private @Nullable BodyThread bodyThread;
  private int interruptsTakenBefore;
  private boolean interruptSent;
  private boolean closing;

  /**
   * A lease on a session.
   *
   * @param granted whose options say how long it may be held, and whether the body is interrupted
   *     when it is lost
   * @param since when it was granted
   */
  LeaseHandle(
      Session session,
      Acquisition granted,
      FencingToken fencingToken,
      String token,
      ClockReading since) {
    this.session = session;
    this.onLeaseLost = granted.options.onLeaseLost();
    this.fencingToken = fencingToken;
    this.token = token;
    this.acquiredAt = since.wall();
    this.limits = HoldLimits.of(granted.options, since.nanos());
    this.forBody = granted.purpose == Acquisition.Purpose.BODY;
  }

  @Override
  public String lockId() {
    return session.lockId();
  }

  @Override
  public String token() {
    return token;
  }

  @Override
  public FencingToken fencingToken() {
    return fencingToken;
  }

  @Override
  public Instant acquiredAt() {
    return acquiredAt;
  }

  @Override
  public Duration ttl() {
    return session.options().ttl();
  }

  @Override
  public Duration remaining() {
    if (releaseRequested.get() || loss() != null) {
      return Duration.ZERO;
    }
    boolean wasOver = limits.over();
    long holdLeft = holdNanosLeft();
    if (holdLeft <= 0 && !wasOver) {
      session.heldTooLong();
    }
    return Duration.ofNanos(Math.min(holdLeft, session.remainingNanos()));
  }

  /** How much is left of the longest hold, 0 if nothing; finding nothing is final. Any thread. */
  long holdNanosLeft() {
    while (true) {
      HoldLimits current = limits;
      if (current.over()) {
        return 0;
      }
      if (!current.hasMaximum()) {
        return Long.MAX_VALUE;
      }
      long left = current.atMostNanosLeft(nowNanos());
      if (left > 0) {
        return left;
      }
      if (replace(current, current.found(true))) {
        return 0;
      }
    }
  }

  /** For how long the lock is to stay unavailable, though it is released; 0 if not at all. */
  long holdAtLeastNanosLeft() {
    HoldLimits current = limits;
    // Most have no such limit, and need no look at the clock for each handoff.
    return current.atLeastNanos() == 0 ? 0 : current.atLeastNanosLeft(nowNanos());
  }

  private synchronized boolean replace(HoldLimits expected, HoldLimits next) {
    if (!limits.equals(expected)) {
      return false;
    }
    limits = next;
    return true;
  }

  private long nowNanos() {
    return session.engine().clocks.ticker().nanos();
  }

  @Override
  public boolean limitHold(Duration holdAtLeast, Duration maxHold) {
    Objects.requireNonNull(holdAtLeast, "holdAtLeast");
    Objects.requireNonNull(maxHold, "maxHold");
    HoldLimits next = HoldLimits.of(holdAtLeast, maxHold, nowNanos());
    HoldLimits current;
    do {
      // First: what is found to be over stays so.
      current = limits;
      if (!isHeld()) {
        return false;
      }
    } while (!replace(current, next));
    session.queue().execute(() -> session.limitsChanged(this));
    return true;
  }

  @Override
  public boolean isHeld() {
    return !remaining().isZero();
  }

  @Override
  public boolean renew() {
    if (!isHeld()) {
      return false;
    }
    CompletableFuture<Boolean> renewed = session.renewal.now();
    // Held afterwards too: it may have been given back meanwhile, and the renewal be another's.
    return FutureWaits.awaitUninterruptibly(
            renewed, session.engine().requestTimeout(session.options().ttl()))
        && renewed.join()
        && !releaseRequested.get();
  }

  @Override
  public void ensureHeld(Duration atLeast) {
    Objects.requireNonNull(atLeast, "atLeast");
    Duration most = Duration.ofNanos(session.fullValidityNanos());
    if (atLeast.isNegative() || atLeast.isZero() || atLeast.compareTo(most) >= 0) {
      throw new IllegalArgumentException(
          "atLeast must be more than 0 and less than "
              + most
              + ", which is what a renewal gives, but is "
              + atLeast);
    }
    // Twice: a renewal that was under way already may give less than one that begins now.
    for (int attempt = 0; attempt < 2; attempt++) {
      if (remaining().compareTo(atLeast) >= 0) {
        return;
      }
      boolean unused = renew();
    }
    if (remaining().compareTo(atLeast) < 0) {
      throw holdNanosLeft() < Times.nanos(atLeast)
          ? notHeld(Reason.MAX_HOLD, "it may not be held for " + atLeast + " more")
          : notHeld(Reason.EXPIRED, "it could not be renewed for " + atLeast);
    }
  }

  @Override
  public void onLost(Consumer<LeaseLostException> callback) {
    Objects.requireNonNull(callback, "callback");
    LeaseLostException lost;
    synchronized (this) {
      lost = loss;
      if (lost == null) {
        if (callbacks == null) {
          callbacks = new ArrayList<>(1);
        }
        callbacks.add(callback);
      }
    }
    if (lost != null) {
      var unused = run(callback, lost);
    }
  }

  @Override
  public ReleaseResult release() {
    requestRelease();
    Engine engine = session.engine();
    LockQueue queue = session.queue();
    if (!FutureWaits.awaitUninterruptibly(released, engine.releaseTimeout)) {
      // The engine's own timer is late: this thread does what that was to do.
      queue.execute(() -> session.releaseOverdue(this));
      if (!FutureWaits.awaitUninterruptibly(released, LockManager.GRACE)) {
        released(ReleaseResult.UNCONFIRMED);
      }
    }
    return released.join();
  }

  @Override
  public CompletableFuture<ReleaseResult> releaseAsync() {
    requestRelease();
    CompletableFuture<ReleaseResult> result = new CompletableFuture<>();
    var unused =
        released.thenAccept(
            outcome -> session.engine().callbacks.execute(() -> result.complete(outcome)));
    return result;
  }

  /** Releases what was granted to a caller that had gone. On any thread. */
  void giveBackUnused() {
    unused = true;
    requestRelease();
  }

  /** Whether its caller may have done something under it. */
  boolean wasUsed() {
    return !unused;
  }

  @Override
  public void close() {
    ReleaseResult unused = release();
    LeaseLostException lost = loss();
    if (lost != null) {
      throw lost.around(null);
    }
  }

  /** Again if need be: the caller before may have had no stack or memory left. */
  private void requestRelease() {
    releaseRequested.set(true);
    if (!released.isDone()) {
      session.queue().execute(() -> session.release(this));
    }
  }

  boolean isReleaseRequested() {
    return releaseRequested.get();
  }

  synchronized @Nullable LeaseLostException loss() {
    return loss;
  }

  /** Returns the loss, or one for a reason that has not been reported yet. */
  LeaseLostException notHeld(Reason reason, String message) {
    LeaseLostException lost = loss();
    if (lost != null) {
      return lost;
    }
    return limits.over()
        ? SessionState.Lost.maxHold().exception(lockId())
        : new LeaseLostException(lockId(), reason, message);
  }

  /** Returns the loss if the lease has ended in any way but by its own release; null otherwise. */
  @Nullable LeaseLostException lossUntilNow() {
    return isHeld() || wasReleasedByBody()
        ? null
        : notHeld(Reason.EXPIRED, SessionState.Lost.validityEnded().message());
  }

  /**
   * Returns the loss that was known before the release, or the one that the release has shown; null
   * if there is none.
   */
  @Nullable LeaseLostException lossAfter(
      ReleaseResult result, @Nullable LeaseLostException knownBefore) {
    return knownBefore != null || result != ReleaseResult.NOT_HELD ? knownBefore : loss();
  }

  /** Whether the body gave the lock back itself, before it was lost. */
  boolean wasReleasedByBody() {
    return releaseRequested.get() && loss() == null;
  }

  /** By the session: the release has ended so. Again does nothing. */
  void released(ReleaseResult result) {
    released.complete(result);
  }

  /**
   * By the session: the lease is lost. Tells the body's thread at once; the callbacks are to be
   * run.
   *
   * @return false if it was lost before
   */
  synchronized boolean lost(LeaseLostException lost) {
    if (loss != null) {
      return false;
    }
    loss = lost;
    if (onLeaseLost == OnLeaseLost.INTERRUPT) {
      interruptBody();
    }
    return true;
  }

  /**
   * Has the callbacks run, each once, however often it is called.
   *
   * @return completes when all have run
   */
  CompletableFuture<@Nullable Void> runCallbacks(LeaseLostException lost) {
    List<Consumer<LeaseLostException>> toRun;
    CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
    synchronized (this) {
      if (callbacksEnded != null) {
        return callbacksEnded;
      }
      callbacksEnded = ended;
      toRun = callbacks == null ? List.of() : callbacks;
      callbacks = null;
    }
    var unused =
        CompletableFuture.allOf(
                toRun.stream()
                    .map(callback -> run(callback, lost))
                    .toArray(CompletableFuture<?>[]::new))
            .thenRun(() -> ended.complete(null));
    return ended;
  }

  private CompletableFuture<@Nullable Void> run(
      Consumer<LeaseLostException> callback, LeaseLostException lost) {
    CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    session
        .engine()
        .callbacks
        .execute(
            () -> {
              try {
                callback.accept(lost);
              } catch (Throwable e) {
                Logs.quietly(
                    () ->
                        LOG.error(
                            "A callback for the loss of lock \"{}\" failed",
                            Logs.shown(lockId()),
                            e));
              } finally {
                done.complete(null);
              }
            });
    return done;
  }

  // --- The body

  synchronized boolean isBodyOf(Thread thread) {
    return bodyThread != null && bodyThread.is(thread);
  }

  /**
   * The calling thread wants to begin the body.
   *
   * @return false if it must not: the lease is lost already, or the manager closes
   */
  synchronized boolean enterBody() {
    if (loss != null || closing) {
      return false;
    }
    BodyThread thread = BodyThread.enter();
    interruptsTakenBefore = thread.begin();
    bodyThread = thread;
    return true;
  }

  /**
   * The calling thread has ended the body: no interrupt of ours reaches it any more, or stays.
   *
   * @param failure what the body threw
   */
  synchronized void exitBody(@Nullable Throwable failure) {
    BodyThread thread = bodyThread;
    if (thread != null) {
      bodyThread = null;
      thread.exit(interruptSent, interruptsTakenBefore, failure);
    }
  }

  /**
   * The manager closes, or the holder gives the lock up before its body has ended: a body that has
   * not begun never does.
   *
   * @return whether there is a body, which is notified, and after which the lock is released
   */
  synchronized boolean tellBodyOfClosing() {
    closing = true;
    if (onLeaseLost == OnLeaseLost.INTERRUPT) {
      interruptBody();
    }
    return forBody;
  }

  /** At most once. */
  private synchronized void interruptBody() {
    if (bodyThread != null && !interruptSent) {
      interruptSent = true;
      bodyThread.interrupt();
    }
  }

  @Override
  public String toString() {
    return "Lease[lock=" + lockId() + ", token=" + token + ", fencingToken=" + fencingToken + "]";
  }
}
