package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseConsumer;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockManager;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.interceptor.ExposeInvocationInterceptor;
import org.springframework.aop.support.AopUtils;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/** Calls methods under their lock. */
final class LockedMethodInterceptor implements MethodInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(LockedMethodInterceptor.class);

  private static final boolean TRANSACTIONS =
      ClassUtils.isPresent(
          "org.springframework.transaction.support.TransactionSynchronizationManager",
          LockedMethodInterceptor.class.getClassLoader());

  private final Supplier<LockManager> locks;
  private final Supplier<LockedMethods> methods;

  /** The methods that the log has warned of. */
  private final Set<LockedMethod> calledInTransaction = ConcurrentHashMap.newKeySet();

  LockedMethodInterceptor(Supplier<LockManager> locks, Supplier<LockedMethods> methods) {
    this.locks = locks;
    this.methods = methods;
  }

  @Override
  public @Nullable Object invoke(MethodInvocation call) throws Throwable {
    Object target = Objects.requireNonNull(call.getThis(), "the target of a locked method");
    LockedMethod locked = methods.get().get(call.getMethod(), AopUtils.getTargetClass(target));
    String lockId = methods.get().lockId(locked, target, call.getMethod(), call.getArguments());
    if (TRANSACTIONS && TransactionSynchronizationManager.isActualTransactionActive()) {
      warnOfTransaction(locked);
    }
    return locked.returnsStage()
        ? callAsync(locked, lockId, ((ProxyMethodInvocation) call).invocableClone())
        : callBlocking(locked, lockId, call);
  }

  private void warnOfTransaction(LockedMethod locked) {
    if (calledInTransaction.add(locked)) {
      LOG.warn(
          "@Locked method {} is called within a transaction: its lock is released before that"
              + " transaction commits. Begin the transaction in the locked method instead",
          locked);
    }
  }

  // --- On the caller's thread

  private @Nullable Object callBlocking(LockedMethod locked, String lockId, MethodInvocation call)
      throws Exception {
    AtomicBoolean entered = new AtomicBoolean();
    AtomicReference<@Nullable Object> result = new AtomicReference<>(locked.resultOfSkipped());
    LeaseConsumer<Exception> body =
        lease -> {
          entered.set(true);
          result.set(LockAssert.holding(lease, () -> proceed(call)));
          locked.checkReturned(result.get());
        };
    try {
      if (locked.skips()) {
        boolean unused = locks.get().tryRunWithLease(lockId, locked.options(), body);
      } else {
        locks.get().runWithLease(lockId, locked.options(), body);
      }
      return result.get();
    } catch (InterruptedException e) {
      if (entered.get() || locked.declares(InterruptedException.class)) {
        throw e;
      }
      Thread.currentThread().interrupt();
      throw new IllegalStateException(
          "interrupted while " + locked + " waited for lock \"" + lockId + "\"", e);
    }
  }

  private static @Nullable Object proceed(MethodInvocation call) throws Exception {
    try {
      return call.proceed();
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new UndeclaredThrowableException(e);
    }
  }

  // --- Asynchronously

  private CompletableFuture<@Nullable Object> callAsync(
      LockedMethod locked, String lockId, MethodInvocation call) {
    AtomicBoolean entered = new AtomicBoolean();
    CompletableFuture<@Nullable Object> held =
        locks
            .get()
            .withLeaseAsync(
                lockId,
                locked.options(),
                lease -> {
                  entered.set(true);
                  return stage(lease, call);
                });
    return locked.skips() ? skipping(held, entered) : held;
  }

  @SuppressWarnings("unchecked")
  private static CompletionStage<@Nullable Object> stage(Lease lease, MethodInvocation call) {
    try {
      return (CompletionStage<@Nullable Object>)
          Objects.requireNonNull(
              LockAssert.holding(lease, () -> proceedExposed(call)),
              "the method returned null instead of a stage");
    } catch (Exception e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** AspectJ advice looks for its call on the thread that it runs on. */
  private static @Nullable Object proceedExposed(MethodInvocation call) throws Exception {
    try {
      return ExposeInvocationInterceptor.INSTANCE.invoke(call);
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new UndeclaredThrowableException(e);
    }
  }

  /** Like that call, but completes with null if another held the lock. */
  private static CompletableFuture<@Nullable Object> skipping(
      CompletableFuture<@Nullable Object> held, AtomicBoolean entered) {
    CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
    var unused =
        held.whenComplete(
            (value, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException && failure.getCause() != null
                      ? failure.getCause()
                      : failure;
              if (cause == null || (cause instanceof LockAcquisitionException && !entered.get())) {
                result.complete(value);
              } else {
                result.completeExceptionally(cause);
              }
            });
    var unusedToo =
        result.whenComplete(
            (value, failure) -> {
              // A result that any caller completes ends the wait for the lock; a method that runs
              // goes on
              // under it, unless the result was cancelled.
              if (result.isCancelled()) {
                held.cancel(true);
              } else if (failure != null) {
                held.completeExceptionally(failure);
              } else {
                held.complete(value);
              }
            });
    return result;
  }
}
