package dev.holdfast.chaos.threads;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/** The calls that have not ended, each with the time within which it must. Thread-safe. */
final class CallWatch {
  private final Findings findings;
  private final Duration slack;
  private final Set<OpenCall> open = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean overdue = new AtomicBoolean();

  /**
   * A watch.
   *
   * @param slack what is added to each bound for the machine: its own load, and pauses
   */
  CallWatch(Findings findings, Duration slack) {
    this.findings = findings;
    this.slack = slack;
  }

  /** A call that has begun. */
  final class OpenCall {
    private final String what;
    private final Thread thread = Thread.currentThread();
    private final long since = System.nanoTime();
    private final long limitNanos;

    private OpenCall(String what, Duration bound) {
      this.what = what;
      this.limitNanos = bound.plus(slack).toNanos();
    }

    void end() {
      open.remove(this);
    }

    private boolean isOverdue() {
      return System.nanoTime() - since > limitNanos;
    }

    private String describe() {
      StringBuilder text = new StringBuilder(what);
      text.append(" has not ended within ").append(limitNanos / 1_000_000).append(" ms; ");
      text.append(thread.getName()).append(" (which called it) is at");
      for (StackTraceElement element : thread.getStackTrace()) {
        text.append("\n    ").append(element);
      }
      return text.toString();
    }
  }

  /** A call begins, on this thread. */
  OpenCall begin(String what, Duration bound) {
    OpenCall call = new OpenCall(what, bound);
    open.add(call);
    return call;
  }

  /** Looks for calls that have not ended in time; each is reported once. */
  void look() {
    for (OpenCall call : List.copyOf(open)) {
      if (call.isOverdue() && open.remove(call)) {
        overdue.set(true);
        findings.add(Requirement.ENDS_IN_TIME, call.describe());
      }
    }
  }

  /**
   * Waits until every call has ended and nothing begins another, or until one is overdue.
   *
   * @return false if one is
   */
  boolean awaitEnd(BooleanSupplier nothingBegins) throws InterruptedException {
    // In this order: what begins a call does so before it ends itself.
    while (!overdue.get() && !(nothingBegins.getAsBoolean() && open.isEmpty())) {
      look();
      Thread.sleep(2);
    }
    return !overdue.get();
  }

  /** Whether a call did not end in time: then nothing can be expected of what follows. */
  boolean isOverdue() {
    return overdue.get();
  }
}
