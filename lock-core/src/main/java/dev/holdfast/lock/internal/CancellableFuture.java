package dev.holdfast.lock.internal;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Steps that follow one another, where giving up the last gives up the one that is under way: a
 * request that has not left yet does not leave then, and one that has frees its connection.
 * Thread-safe; steps run on the thread that completed the one before.
 *
 * <p>Failures and cancellations are frequent while a server is silent, so they cost little: steps
 * are joined by {@code handle}, whose stage does not wrap a failure in another exception as that of
 * {@code whenComplete} does, and a cancellation has no stack trace.
 */
public final class CancellableFuture<T extends @Nullable Object> extends CompletableFuture<T> {
  private volatile @Nullable CompletableFuture<?> underWay;

  private CancellableFuture(CompletableFuture<?> first) {
    underWay = first;
  }

  /** A first step, and one that follows when it succeeds. */
  public static <A extends @Nullable Object, B extends @Nullable Object> CancellableFuture<B> of(
      CompletableFuture<A> first, Function<A, CompletableFuture<B>> then) {
    CancellableFuture<B> chain = new CancellableFuture<>(first);
    var unused =
        first.handle(
            (value, failure) ->
                failure == null
                    ? chain.follow(() -> then.apply(value))
                    : chain.completeExceptionally(failure));
    return chain;
  }

  /** A first step, and what follows when it succeeds, or when it fails. */
  public static <A extends @Nullable Object, B extends @Nullable Object> CancellableFuture<B> of(
      CompletableFuture<A> first,
      Function<A, CompletableFuture<B>> then,
      Function<Throwable, CompletableFuture<B>> otherwise) {
    CancellableFuture<B> chain = new CancellableFuture<>(first);
    var unused =
        first.handle(
            (value, failure) ->
                chain.follow(() -> failure != null ? otherwise.apply(failure) : then.apply(value)));
    return chain;
  }

  /** The same, with something else in the place of a failure. */
  public CancellableFuture<T> orElse(Function<Throwable, T> fallback) {
    CancellableFuture<T> chain = new CancellableFuture<>(this);
    var unused =
        handle(
            (result, failure) -> {
              try {
                return chain.complete(failure == null ? result : fallback.apply(failure));
              } catch (RuntimeException | Error e) {
                return chain.completeExceptionally(e);
              }
            });
    return chain;
  }

  /** Begins the next step, unless there is a result already; returns whether it has begun. */
  private boolean follow(Supplier<CompletableFuture<T>> then) {
    if (isDone()) {
      return false;
    }
    CompletableFuture<T> next;
    try {
      next = then.get();
    } catch (RuntimeException | Error e) {
      completeExceptionally(e);
      return false;
    }
    underWay = next;
    if (isCancelled()) {
      next.cancel(false);
    }
    BiFunction<@Nullable T, @Nullable Throwable, Boolean> done =
        (result, failure) -> failure != null ? completeExceptionally(failure) : complete(result);
    var unused = next.handle(done);
    return true;
  }

  /** Cancels that future as {@link CompletableFuture#cancel} does, without a stack trace. */
  static boolean cancel(CompletableFuture<?> future) {
    return future.completeExceptionally(new GivenUpException()) || future.isCancelled();
  }

  private static final class GivenUpException extends CancellationException {
    private static final long serialVersionUID = 1L;

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = cancel(this);
    CompletableFuture<?> step = underWay;
    if (cancelled && step != null) {
      step.cancel(mayInterruptIfRunning);
    }
    return cancelled;
  }
}
