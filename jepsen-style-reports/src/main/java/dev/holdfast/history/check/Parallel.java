package dev.holdfast.history.check;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Runs tasks at the same time, as many as there are processors, on its own threads. */
final class Parallel {
  private Parallel() {}

  /**
   * Runs tasks until that much time has passed. What has not ended by then is interrupted, and not
   * waited for.
   *
   * @param tasks that handle what goes wrong in them themselves
   * @param late makes the result of a task, given by its place, that was not done in time, or not
   *     when the caller was interrupted
   * @return the results in the order of the tasks
   */
  static <T> List<T> run(List<Callable<T>> tasks, long limitNanos, IntFunction<T> late) {
    int threads = Math.min(tasks.size(), Runtime.getRuntime().availableProcessors());
    ExecutorService executor =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "holdfast-checker");
              thread.setDaemon(true); // one that does not heed its interrupt keeps nobody alive
              return thread;
            });
    try {
      if (Thread.interrupted()) {
        // Waiting for tasks that are done already would not tell.
        throw new InterruptedException();
      }
      List<T> results = new ArrayList<>(tasks.size());
      for (Future<T> task : executor.invokeAll(tasks, limitNanos, TimeUnit.NANOSECONDS)) {
        results.add(task.isCancelled() ? late.apply(results.size()) : task.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return IntStream.range(0, tasks.size()).mapToObj(late).toList();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a task failed", e);
    } finally {
      executor.shutdownNow();
    }
  }
}
