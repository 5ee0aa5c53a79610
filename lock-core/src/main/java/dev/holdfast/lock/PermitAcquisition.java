package dev.holdfast.lock;

import dev.holdfast.lock.store.ReadResult;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One call for any of several locks. A round reads the records of all of them at once, and then
 * tries to acquire those that are free or expired, one after the other, as any call would: what a
 * read shows decides only what is tried. The first round begins with one lock that is chosen by
 * chance, without reading, since most calls find it free.
 *
 * <p>Its steps run one at a time, on the callback executor but for the first. The outcome may be
 * completed by others meanwhile; no further step begins then.
 */
final class PermitAcquisition {
  /** How many request timeouts a call without a wait timeout may take: to read, and to write. */
  private static final int TIMEOUTS_OF_ONE_ROUND = 2;

  private static final double JITTER = 0.1;

  final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

  private final LockManager locks;
  private final Engine engine;
  private final Permits permits;
  private final String name;
  private final int count;
  private final LockOptions options;
  private final LockOptions oneAttempt;
  private final ClockReading started;
  private final int first;

  /** What is still to be tried in this round. */
  private final ArrayDeque<Integer> candidates = new ArrayDeque<>();

  /** Whether the attempt that is under way is the one that nothing was read for. */
  private boolean unseen;

  /** Why this round cannot tell that all are held; null if it can. */
  private Outcome.@Nullable Unavailable unread;

  private long pauseNanos;

  /** How the last round of this call, or of one that waited before it, ended; null before that. */
  private volatile @Nullable Outcome lastRound;

  /** The lock that the outcome is about. */
  private volatile String lastTried;

  // What a call that has ended leaves behind.
  private volatile @Nullable Acquisition trying;
  private volatile Scheduler.@Nullable Timer deadline;
  private volatile Scheduler.@Nullable Timer pause;

  PermitAcquisition(
      LockManager locks, Permits permits, String name, int count, LockOptions options) {
    this.locks = locks;
    this.engine = locks.engine;
    this.permits = permits;
    this.name = name;
    this.count = count;
    this.options = options;
    // A permit that lingered would be free for this process only, which does not know which it is.
    this.oneAttempt = options.withWaitTimeout(Duration.ZERO).withLinger(Duration.ZERO);
    this.started = engine.clocks.read();
    this.first = engine.random.nextInt(count);
    this.lastTried = lockId(name, first);
  }

  static String lockId(String name, int permit) {
    return name + "#" + permit;
  }

  String name() {
    return name;
  }

  String lastTried() {
    return lastTried;
  }

  /** How long the call may take. */
  Duration limit() {
    return options.isFailFast()
        ? engine.requestTimeout(options.ttl()).multipliedBy(TIMEOUTS_OF_ONE_ROUND)
        : options.waitTimeout();
  }

  void begin() {
    step(
        () -> {
          deadline = engine.timers.schedule(this::timeOut, Times.nanos(limit()));
          if (options.isFailFast() || permits.enter(this)) {
            look();
          }
        });
    if (outcome.isDone()) {
      // It may have ended before all of that was there to be cleared away.
      clearAway();
    }
  }

  /** The call that waited before this one has ended: this is the one that looks now. */
  private void succeed(PermitAcquisition predecessor) {
    boolean granted = predecessor.outcome.join() instanceof Outcome.Granted;
    lastRound = granted ? heldByOthers() : predecessor.lastRound;
    if (granted) {
      // Another permit may have become free as well.
      engine.callbacks.execute(() -> step(this::look));
    } else {
      // Many may give up at the same time: they must not look once each.
      step(this::pause);
    }
  }

  /** Runs a step, unless the call has ended; what it throws ends the call. */
  private void step(Runnable step) {
    if (outcome.isDone()) {
      return;
    }
    try {
      step.run();
    } catch (Throwable e) {
      boolean unused = end(locks.isClosing() ? new Outcome.Closed() : Outcome.noAnswer(e, false));
    }
  }

  // --- One round

  private void look() {
    unseen = true;
    attempt(first);
  }

  private void attempt(int permit) {
    lastTried = lockId(name, permit);
    Acquisition call = locks.submit(lastTried, oneAttempt, Acquisition.Purpose.LEASE, null);
    trying = call;
    if (outcome.isDone()) {
      call.abandon();
    }
    var unused = call.outcome.thenAccept(this::attempted);
  }

  /** In the serial executor of that lock. */
  private void attempted(Outcome result) {
    if (!(result instanceof Outcome.Granted)) {
      engine.callbacks.execute(() -> step(() -> notGranted(result)));
    } else if (!end(result)) {
      LockManager.giveBack(result);
    }
  }

  private void notGranted(Outcome result) {
    if (result instanceof Outcome.HeldByOther && unseen) {
      read();
    } else if (result instanceof Outcome.HeldByOther) {
      tryNext();
    } else if (result instanceof Outcome.Unavailable unavailable) {
      candidates.clear();
      unread = unavailable;
      roundEnded();
    } else {
      boolean unused = end(result);
    }
  }

  private void tryNext() {
    Integer candidate = candidates.poll();
    if (candidate == null) {
      roundEnded();
    } else {
      attempt(candidate);
    }
  }

  /** Reads all records, except that of a permit which was found to be held just now. */
  private void read() {
    List<Integer> read = new ArrayList<>(count);
    List<CompletableFuture<ReadResult>> answers = new ArrayList<>(count);
    for (int i = unseen ? 1 : 0; i < count; i++) {
      int permit = (first + i) % count;
      read.add(permit);
      answers.add(engine.read(lockId(name, permit)));
    }
    unseen = false;
    var unused =
        CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
            .thenRun(() -> engine.callbacks.execute(() -> step(() -> wereRead(read, answers))));
  }

  private void wereRead(List<Integer> read, List<CompletableFuture<ReadResult>> answers) {
    for (int i = 0; i < read.size(); i++) {
      ReadResult answer = answers.get(i).join();
      if (answer instanceof ReadResult.Rejected rejected) {
        unread = new Outcome.Unavailable(rejected.cause(), false);
      } else if (answer instanceof ReadResult.Unavailable unavailable) {
        unread = new Outcome.Unavailable(unavailable.cause(), true);
      } else if (mayBeAcquired(answer)) {
        candidates.add(read.get(i));
      }
    }
    tryNext();
  }

  private boolean mayBeAcquired(ReadResult answer) {
    // The observation is kept: where wall clocks are not trusted, that is how the permit of a
    // crashed holder becomes free.
    return !(answer instanceof ReadResult.Found found)
        || engine.observations.decide(found.record(), found.version(), options.ttl())
            instanceof Observations.TakeoverDecision.Expired;
  }

  private void roundEnded() {
    Outcome.Unavailable failure = unread;
    unread = null;
    Outcome ended =
        failure == null ? heldByOthers() : Outcome.noAnswer(failure.cause(), failure.retryable());
    lastRound = ended;
    boolean hopeless = ended instanceof Outcome.Broken || (failure != null && !failure.retryable());
    if (options.isFailFast() || hopeless) {
      boolean unused = end(ended);
    } else {
      pause();
    }
  }

  private Outcome heldByOthers() {
    return new Outcome.HeldByOther(null, engine.clocks.since(started));
  }

  /** Until the next round, as a call waits that wants one lock. */
  private void pause() {
    long first = LockQueue.FIRST_POLL.toNanos();
    pauseNanos = Math.min(Math.max(pauseNanos * 2, first), engine.maxPollInterval.toNanos());
    pause =
        engine.timers.schedule(
            () -> engine.callbacks.execute(() -> step(this::read)),
            engine.jittered(pauseNanos, JITTER));
    if (outcome.isDone()) {
      clearAway();
    }
  }

  // --- The end

  /** The time for the call is up. On any thread. */
  void timeOut() {
    Outcome known = lastRound;
    if (known == null && !options.isFailFast()) {
      PermitAcquisition looking = permits.first(name);
      known = looking == null ? null : looking.lastRound;
    }
    boolean unused =
        end(known != null ? known : new Outcome.Unavailable(engine.noAnswerWithin(limit()), true));
  }

  /** The caller has gone. A permit that is granted is released. */
  void abandon() {
    boolean unused = end(new Outcome.Closed());
  }

  /**
   * Ends the call. On any thread.
   *
   * @return false if it had ended before
   */
  boolean end(Outcome result) {
    if (!outcome.complete(result)) {
      return false;
    }
    clearAway();
    return true;
  }

  /** What follows from the end. Again does nothing. */
  private void clearAway() {
    cancel(deadline);
    cancel(pause);
    Acquisition attempt = trying;
    if (attempt != null) {
      attempt.abandon();
    }
    PermitAcquisition successor = permits.leave(this);
    if (successor != null) {
      successor.succeed(this);
    }
  }

  private static void cancel(Scheduler.@Nullable Timer timer) {
    if (timer != null) {
      timer.cancel();
    }
  }
}
