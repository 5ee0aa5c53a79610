package dev.holdfast.chaos.worker;

import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The progress of a worker, as it reports it to its parent.
 *
 * @param operations how many lock operations have ended
 * @param grants how many acquisitions were granted
 * @param lastGrantNanos when the latest was, by {@link System#nanoTime}, which is one clock for all
 *     processes of a machine; 0 if there was none
 * @param leases of how many locks that are held all the time it has a lease
 * @param rejectedTasks how many tasks its executor had no thread for
 * @param clockOffMillis by how much its clocks have gone off
 */
record WorkerProgress(
    AtomicLong operations,
    AtomicLong grants,
    AtomicLong lastGrantNanos,
    AtomicLong leases,
    AtomicLong rejectedTasks,
    AtomicLong clockOffMillis) {

  static WorkerProgress none() {
    return new WorkerProgress(
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong());
  }

  void operation() {
    operations.incrementAndGet();
  }

  void granted() {
    operation();
    grants.incrementAndGet();
    lastGrantNanos.set(System.nanoTime());
  }

  void leases(int more) {
    leases.addAndGet(more);
  }

  String line() {
    return WorkerProcess.STATUS
        + Stream.of(operations, grants, lastGrantNanos, leases, rejectedTasks, clockOffMillis)
            .map(AtomicLong::toString)
            .collect(Collectors.joining(" "));
  }
}
