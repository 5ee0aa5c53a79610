package dev.holdfast.lock;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that makes one blocking call, for a test that goes on meanwhile. On virtual time the
 * test moves the clocks only while all callers are {@linkplain #awaitBlocked blocked}.
 */
final class Caller<T> {
  /** Far more than any step takes: reached only when something hangs. */
  private static final long PATIENCE_SECONDS = 30;

  private final CompletableFuture<T> result = new CompletableFuture<>();
  private final Thread thread;

  private Caller(Callable<T> call) {
    thread =
        new Thread(
            () -> {
              try {
                result.complete(call.call());
              } catch (Throwable failure) {
                result.completeExceptionally(failure);
              }
            },
            "caller");
    thread.setDaemon(true);
    thread.start();
  }

  static <T> Caller<T> of(Callable<T> call) {
    return new Caller<>(call);
  }

  /** Waits until the call waits for a future of the engine. */
  Caller<T> awaitBlocked() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!isBlocked()) {
      if (result.isDone()) {
        throw new AssertionError("the call has ended: " + result);
      }
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("the call neither waits nor ends");
      }
      Thread.onSpinWait();
    }
    return this;
  }

  private boolean isBlocked() {
    Object blocker = LockSupport.getBlocker(thread);
    return blocker != null
        && blocker.getClass().getName().startsWith(FutureWaits.class.getName())
        && thread.getState() == Thread.State.TIMED_WAITING;
  }

  void interrupt() {
    thread.interrupt();
  }

  boolean isDone() {
    return result.isDone();
  }

  /** Waits for the call's result. */
  T result() throws Exception {
    try {
      return result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("the call failed", e.getCause());
    } catch (TimeoutException e) {
      throw stuck();
    }
  }

  /** Waits for the exception that the call ends with. */
  Throwable failure() throws Exception {
    try {
      throw new AssertionError(
          "the call returned " + result.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      return e.getCause() == null ? e : e.getCause();
    } catch (TimeoutException e) {
      throw stuck();
    }
  }

  private AssertionError stuck() {
    AssertionError error = new AssertionError("the call does not end");
    error.setStackTrace(thread.getStackTrace());
    return error;
  }
}
