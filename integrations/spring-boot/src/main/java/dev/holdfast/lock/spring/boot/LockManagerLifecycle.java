package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;

/**
 * Checks at start-up whether locks can be acquired. Does not close the lock manager when it stops:
 * executors may wait for their tasks until they are destroyed, see {@link DestructionOrder}.
 */
final class LockManagerLifecycle
    implements SmartLifecycle, ApplicationListener<ContextClosedEvent> {
  /** Starts before whatever might use locks. */
  static final int PHASE = Integer.MIN_VALUE + 1000;

  /** An id that no lock has. Reading it shows that the store answers. */
  static final String PROBE = "holdfast-probe";

  private static final Logger LOG = LoggerFactory.getLogger(LockManagerLifecycle.class);

  private final LockManager locks;
  private final @Nullable LockStore store;
  private final @Nullable LockOptions failFast;
  private final ApplicationContext application;
  private volatile boolean running;
  private volatile boolean closing;

  LockManagerLifecycle(
      LockManager locks,
      @Nullable LockStore store,
      @Nullable LockOptions failFast,
      ApplicationContext application) {
    this.locks = locks;
    this.store = store;
    this.failFast = failFast;
    this.application = application;
  }

  @Override
  public void start() {
    if (failFast != null) {
      acquireOnce(failFast);
    } else if (store != null) {
      var unused = store.read(PROBE).whenComplete((read, failure) -> warnUnlessRead(read, failure));
    }
    running = true;
  }

  /** Shows that the index exists or can be created, and that the privileges suffice. */
  private void acquireOnce(LockOptions defaults) {
    String lockId = PROBE + "-" + UUID.randomUUID();
    LockOptions options = defaults.withHoldAtLeast(Duration.ZERO).withLinger(Duration.ZERO);
    try (Lease lease = locks.acquire(lockId, options)) {
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

  @Override
  public void stop() {
    running = false;
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
