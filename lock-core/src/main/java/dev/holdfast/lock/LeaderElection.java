package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Elects one leader among the processes that run an election of the same name: the holder of the
 * lock of that name. Campaigns until it is closed. Thread-safe.
 *
 * <pre>{@code
 * try (var election =
 *     LeaderElection.builder(locks, "scheduler")
 *         .onElected(lease -> runScheduler())
 *         .onRevoked(() -> stopScheduler())
 *         .build()) {
 *   election.start();
 *   awaitShutdown();
 * }
 * }</pre>
 *
 * <p><b>A term</b> begins with the grant of the lock. {@link Builder#onElected} runs meanwhile, on
 * a thread of its own, and the lease is renewed in the background. The term ends when the body
 * returns or throws, when the lease is lost, and by {@link #stepDown} and {@link #close}. Then
 *
 * <ol>
 *   <li>{@link #isLeader} is false.
 *   <li>The body is interrupted, unless the options say {@link OnLeaseLost#NOTIFY}. {@link
 *       Builder#onRevoked} runs, beside the body if that has not ended.
 *   <li>When both have ended, the lock is released. No body of this election runs beside the next.
 *   <li>After {@link Builder#pauseAfterYield}, this process campaigns again.
 * </ol>
 *
 * <p><b>Guarantees.</b> At no time do two processes see {@link #isLeader} true, under the
 * assumptions of {@link LockManager}. Where this process ends the term itself (the body ends,
 * {@link #stepDown}, {@link #close}), {@link Builder#onRevoked} and the body have ended before
 * another process can lead. At a loss, nobody can promise that: a lease that could not be renewed
 * ends before another process can take over (5 s before with the default TTL of 30 s), and {@link
 * Builder#onRevoked} begins then; but another process may lead already if the body or the callback
 * takes longer, if the process was paused, or if an operator deleted the record. Use {@link
 * Lease#fencingToken}.
 *
 * <p><b>Errors.</b> An outage does not end the election: the campaign goes on, with pauses of about
 * 1 s at most. When the store rejects a request, or a body throws, the election tries again after a
 * pause that grows from 1 s to 30 s.
 *
 * <p><b>{@link LockManager#close()}</b> closes the elections of that manager too, so that a lock is
 * released when its body has ended.
 */
public final class LeaderElection implements AutoCloseable {
  private static final double JITTER = 0.1;

  private static final Logger LOG = LoggerFactory.getLogger(LeaderElection.class);

  private final LockManager locks;
  private final Engine engine;
  private final String name;
  private final LockOptions options;
  private final @Nullable LeaseConsumer<?> body;
  private final Executor executor;
  private final Runnable onRevoked;
  private final Consumer<? super Throwable> onError;
  private final Duration pauseAfterYield;
  private final @Nullable LeaderWatch watch;
  private final Runnable closingHook = this::beginClosing;
  private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();

  private volatile @Nullable LeaderTerm term;

  // Guarded by this.
  private boolean started;
  private boolean closing;
  private boolean campaigning;
  private @Nullable Acquisition campaign;
  private Scheduler.@Nullable Timer pause;
  private final Backoff afterFailedCampaigns = new Backoff();
  private final Backoff afterFailedTerms = new Backoff();

  private LeaderElection(Builder builder) {
    this.locks = builder.locks;
    this.engine = locks.engine;
    this.name = builder.name;
    // A leader that has stepped down is not to keep others from leading.
    this.options = builder.options.withWaitTimeout(LockOptions.MAX_WAIT).withLinger(Duration.ZERO);
    this.body = builder.body;
    this.executor = builder.executor;
    this.onRevoked = builder.onRevoked;
    this.onError = builder.onError;
    this.pauseAfterYield = builder.pauseAfterYield;
    Consumer<? super LockInfo> onNewLeader = builder.onNewLeader;
    this.watch =
        onNewLeader == null
            ? null
            : new LeaderWatch(engine, name, this::ownToken, onNewLeader, this::report);
  }

  /**
   * For an election of that name.
   *
   * @param locks stays the caller's to close, after the election
   * @param name the id of the lock whose holder leads
   * @throws IllegalArgumentException if the name is no lock id
   */
  public static Builder builder(LockManager locks, String name) {
    return new Builder(locks, name);
  }

  /**
   * Begins to campaign, and returns at once.
   *
   * @throws IllegalStateException if it was started before, or if it or its manager is closed
   */
  public void start() {
    locks.checkOpen();
    synchronized (this) {
      if (closing) {
        throw new IllegalStateException("the leader election is closed");
      }
      if (started) {
        throw new IllegalStateException("the leader election was started before");
      }
      started = true;
    }
    locks.onClosing(closingHook);
    if (watch != null) {
      watch.start();
    }
    campaign();
  }

  /** Returns whether this process leads now, by both of its clocks. Does no I/O. */
  public boolean isLeader() {
    LeaderTerm current = term;
    return current != null && current.isLeading();
  }

  /**
   * Asks the store who leads. A snapshot: by the time it is read another may lead.
   *
   * @return empty if nobody does
   * @throws LockStoreUnavailableException if the store did not answer
   * @throws IllegalStateException if the manager is closed
   */
  public Optional<LockInfo> leader() {
    return locks.find(name).filter(info -> !info.expired() && info.isHeld());
  }

  /**
   * Ends the term of this process, if it leads, and returns at once: the body is interrupted, and
   * when it and {@link Builder#onRevoked} have ended, the lock is released and another process can
   * lead. This process campaigns again after {@link Builder#pauseAfterYield}. May be called by the
   * body.
   */
  public void stepDown() {
    LeaderTerm current = term;
    if (current != null) {
      current.revoke();
    }
  }

  /**
   * Ends the election: the campaign is given up, or the term ended as by {@link #stepDown}. Waits
   * until the lock is released, at most for twice the release timeout of the manager. A body that
   * has not ended by then keeps the lock until it has, so that nobody leads beside it. An interrupt
   * does not end the wait, and is kept. Closing again waits as well, and does nothing else.
   *
   * <p>Called by the body it does not wait, because it would wait for itself. Not to be called by a
   * callback of this election.
   */
  @Override
  public void close() {
    beginClosing();
    LeaderTerm current = term;
    if (current == null || !current.isBodyOf(Thread.currentThread())) {
      boolean unused =
          FutureWaits.awaitUninterruptibly(closed, engine.releaseTimeout.multipliedBy(2));
    }
  }

  /** Like {@link #close}, without waiting: the future is completed when the lock is released. */
  public CompletableFuture<@Nullable Void> closeAsync() {
    beginClosing();
    CompletableFuture<@Nullable Void> result = new CompletableFuture<>();
    var unused = closed.thenRun(() -> engine.callbacks.execute(() -> result.complete(null)));
    return result;
  }

  private void beginClosing() {
    LeaderTerm current;
    boolean underWay;
    Acquisition attempt;
    Scheduler.Timer timer;
    synchronized (this) {
      if (closing) {
        return;
      }
      closing = true;
      current = term;
      underWay = campaigning;
      attempt = campaign;
      timer = pause;
    }
    if (watch != null) {
      watch.stop();
    }
    if (timer != null) {
      timer.cancel();
    }
    // What comes of a term or a campaign ends the election.
    if (current != null) {
      current.revoke();
    } else if (attempt != null) {
      attempt.abandon();
    } else if (!underWay) {
      finish();
    }
  }

  private void finish() {
    locks.removeOnClosing(closingHook);
    closed.complete(null);
  }

  // --- The campaign

  private void campaign() {
    Acquisition attempt;
    synchronized (this) {
      pause = null;
      if (closing) {
        return;
      }
      campaigning = true;
    }
    try {
      attempt = locks.submit(name, options, Acquisition.Purpose.BODY, null);
    } catch (Throwable e) {
      notElected(e);
      return;
    }
    boolean abandoned;
    synchronized (this) {
      campaign = attempt;
      abandoned = closing;
    }
    if (abandoned) {
      attempt.abandon();
    }
    var unused =
        attempt.outcome.thenAccept(
            outcome -> engine.callbacks.execute(() -> campaignEnded(outcome)));
  }

  private void campaignEnded(Outcome outcome) {
    if (outcome instanceof Outcome.Granted granted) {
      elected(granted.lease());
      return;
    }
    Throwable failure;
    try {
      failure = locks.failure(name, outcome);
    } catch (Throwable e) {
      failure = e;
    }
    notElected(failure);
  }

  private void elected(LeaseHandle lease) {
    LeaderTerm begun =
        new LeaderTerm(engine, lease, body, executor, onRevoked, this::report, this::termEnded);
    boolean tooLate;
    synchronized (this) {
      campaigning = false;
      campaign = null;
      afterFailedCampaigns.reset();
      tooLate = closing;
      if (!tooLate) {
        term = begun;
      }
    }
    if (tooLate) {
      lease.giveBackUnused();
      var unused = lease.releaseAsync().thenRun(this::finish);
      return;
    }
    Logs.quietly(
        () ->
            LOG.info(
                "Leader election \"{}\": elected, fencing token {}",
                Logs.shown(name),
                lease.fencingToken()));
    begun.begin();
  }

  private void termEnded(LeaderTerm ended) {
    Logs.quietly(() -> LOG.info("Leader election \"{}\": term ended", Logs.shown(name)));
    Duration delay = pauseAfterYield;
    synchronized (this) {
      term = null;
      if (!ended.hasFailed() || ended.duration().compareTo(Backoff.MAX) > 0) {
        afterFailedTerms.reset();
      }
      Duration backoff = ended.hasFailed() ? afterFailedTerms.next() : Duration.ZERO;
      if (backoff.compareTo(delay) > 0) {
        delay = backoff;
      }
    }
    campaignAfter(delay);
  }

  private void notElected(Throwable failure) {
    Duration delay;
    boolean over;
    synchronized (this) {
      campaigning = false;
      campaign = null;
      over = closing;
      delay = afterFailedCampaigns.next();
    }
    if (over) {
      finish();
      return;
    }
    if (!locks.isClosing()) {
      report("not elected", failure);
    }
    campaignAfter(delay);
  }

  private void campaignAfter(Duration delay) {
    Scheduler.Timer timer =
        engine.timers.schedule(this::campaign, engine.jittered(Times.nanos(delay), JITTER));
    synchronized (this) {
      if (!closing) {
        pause = timer;
        return;
      }
    }
    timer.cancel();
    finish();
  }

  /** The token in the store's record of the term of this process; null if it does not lead. */
  private @Nullable String ownToken() {
    LeaderTerm current = term;
    return current == null ? null : current.token();
  }

  private void report(String what, Throwable failure) {
    Logs.quietly(() -> LOG.warn("Leader election \"{}\": {}", Logs.shown(name), what, failure));
    engine.callbacks.execute(
        () -> {
          try {
            onError.accept(failure);
          } catch (Throwable e) {
            Logs.quietly(
                () -> LOG.error("Leader election \"{}\": onError failed", Logs.shown(name), e));
          }
        });
  }

  @Override
  public String toString() {
    return "LeaderElection[" + Logs.shown(name) + (isLeader() ? ", leads]" : "]");
  }

  /** Settings of a {@link LeaderElection}. Not thread-safe. */
  public static final class Builder {
    private static final Duration MAX_PAUSE = Duration.ofDays(1);

    private final LockManager locks;
    private final String name;
    private LockOptions options;
    private @Nullable LeaseConsumer<?> body;
    private Executor executor = task -> Defaults.start("holdfast-leader", task);
    private Runnable onRevoked = () -> {};
    private @Nullable Consumer<? super LockInfo> onNewLeader;
    private Consumer<? super Throwable> onError = failure -> {};
    private Duration pauseAfterYield = Duration.ofSeconds(1);

    private Builder(LockManager locks, String name) {
      this.locks = Objects.requireNonNull(locks, "locks");
      this.options = locks.defaultOptions();
      LockManager.check(Objects.requireNonNull(name, "name"));
      this.name = name;
    }

    /**
     * The body of a term, which is given the lease. It should work until it is interrupted, or
     * until {@link LeaderElection#isLeader} is false: when it returns, leadership is given up. What
     * it throws is reported to {@link #onError}, and ends the term too; then the pause before the
     * next campaign grows with each time, from 1 s to 30 s.
     *
     * <p>Without a body, a term lasts until the lease is lost, {@link LeaderElection#stepDown} or
     * {@link LeaderElection#close}.
     */
    public Builder onElected(LeaseConsumer<?> body) {
      this.body = Objects.requireNonNull(body, "body");
      return this;
    }

    /**
     * Runs the body: by default a daemon thread that is started for each term. It stays the
     * caller's to shut down. It must have a free thread, as the lock is held meanwhile; when it
     * rejects the body, the term ends as if the body had thrown that. It should not run the body in
     * its caller, which is a thread for callbacks.
     */
    public Builder executor(Executor executor) {
      this.executor = Objects.requireNonNull(executor, "executor");
      return this;
    }

    /**
     * Runs at the end of each term, once, on the callback executor of the manager: as soon as a
     * loss is noticed, or when this process steps down or closes the election; beside the body if
     * that has not ended, and after it otherwise. The lock is released when it has ended.
     */
    public Builder onRevoked(Runnable onRevoked) {
      this.onRevoked = Objects.requireNonNull(onRevoked, "onRevoked");
      return this;
    }

    /**
     * Sets a callback that is given each new leader, this process too. While this process does not
     * lead, the store is asked once a second, so the callback runs about a second after the term
     * has begun, and may miss a term that is shorter. Runs on the callback executor of the manager,
     * once at a time; while it runs, the store is not asked.
     */
    public Builder onNewLeader(Consumer<? super LockInfo> onNewLeader) {
      this.onNewLeader = Objects.requireNonNull(onNewLeader, "onNewLeader");
      return this;
    }

    /**
     * Sets a callback for what the body or a callback threw, for losses of a lease ({@link
     * LeaseLostException}), and for campaigns that failed, as the store rejected a request ({@link
     * LockStoreUnavailableException}; a store that does not answer is no failure). All of it is
     * logged as well, and the election goes on. Runs on the callback executor of the manager.
     */
    public Builder onError(Consumer<? super Throwable> onError) {
      this.onError = Objects.requireNonNull(onError, "onError");
      return this;
    }

    /**
     * Sets how long this process does not campaign after a term of its own, 1 s by default, plus or
     * minus a tenth, so that another can lead. Processes that wait poll the lock at least every
     * 0.12 s.
     *
     * @param pauseAfterYield 0 to 24 h
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder pauseAfterYield(Duration pauseAfterYield) {
      Objects.requireNonNull(pauseAfterYield, "pauseAfterYield");
      if (pauseAfterYield.isNegative() || pauseAfterYield.compareTo(MAX_PAUSE) > 0) {
        throw new IllegalArgumentException(
            "pauseAfterYield must be from 0 to 24 h, but is " + pauseAfterYield);
      }
      this.pauseAfterYield = pauseAfterYield;
      return this;
    }

    /**
     * Sets how the lock is held, by default {@link LockManager.Builder#defaultOptions}: TTL,
     * metadata, for how long at least and at most, and whether the body is interrupted at the end
     * of a term. The wait timeout does not matter, as the election waits without end; nor does
     * {@link LockOptions#linger}, which would only delay the next leader.
     */
    public Builder options(LockOptions options) {
      this.options = Objects.requireNonNull(options, "options");
      return this;
    }

    /**
     * The election, not started.
     *
     * @throws IllegalArgumentException if no lock of the manager can be acquired with the options
     */
    public LeaderElection build() {
      locks.check(options);
      return new LeaderElection(this);
    }
  }
}
