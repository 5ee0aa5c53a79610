package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners what happens, in order and off the engine's threads. Bounded; thread-safe. */
final class EventDispatch {
  /** How many events may wait for a slow listener. */
  static final int MAX_QUEUED = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(EventDispatch.class);

  private final List<LockListener> listeners;
  private final Executor executor;
  private final Queue<Consumer<LockListener>> events = new ConcurrentLinkedQueue<>();
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicBoolean overflown = new AtomicBoolean();
  private final AtomicLong dropped = new AtomicLong();

  /** Whether a task of the executor tells events, or is about to. */
  private final AtomicBoolean telling = new AtomicBoolean();

  EventDispatch(List<LockListener> listeners, Executor executor) {
    this.listeners = List.copyOf(listeners);
    this.executor = executor;
  }

  /** On the thread that builds the manager, before any event. */
  void attached(Supplier<LockManagerStats> stats) {
    tell(listener -> listener.attached(stats), listeners);
  }

  /** How many events were dropped so far. */
  long dropped() {
    return dropped.get();
  }

  void tell(Consumer<LockListener> event) {
    if (listeners.isEmpty()) {
      return;
    }
    if (queued.get() >= MAX_QUEUED) {
      dropped.incrementAndGet();
      if (!overflown.getAndSet(true)) {
        Logs.quietly(
            () -> LOG.error("Listeners are {} events behind; events are dropped", MAX_QUEUED));
      }
      return;
    }
    queued.incrementAndGet();
    events.add(event);
    tellSoon();
  }

  private void tellSoon() {
    if (!events.isEmpty() && telling.compareAndSet(false, true)) {
      boolean accepted = false;
      try {
        executor.execute(this::tellAll);
        accepted = true;
      } finally {
        if (!accepted) {
          telling.set(false);
        }
      }
    }
  }

  private void tellAll() {
    try {
      Consumer<LockListener> event = events.poll();
      while (event != null) {
        queued.decrementAndGet();
        tell(event, listeners);
        event = events.poll();
      }
      overflown.set(false);
    } finally {
      telling.set(false);
      tellSoon();
    }
  }

  private static void tell(Consumer<LockListener> event, List<LockListener> listeners) {
    for (LockListener listener : listeners) {
      try {
        event.accept(listener);
      } catch (Throwable e) {
        Logs.quietly(() -> LOG.error("Listener {} failed", listener, e));
      }
    }
  }
}
