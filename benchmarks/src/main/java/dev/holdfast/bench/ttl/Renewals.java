package dev.holdfast.bench.ttl;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Leases that are renewed at a fixed rate, through the library itself, whatever becomes of earlier
 * renewals: each is due at its time, and its latency counts from there until the store has
 * acknowledged it, with all attempts that takes. So a stall counts for every renewal that it holds
 * up, not only for those that were sent (no coordinated omission, as Gil Tene calls it).
 *
 * <p>In an index of its own, made as users' lock indices are, and deleted at the end. To be used by
 * one thread.
 */
final class Renewals implements AutoCloseable {
  /** Long, so that no measured silence loses a lease; requests have the longest time-out then. */
  private static final Duration TTL = Duration.ofHours(1);

  private static final int MIN_LEASES = 16;
  private static final int MAX_LEASES = 256;

  /** As a lease of 30 s pauses after a failed renewal. */
  private static final Duration RETRY_PAUSE = Duration.ofMillis(500);

  /** After the last was due, all must be acknowledged within this time. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Target target;
  private final String alias = "holdfast-locks-ttl-" + UUID.randomUUID().toString().substring(0, 8);
  private final String index = alias + "-1";
  private final ElasticsearchLockStore store;
  private final LockManager locks;
  private final List<Lease> leases = new ArrayList<>();
  private final AtomicReference<@Nullable Throwable> lastFailure = new AtomicReference<>();

  private Renewals(Target target) {
    this.target = target;
    this.store = target.store(index, alias);
    this.locks =
        LockManager.builder(store)
            .listener(
                new LockListener() {
                  @Override
                  public void renewalFailed(
                      String lockId, Throwable cause, Duration took, Duration remaining) {
                    lastFailure.set(cause);
                  }
                })
            .build();
  }

  /**
   * Acquires as many leases as the rate needs.
   *
   * @throws MeasurementException if the cluster does not let us
   */
  static Renewals open(Target target, int perSecond) throws InterruptedException {
    Renewals renewals = new Renewals(target);
    try {
      int count = Math.min(MAX_LEASES, Math.max(MIN_LEASES, 2 * perSecond));
      LockOptions options = LockOptions.defaults().withTtl(TTL).withAutoRenew(false);
      for (int i = 0; i < count; i++) {
        renewals.leases.add(renewals.locks.acquire("renewed-" + i, options));
      }
      return renewals;
    } catch (LockException e) {
      renewals.close();
      throw new MeasurementException(
          "no lock can be acquired on " + target + ": " + rootMessage(e), e);
    } catch (RuntimeException | InterruptedException e) {
      renewals.close();
      throw e;
    }
  }

  /** The index that the leases are in. */
  String index() {
    return index;
  }

  private static String rootMessage(Throwable failure) {
    String message = failure.getMessage() + "";
    Throwable cause = failure.getCause();
    return cause == null || message.contains(cause.getMessage() + "")
        ? message
        : message + ": " + rootMessage(cause);
  }

  /** The result of a run, in the order in which the renewals were due. Immutable. */
  static final class RenewalRun {
    private final long[] latencies;
    private final long[] acknowledged;
    private final int retries;

    RenewalRun(long[] latencies, long[] acknowledged, int retries) {
      this.latencies = latencies;
      this.acknowledged = acknowledged;
      this.retries = retries;
    }

    /** From when each was due until it was acknowledged, with all attempts that took. */
    long[] latencyNanos() {
      return latencies;
    }

    /** Returns how many attempts were needed beyond the first of each. */
    int retries() {
      return retries;
    }

    /** The longest time in which no renewal at all was acknowledged. */
    double longestGapSeconds() {
      long[] sorted = acknowledged.clone();
      Arrays.sort(sorted);
      long last = 0;
      long longest = 0;
      for (long at : sorted) {
        longest = Math.max(longest, at - last);
        last = at;
      }
      return longest / 1e9;
    }

    double longestLatencySeconds() {
      return Arrays.stream(latencies).max().orElse(0) / 1e9;
    }
  }

  /** Renews at the rate for that long. */
  RenewalRun run(int perSecond, Duration duration, ProgressPrinter progress)
      throws InterruptedException {
    int count = Math.toIntExact(Math.max(1, duration.toMillis() * perSecond / 1_000));
    return run(perSecond, count, (now, last) -> false, progress);
  }

  /** Decides when a run is to end. */
  interface Watch {
    /**
     * Asked before each renewal.
     *
     * @param nanos since the begin
     * @param lastAcknowledgedNanos when a renewal was last acknowledged, since the begin
     */
    boolean isOver(long nanos, long lastAcknowledgedNanos) throws InterruptedException;
  }

  /**
   * Renews at the rate, until told to end.
   *
   * @param most at most how many renewals
   */
  RenewalRun run(int perSecond, int most, Watch watch, ProgressPrinter progress)
      throws InterruptedException {
    Measurement measurement = new Measurement(most, progress);
    measurement.start();
    try {
      int due = 0;
      while (due < most
          && measurement.broken.get() == null
          && !watch.isOver(measurement.elapsed(), measurement.lastAcknowledged.get())) {
        measurement.sleepUntil(TimeUnit.SECONDS.toNanos(due) / perSecond);
        measurement.due.add(new Tick(due, TimeUnit.SECONDS.toNanos(due) / perSecond));
        due++;
        progress.at(measurement.elapsed());
      }
      return measurement.finish(due);
    } finally {
      measurement.stop();
    }
  }

  /**
   * Returns how many renewals a second are acknowledged when all leases are renewed all the time.
   */
  double burst(Duration duration) throws InterruptedException {
    long begin = System.nanoTime();
    long end = begin + duration.toNanos();
    AtomicInteger acknowledged = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (Lease lease : leases) {
      threads.add(
          daemon(
              () -> {
                while (System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
                  if (lease.renew()) {
                    acknowledged.incrementAndGet();
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return acknowledged.get() / ((System.nanoTime() - begin) / 1e9);
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "renewing");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** Releases the leases, and deletes the index. */
  @Override
  public void close() {
    locks.close();
    store.close();
    List<String> failures = new ArrayList<>();
    for (URI node : target.urls()) {
      try {
        var unused = target.request("DELETE", node, "/" + index + "?ignore_unavailable=true");
        return;
      } catch (IOException e) {
        failures.add(e.getMessage() == null ? e.toString() : e.getMessage());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        failures.add("interrupted");
        break;
      }
    }
    System.err.println("The index " + index + " may be left, and can be deleted: " + failures);
  }

  /** One renewal that is due at its time after the begin. */
  private record Tick(int number, long dueNanos) {}

  private final class Measurement {
    private final BlockingQueue<Tick> due = new LinkedBlockingQueue<>();
    private final long[] latencies;
    private final long[] acknowledged;
    private final ProgressPrinter progress;
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicLong lastAcknowledged = new AtomicLong();
    private final AtomicInteger retries = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> broken = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private final long begin = System.nanoTime();

    Measurement(int most, ProgressPrinter progress) {
      this.latencies = new long[most];
      this.acknowledged = new long[most];
      this.progress = progress;
    }

    long elapsed() {
      return System.nanoTime() - begin;
    }

    void sleepUntil(long nanos) throws InterruptedException {
      for (long left = nanos - elapsed(); left > 0; left = nanos - elapsed()) {
        LockSupport.parkNanos(left);
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    }

    void start() {
      for (Lease lease : leases) {
        threads.add(daemon(() -> renewWhatIsDue(lease)));
      }
    }

    private void renewWhatIsDue(Lease lease) {
      try {
        while (true) {
          Tick tick = due.take();
          while (!lease.renew()) {
            if (!lease.isHeld()) {
              throw new MeasurementException("a lease was lost: was the index deleted?");
            }
            retries.incrementAndGet();
            Thread.sleep(RETRY_PAUSE.toMillis());
          }
          long at = elapsed();
          long unused = lastAcknowledged.accumulateAndGet(at, Math::max);
          acknowledged[tick.number] = at;
          latencies[tick.number] = Math.max(0, at - tick.dueNanos);
          // Publishes what was written before.
          done.incrementAndGet();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // the end
      } catch (RuntimeException e) {
        broken.compareAndSet(null, e);
      }
    }

    RenewalRun finish(int count) throws InterruptedException {
      long limit = elapsed() + PATIENCE.toNanos();
      while (done.get() < count) {
        Throwable failure = broken.get();
        if (failure == null && elapsed() > limit) {
          failure = lastFailure.get();
        } else if (failure == null) {
          progress.at(elapsed());
          Thread.sleep(10);
          continue;
        }
        String message =
            "%d of %d renewals were not acknowledged, even %d s after the last was due: %s"
                .formatted(
                    count - done.get(),
                    count,
                    PATIENCE.toSeconds(),
                    failure == null ? "no answer at all" : rootMessage(failure));
        throw failure == null
            ? new MeasurementException(message)
            : new MeasurementException(message, failure);
      }
      return new RenewalRun(
          Arrays.copyOf(latencies, count), Arrays.copyOf(acknowledged, count), retries.get());
    }

    void stop() {
      threads.forEach(Thread::interrupt);
    }
  }
}
