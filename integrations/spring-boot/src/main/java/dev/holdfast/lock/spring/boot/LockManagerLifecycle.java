package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;

/**
 * Checks at start-up whether locks can be acquired, and closes the lock manager when the
 * application ends: after schedulers, executors, servers and listeners have stopped, and before any
 * bean is destroyed, the Elasticsearch client among them.
 */
final class LockManagerLifecycle
    implements SmartLifecycle, ApplicationListener<ContextClosedEvent> {
  /** Starts before, and stops after, whatever might use locks. */
  static final int PHASE = Integer.MIN_VALUE + 1000;

  /** An id that no lock has. Reading it shows that the store answers. */
  static final String PROBE = "holdfast-probe";

  private static final Logger LOG = LoggerFactory.getLogger(LockManagerLifecycle.class);

  private final LockManager locks;
  private final @Nullable LockStore store;
  private final boolean failFast;
  private final ApplicationContext application;
  private volatile boolean running;
  private volatile boolean closing;

  LockManagerLifecycle(
      LockManager locks,
      @Nullable LockStore store,
      boolean failFast,
      ApplicationContext application) {
    this.locks = locks;
    this.store = store;
    this.failFast = failFast;
    this.application = application;
  }

  @Override
  public void start() {
    if (failFast) {
      acquireOnce();
    } else if (store != null) {
      var unused = store.read(PROBE).whenComplete((read, failure) -> warnUnlessRead(read, failure));
    }
    running = true;
  }

  /** Shows that the index exists or can be created, and that the privileges suffice. */
  private void acquireOnce() {
    String lockId = PROBE + "-" + UUID.randomUUID();
    try (Lease lease = locks.acquire(lockId, LockOptions.defaults())) {
      LOG.debug("Lock {} acquired at start-up", lease.lockId());
    } catch (LockException e) {
      throw new IllegalStateException(
          "No lock could be acquired at start-up, and the property holdfast.fail-fast is set: "
              + e.getMessage(),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted at start-up", e);
    }
  }

  private void warnUnlessRead(@Nullable ReadResult read, @Nullable Throwable failure) {
    Throwable cause =
        read instanceof ReadResult.Unavailable unavailable
            ? unavailable.cause()
            : read instanceof ReadResult.Rejected rejected ? rejected.cause() : failure;
    if (cause != null && !closing) {
      LOG.warn(
          "Locks cannot be acquired now ({}): {}. Calls fail until that has changed; set"
              + " holdfast.fail-fast to fail at start-up instead",
          store == null ? "" : store.description(),
          cause.getMessage() == null ? cause.toString() : cause.getMessage());
    }
  }

  /** Also called for a context that may be started again, for which locks stay as they are. */
  @Override
  public void stop() {
    running = false;
    if (closing) {
      locks.close();
    }
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  @Override
  public boolean isPauseable() {
    return false;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }

  @Override
  public void onApplicationEvent(ContextClosedEvent event) {
    if (event.getApplicationContext() == application) {
      closing = true;
    }
  }
}
