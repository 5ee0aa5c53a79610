package dev.holdfast.lock.spring.boot;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Runs a method of a Spring bean under a lock: at most one process at a time runs it for one lock
 * id. The lock is acquired before the method is called and before its transaction begins, and
 * released when both have ended, however they end. The lease is renewed meanwhile; if it is lost,
 * the thread is interrupted, and the call ends in {@link dev.holdfast.lock.LeaseLostException}.
 *
 * <pre>{@code
 * @Scheduled(cron = "0 0 3 * * *")
 * @Locked(value = "nightly-reindex", onContention = OnContention.SKIP)
 * public void reindex() { ... }
 *
 * @Locked(value = "import-#{#account.id}", waitFor = "10s")
 * public Report importAccount(Account account) { ... }
 * }</pre>
 *
 * <p>As with all annotations that proxies implement, a call of a method on {@code this} is not
 * intercepted, so the lock is not acquired. {@link LockAssert#assertLocked} notices that.
 *
 * <p>The method must be public, and neither final nor static. A method that returns a {@link
 * java.util.concurrent.CompletionStage} or {@link java.util.concurrent.CompletableFuture} does not
 * block: it is called when the lock has been acquired, on a callback thread of the lock manager,
 * and the lock is held until the stage completes. Reactive types, other futures, and results whose
 * work begins later, such as a {@link java.util.stream.Stream}, are not supported. Nor are methods
 * for the initialization or destruction of the bean, which the container calls without the proxy.
 * The application does not start if a method cannot run under a lock.
 *
 * <p>An outage of the store is a {@link dev.holdfast.lock.LockStoreUnavailableException}, whatever
 * {@link #onContention} says. If the calling thread is interrupted while it waits, the call throws
 * {@link InterruptedException} if the method declares it; otherwise {@link IllegalStateException},
 * and the thread stays interrupted.
 *
 * <p>Durations are written as in properties, such as {@code 500ms}, {@code 30s}, {@code 5m} or
 * {@code PT30S}, and may have placeholders, {@code ${import.ttl}}. Those that are empty have the
 * value of the property {@code holdfast.defaults}.
 */
@Documented
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
public @interface Locked {
  /**
   * The lock id. May have placeholders, <code>${...}</code>, and expressions of Spring's expression
   * language, <code>#{...}</code>, which refer to the method's parameters by name or as {@code
   * #a0}, {@code #a1}, to beans as {@code @name}, and to the bean itself as {@code #root}. The
   * value of an expression is text, a number, a boolean, a character, an enum, a UUID or of {@code
   * java.time}. Null and values of other types, whose text may differ between processes, are an
   * {@link IllegalArgumentException}, and the method does not run.
   */
  String value();

  /** How long a crashed holder blocks others; 100 ms to 24 h. */
  String ttl() default "";

  /** How long to wait for a lock that another holds; 0 for one attempt, at most 365 days. */
  String waitFor() default "";

  /** How long the lock stays unavailable after the grant, also if the method ends sooner. */
  String holdAtLeast() default "";

  /** How long the lock may be held at most; after that the lease is lost. */
  String maxHold() default "";

  /** What to do if another caller holds the lock, until the wait is over. */
  OnContention onContention() default OnContention.THROW;

  /** What to do if another caller holds the lock. */
  enum OnContention {
    /** The call throws {@link dev.holdfast.lock.LockAcquisitionException}. */
    THROW,
    /**
     * The method does not run. The call returns null, an empty {@link java.util.Optional}, or a
     * stage that has completed with null.
     */
    SKIP
  }
}
