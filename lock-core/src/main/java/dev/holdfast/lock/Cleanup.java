package dev.holdfast.lock;

import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tracks the tokens of one lock whose session is over or never began, while a write with one of
 * them may still take effect: a record that appears with it holds up everybody and helps nobody, so
 * it is deleted. Tracks a token only when nobody believes in a lease with it any more, until the
 * last lease that such a write could make has run out by itself, with an answer that shows that
 * nothing is left, or after some that show nothing.
 *
 * <p>One read serves all tokens. Reads follow one another at growing intervals, so that their
 * number grows with the logarithm of the TTL, and those of all locks share the {@link
 * CleanupBudget}: most clean-ups are the work of a cluster that is overloaded already.
 */
final class Cleanup {
  private static final Logger LOG = LoggerFactory.getLogger(Cleanup.class);

  private static final long FIRST_DELAY_NANOS = Duration.ofMillis(20).toNanos();

  /** The longest interval when a token is added: it is not to wait for those before it. */
  private static final long RESTART_DELAY_NANOS = Duration.ofMillis(320).toNanos();

  private static final int MAX_INTERVALS_PER_TTL = 8;
  private static final int MAX_UNCLEAR_LOOKS = 6;
  private static final double JITTER = 0.2;

  private final LockQueue queue;
  private final Engine engine;
  private final Map<String, Orphan> orphans = new HashMap<>();

  /** Records with such a token that are known, and not yet deleted. */
  private final ArrayDeque<Version> seen = new ArrayDeque<>();

  private long delayNanos = FIRST_DELAY_NANOS;
  private boolean closing;
  private boolean busy;

  /** How many looks in a row have shown nothing. */
  private int unclearLooks;

  /** When the timer is due; only meaningful while there is one. */
  private long dueAtNanos;

  private Scheduler.@Nullable Timer timer;

  /** Whether a look waits for the budget. */
  private boolean inLine;

  /**
   * What may still come with a token.
   *
   * @param lastSent when the last such write was begun; null to look just until one read is clear
   */
  private record Orphan(Duration ttl, @Nullable Stamp lastSent) {
    boolean isOver(Stamp now) {
      return lastSent == null || Validity.hasTtlPassed(lastSent, ttl.toNanos(), now);
    }
  }

  /**
   * For a lock.
   *
   * @param closing whether the manager is closing
   */
  Cleanup(LockQueue queue, boolean closing) {
    this.queue = queue;
    this.engine = queue.engine;
    this.closing = closing;
  }

  /** Tracks that token too, whose record is there if a version is given. */
  void add(String token, Duration ttl, @Nullable Stamp lastSent, @Nullable Version known) {
    queue.notice(() -> LOG.debug("Lock \"{}\": tracking token {}", queue.lockId, token));
    if (orphans.put(token, new Orphan(ttl, lastSent)) == null) {
      engine.cleanups.incrementAndGet();
    }
    if (known != null) {
      seen.add(known);
    }
    boolean first = orphans.size() == 1;
    unclearLooks = 0;
    delayNanos = Math.min(delayNanos, RESTART_DELAY_NANOS);
    if (!busy) {
      if (closing || !seen.isEmpty()) {
        next();
      } else if (first) {
        lookWithinBudget();
      } else if (!inLine
          && (timer == null || engine.clocks.ticker().nanos() + delayNanos - dueAtNanos < 0)) {
        armTimer(engine.jittered(delayNanos, JITTER), this::lookWithinBudget);
      }
    }
  }

  /** The manager closes: one last look, now. */
  void closing() {
    closing = true;
    if (!busy && !orphans.isEmpty()) {
      next();
    }
  }

  /** After an error at an unknown point: the TTL does the rest, unless something is to come. */
  void recover() {
    if (!busy && timer == null && !inLine) {
      end();
    }
  }

  private void armTimer(long nanos, Runnable task) {
    cancelTimer();
    dueAtNanos = engine.clocks.ticker().nanos() + nanos;
    timer =
        engine.timers.schedule(
            () ->
                queue.execute(
                    () -> {
                      timer = null;
                      if (!busy && !orphans.isEmpty()) {
                        task.run();
                      }
                    }),
            nanos);
  }

  private void cancelTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void lookWithinBudget() {
    inLine = true;
    long since = engine.clocks.ticker().nanos();
    engine.cleanupBudget.look(
        () ->
            queue.execute(
                () -> {
                  inLine = false;
                  if (engine.clocks.ticker().nanos() - since > 0) {
                    // It has waited, as others do: what has run out meanwhile is left to its TTL.
                    dropThoseOver();
                  }
                  if (!busy && !orphans.isEmpty()) {
                    next();
                    return;
                  }
                  engine.cleanupBudget.giveBack();
                  if (!busy) {
                    end();
                  }
                }));
  }

  private void next() {
    cancelTimer();
    Version known = seen.poll();
    if (known == null) {
      look();
    } else {
      delete(known);
    }
  }

  private Duration requestTimeout() {
    return orphans.values().stream()
        .map(orphan -> engine.requestTimeout(orphan.ttl()))
        .min(Duration::compareTo)
        .orElseGet(engine::requestTimeout);
  }

  private void look() {
    busy = true;
    engine.read(
        queue,
        requestTimeout(),
        queue.lockId,
        read -> {
          busy = false;
          Version ours = null;
          boolean silent = false;
          for (String token : orphans.keySet()) {
            Sighting sighting = Sighting.of(read, token, null);
            if (sighting instanceof Sighting.Ours found) {
              ours = found.version();
            }
            silent |= sighting instanceof Sighting.Silent;
          }
          engine.cleanupBudget.looked(!silent);
          if (ours != null) {
            delete(ours);
          } else {
            later(silent);
          }
        });
  }

  private void delete(Version version) {
    busy = true;
    engine.delete(
        queue,
        requestTimeout(),
        queue.lockId,
        version,
        result -> {
          busy = false;
          boolean applied = result.fold(v -> true, () -> false, cause -> false, cause -> false);
          if (applied) {
            queue.notice(() -> LOG.debug("Lock \"{}\": deleted a record left over", queue.lockId));
          }
          later(!applied);
        });
  }

  private void later(boolean unclear) {
    unclearLooks = unclear ? unclearLooks + 1 : 0;
    // After a silent store some looks more, so that the next who wants the lock need not wait for
    // its expiry; but not for ever: the TTL does the rest.
    if (!unclear || unclearLooks >= MAX_UNCLEAR_LOOKS) {
      dropThoseOver();
    }
    if (!seen.isEmpty()) {
      next();
    } else if (orphans.isEmpty() || closing || engine.isClosed()) {
      end();
    } else {
      armTimer(engine.jittered(delayNanos, JITTER), this::lookWithinBudget);
      delayNanos = Math.min(delayNanos * 2, maxDelayNanos());
    }
  }

  private void dropThoseOver() {
    Stamp now = engine.clocks.stamp();
    int before = orphans.size();
    orphans.values().removeIf(orphan -> orphan.isOver(now));
    engine.cleanups.addAndGet(orphans.size() - before);
  }

  private long maxDelayNanos() {
    long longest = orphans.values().stream().mapToLong(o -> o.ttl().toNanos()).max().orElse(0);
    return Math.max(FIRST_DELAY_NANOS, longest / MAX_INTERVALS_PER_TTL);
  }

  private void end() {
    cancelTimer();
    engine.cleanups.addAndGet(-orphans.size());
    orphans.clear();
    seen.clear();
    queue.cleanupEnded();
  }
}
