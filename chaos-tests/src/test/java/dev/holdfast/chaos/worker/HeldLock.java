package dev.holdfast.chaos.worker;

import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.ReleaseResult;
import java.util.concurrent.CompletableFuture;

/** A lock that was granted to a client, as the client sees it. */
interface HeldLock {

  FencingToken token();

  boolean isHeld();

  /** Returns until when it believes to hold the lock, by {@link System#nanoTime}. */
  long untilNanos();

  boolean renew();

  ReleaseResult release();

  /** Has the task run, once, when it is told that the lock is lost. */
  void onLost(Runnable task);

  /**
   * The grip that lock-core gives.
   *
   * @param clock the clock that the lease counts by
   */
  record OfLease(Lease lease, WorkerClock clock) implements HeldLock {

    @Override
    public FencingToken token() {
      return lease.fencingToken();
    }

    @Override
    public boolean isHeld() {
      return lease.isHeld();
    }

    /** The clock is read first: what remains may be less by the time it is asked, never more. */
    @Override
    public long untilNanos() {
      long now = System.nanoTime();
      return now + clock.trueNanos(lease.remaining().toNanos());
    }

    @Override
    public boolean renew() {
      return lease.renew();
    }

    @Override
    public ReleaseResult release() {
      return lease.release();
    }

    @Override
    public void onLost(Runnable task) {
      lease.onLost(loss -> task.run());
    }
  }

  /** Passes everything on, but for what is overridden. */
  class Forwarding implements HeldLock {
    final HeldLock real;

    Forwarding(HeldLock real) {
      this.real = real;
    }

    @Override
    public FencingToken token() {
      return real.token();
    }

    @Override
    public boolean isHeld() {
      return real.isHeld();
    }

    @Override
    public long untilNanos() {
      return real.untilNanos();
    }

    @Override
    public boolean renew() {
      return real.renew();
    }

    @Override
    public ReleaseResult release() {
      return real.release();
    }

    @Override
    public void onLost(Runnable task) {
      real.onLost(task);
    }
  }

  /** The lease of an asynchronous body, which ends with the release. */
  final class OfBody extends Forwarding {
    private final CompletableFuture<Void> body;

    OfBody(HeldLock lease, CompletableFuture<Void> body) {
      super(lease);
      this.body = body;
    }

    @Override
    public ReleaseResult release() {
      ReleaseResult result = super.release();
      body.complete(null);
      return result;
    }
  }
}
