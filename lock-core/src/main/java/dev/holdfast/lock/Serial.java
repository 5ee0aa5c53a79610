package dev.holdfast.lock;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other, in order, on whichever thread brings the first one, so that what
 * they touch needs no locks. A task that is brought while another runs (also by that other) runs
 * after it. What a task throws is logged and keeps none of the later ones from running.
 */
final class Serial implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Serial.class);

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger pending = new AtomicInteger();

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (pending.getAndIncrement() == 0) {
      do {
        runNext();
      } while (pending.decrementAndGet() > 0);
    }
  }

  private void runNext() {
    Runnable task = tasks.poll();
    if (task == null) {
      throw new IllegalStateException("a task was counted that is not there");
    }
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("A task of the lock engine failed", e);
    }
  }
}
