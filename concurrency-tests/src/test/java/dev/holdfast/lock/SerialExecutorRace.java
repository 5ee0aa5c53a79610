package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;

/** Each thread brings a task. What the tasks touch has no protection but the executor. */
public final class SerialExecutorRace implements Race {
  private final SerialExecutor serial = new SerialExecutor();
  private int running;
  private int ran;
  private boolean overlapped;
  private int ranByItsOwn;

  @Override
  public void first() {
    Thread first = Thread.currentThread();
    serial.execute(() -> run(first));
  }

  @Override
  public void second() {
    Thread second = Thread.currentThread();
    serial.execute(() -> run(second));
  }

  private void run(Thread broughtBy) {
    if (++running != 1) {
      overlapped = true;
    }
    ran++;
    if (broughtBy == Thread.currentThread()) {
      ranByItsOwn++;
    }
    running--;
  }

  @Override
  public String verdict() {
    if (overlapped || running != 0) {
      return BROKEN + "two tasks ran at once";
    }
    if (ran != 2) {
      return BROKEN + "a task was lost";
    }
    return ranByItsOwn == 2 ? "each thread ran its own task" : "one thread ran both tasks";
  }
}
