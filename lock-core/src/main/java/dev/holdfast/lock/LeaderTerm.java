package dev.holdfast.lock;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One term of a leader, from the grant of the lock to its release. It is revoked once; the lock is
 * released when the body and the callback for that have ended. Thread-safe.
 */
final class LeaderTerm {
  private final Engine engine;
  private final LeaseHandle lease;
  private final @Nullable LeaseConsumer<?> body;
  private final Executor executor;
  private final Runnable onRevoked;
  private final BiConsumer<String, Throwable> report;
  private final ClockReading begun;
  private final AtomicBoolean revoked = new AtomicBoolean();

  /** Whether it is decided if the body runs: it does not if the term was revoked before. */
  private final AtomicBoolean bodyDecided = new AtomicBoolean();

  /** The body and the callback, as long as they have not ended. */
  private final AtomicInteger running = new AtomicInteger(2);

  private final AtomicBoolean lossReported = new AtomicBoolean();
  private volatile boolean failed;
  private final Consumer<LeaderTerm> whenOver;

  LeaderTerm(
      Engine engine,
      LeaseHandle lease,
      @Nullable LeaseConsumer<?> body,
      Executor executor,
      Runnable onRevoked,
      BiConsumer<String, Throwable> report,
      Consumer<LeaderTerm> whenOver) {
    this.engine = engine;
    this.lease = lease;
    this.body = body;
    this.executor = executor;
    this.onRevoked = onRevoked;
    this.report = report;
    this.whenOver = whenOver;
    this.begun = engine.clocks.read();
  }

  /** On the callback executor. It may have been revoked by then. */
  void begin() {
    lease.onLost(
        loss -> {
          reportLoss(loss);
          revoke();
        });
    LeaseConsumer<?> toRun = body;
    if (toRun != null) {
      try {
        executor.execute(() -> run(toRun));
      } catch (Throwable e) {
        fail("onElected could not be run", e);
        revoke();
      }
    }
  }

  boolean isLeading() {
    return !revoked.get() && lease.isHeld();
  }

  boolean isBodyOf(Thread thread) {
    return lease.isBodyOf(thread);
  }

  String token() {
    return lease.token();
  }

  /** How long it has been since the lock was granted. */
  Duration duration() {
    return engine.clocks.since(begun);
  }

  /** Whether the body threw, or could not be run. */
  boolean hasFailed() {
    return failed;
  }

  private void run(LeaseConsumer<?> toRun) {
    if (!bodyDecided.compareAndSet(false, true)) {
      return;
    }
    try {
      if (lease.isHeld() && lease.enterBody()) {
        runEntered(toRun);
      }
    } finally {
      revoke();
      ended();
    }
  }

  private void runEntered(LeaseConsumer<?> toRun) {
    Throwable thrown = null;
    try {
      toRun.accept(lease);
    } catch (Throwable e) {
      thrown = e;
    }
    // Before the interrupt is taken back that this thread may have got at the end of the term.
    boolean asked = !isLeading();
    lease.exitBody(thrown);
    if (thrown != null && !(asked && isExpectedAtTheEnd(thrown))) {
      fail("onElected failed", thrown);
    }
  }

  private static boolean isExpectedAtTheEnd(Throwable thrown) {
    return thrown instanceof InterruptedException || thrown instanceof LeaseLostException;
  }

  private void fail(String what, Throwable failure) {
    failed = true;
    report.accept(what, failure);
  }

  private void reportLoss(LeaseLostException loss) {
    if (lossReported.compareAndSet(false, true)) {
      report.accept("lease lost", loss);
    }
  }

  /** Ends the term, and returns at once. Again does nothing. On any thread. */
  void revoke() {
    if (!revoked.compareAndSet(false, true)) {
      return;
    }
    boolean unused = lease.tellBodyOfClosing();
    if (bodyDecided.compareAndSet(false, true)) {
      // There is no body, or it never began.
      ended();
    }
    engine.callbacks.execute(this::runRevoked);
  }

  private void runRevoked() {
    try {
      onRevoked.run();
    } catch (Throwable e) {
      report.accept("onRevoked failed", e);
    } finally {
      ended();
    }
  }

  private void ended() {
    if (running.decrementAndGet() == 0) {
      var unused = lease.releaseAsync().thenRun(this::released);
    }
  }

  private void released() {
    LeaseLostException loss = lease.loss();
    if (loss != null) {
      // Only the release may have shown it.
      reportLoss(loss);
    }
    whenOver.accept(this);
  }
}
