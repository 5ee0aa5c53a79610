package dev.holdfast.chaos.threads;

import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockManagerStats;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.Scheduler;
import dev.holdfast.lock.store.LockStore;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One manager with its own way to the store and its own executors: a process, for the others. */
final class LockProcess {
  /** How long a release may take; closing takes twice as long at most. */
  static final Duration RELEASE_TIMEOUT = Duration.ofSeconds(1);

  private static final int LISTENER_FAILS = 20;

  final String name;
  final RoundPlan.ProcessPlan plan;
  final FaultyStore store;
  final LockManager locks;
  private final CallbackKind.@Nullable UserExecutor callbacks;
  private final @Nullable ScheduledThreadPoolExecutor timers;
  private volatile boolean closing;

  LockProcess(
      String name,
      RoundPlan.ProcessPlan plan,
      long seed,
      FaultyStore store,
      LockStore usedStore,
      Findings findings) {
    this.name = name;
    this.plan = plan;
    this.store = store;
    this.callbacks = plan.callbacks().make(seed);
    this.timers = plan.timers().make();
    LockManager.Builder builder =
        LockManager.builder(usedStore)
            .owner(name)
            .releaseTimeout(RELEASE_TIMEOUT)
            .maxClockSkew(Duration.ofMillis(plan.skewMillis()))
            .calendarTakeover(plan.calendar())
            .maxPollInterval(Duration.ofMillis(20))
            .listener(new ErringListener(seed, findings));
    if (callbacks != null) {
      builder.callbackExecutor(callbacks.executor());
    }
    if (timers != null) {
      builder.scheduler(Scheduler.of(timers));
    }
    this.locks = builder.build();
  }

  /** On any thread, more than once if the test wants. */
  void close() {
    closing = true;
    store.closing();
    locks.close();
  }

  void closeAsync() {
    closing = true;
    store.closing();
    var unused = locks.closeAsync();
  }

  boolean isClosing() {
    return closing;
  }

  /** What is tracked though no call is left; empty if nothing is. */
  String left() {
    LockManagerStats stats = locks.stats();
    int tracked =
        stats.locks() + stats.held() + stats.waiting() + stats.lingering() + stats.cleanUps();
    return tracked == 0 ? "" : name + " with " + plan + ": " + stats;
  }

  /** How many timers its scheduler still has. */
  int timersLeft() {
    return timers == null ? 0 : timers.getQueue().size();
  }

  /** Ends the threads of what it was given. */
  void endThreads() {
    if (callbacks != null) {
      callbacks.end().run();
    }
    if (timers != null) {
      var unused = timers.shutdownNow();
    }
  }

  /** Throws now and then, and notices contention where there can be none. */
  private static final class ErringListener implements LockListener {
    private final long seed;
    private final Findings findings;
    private final AtomicLong events = new AtomicLong();

    ErringListener(long seed, Findings findings) {
      this.seed = seed;
      this.findings = findings;
    }

    private void event() {
      SplittableRandom random = new SplittableRandom(seed + events.getAndIncrement());
      if (random.nextInt(LISTENER_FAILS) == 0) {
        Injected.fail(random);
      }
    }

    @Override
    public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
      event();
    }

    @Override
    public void contended(String lockId, Optional<LockInfo> holder, Duration waited) {
      if (RandomCaller.isOwn(lockId)) {
        findings.add(
            Requirement.NO_FALSE_CONTENTION,
            "a listener was notified that " + lockId + " is held by " + holder);
      }
      event();
    }

    @Override
    public void unavailable(String lockId, Throwable cause, Duration waited) {
      event();
    }

    @Override
    public void waiting(String lockId, Optional<LockInfo> holder) {
      event();
    }

    @Override
    public void renewed(String lockId, Duration took) {
      event();
    }

    @Override
    public void renewalFailed(String lockId, Throwable cause, Duration took, Duration remaining) {
      event();
    }

    @Override
    public void lost(String lockId, LeaseLostException loss, Duration held) {
      event();
    }

    @Override
    public void released(String lockId, ReleaseResult result, Duration held) {
      event();
    }
  }
}
