package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other, in order, on whichever thread brings the first one, so that what
 * they touch needs no locks. A task that is brought while another runs (also by that other) runs
 * after it. What a task throws is logged and keeps none of the later ones from running.
 *
 * <p>An {@code Error} between two tasks, such as a stack that ends here, goes to whoever brought
 * the task. It leaves the rest of the tasks to the next one who brings any: nothing here has to
 * succeed for that but the assignment of a field.
 */
final class SerialExecutor implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(SerialExecutor.class);

  private static final AtomicIntegerFieldUpdater<SerialExecutor> RUNNING =
      AtomicIntegerFieldUpdater.newUpdater(SerialExecutor.class, "running");

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

  /** 1 while a thread runs tasks. */
  @SuppressWarnings("UnusedVariable") // Read by the updater.
  private volatile int running;

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    // Looked at again after each end: whoever added a task meanwhile has found a thread that runs.
    while (!tasks.isEmpty() && RUNNING.compareAndSet(this, 0, 1)) {
      try {
        runAll();
      } finally {
        running = 0;
      }
    }
  }

  private void runAll() {
    Runnable task = tasks.poll();
    while (task != null) {
      try {
        task.run();
      } catch (Throwable e) {
        Logs.quietly(() -> LOG.error("A task of the lock engine failed", e));
      }
      task = tasks.poll();
    }
  }
}
