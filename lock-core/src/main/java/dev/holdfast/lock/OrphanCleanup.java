package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tracks the tokens of one lock whose session is over or never began, while a write with one of
 * them may still take effect: a record that appears with it holds up everybody and helps nobody, so
 * it is deleted. Tracks a token only when no lease with it is valid any more, until the last lease
 * that such a write could make has run out by itself, with an answer that shows that nothing is
 * left, or after some that show nothing.
 *
 * <p>One read serves all tokens. Reads follow one another at growing intervals, so that their
 * number grows with the logarithm of the TTL, and those of all locks share the {@link
 * CleanupBudget}: most clean-ups are the work of a cluster that is overloaded already.
 */
final class OrphanCleanup {
  private static final Logger LOG = LoggerFactory.getLogger(OrphanCleanup.class);

  private static final long FIRST_DELAY_NANOS = Duration.ofMillis(20).toNanos();

  /** The longest interval when a token is added: it is not to wait for those before it. */
  private static final long RESTART_DELAY_NANOS = Duration.ofMillis(320).toNanos();

  /** The longest interval, unless the TTL is so long that a part of it is longer. */
  private static final long MAX_DELAY_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int MAX_INTERVALS_PER_TTL = 8;

  /**
   * The longest interval after a look that showed nothing: a record that was left over in an outage
   * is not to block its lock for as long again.
   */
  private static final long MAX_UNCLEAR_DELAY_NANOS = Duration.ofMinutes(5).toNanos();

  private static final int MAX_UNCLEAR_LOOKS = 6;
  private static final double JITTER = 0.2;

  private final LockQueue queue;
  private final Engine engine;
  private final Map<String, Orphan> orphans = new HashMap<>();

  /** Those that were added while a request was out, whose answer proves nothing of them. */
  private final Map<String, Orphan> newcomers = new HashMap<>();

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

  /** The look that waits for the budget. */
  private @Nullable Runnable waitingLook;

  /**
   * What may still come with a token.
   *
   * @param lastSent when the last such write was begun, or a moment after that
   * @param once whether to look just until one read is clear
   */
  private record Orphan(Duration ttl, ClockReading lastSent, boolean once) {
    boolean isOver(boolean clear, ClockReading now) {
      return (once && clear) || Validity.hasTtlPassed(lastSent, ttl.toNanos(), now);
    }

    Orphan and(Orphan later) {
      return later.once && !once ? this : later;
    }
  }

  /**
   * For a lock.
   *
   * @param closing whether the manager is closing
   */
  OrphanCleanup(LockQueue queue, boolean closing) {
    this.queue = queue;
    this.engine = queue.engine;
    this.closing = closing;
  }

  /**
   * Tracks that token too.
   *
   * @param lastSent when the last write with it was begun that may still take effect; null if none
   *     may, but one may have taken effect
   * @param known the version of its record, if that is there
   */
  void add(String token, Duration ttl, @Nullable ClockReading lastSent, @Nullable Version known) {
    queue.notice(
        () -> LOG.debug("Lock \"{}\": tracking token {}", Logs.shown(queue.lockId), token));
    boolean first = orphans.isEmpty();
    Orphan orphan =
        lastSent == null
            ? new Orphan(ttl, engine.clocks.read(), true)
            : new Orphan(ttl, lastSent, false);
    int before = count();
    (busy ? newcomers : orphans).merge(token, orphan, Orphan::and);
    engine.cleanups.addAndGet(count() - before);
    if (known != null) {
      seen.add(known);
    }
    unclearLooks = 0;
    delayNanos = Math.min(delayNanos, RESTART_DELAY_NANOS);
    if (!busy) {
      if (closing || !seen.isEmpty()) {
        next();
      } else if (first) {
        lookWithinBudget();
      } else if (waitingLook == null
          && (timer == null || engine.clocks.ticker().nanos() + delayNanos - dueAtNanos < 0)) {
        armTimer();
      }
    }
  }

  private int count() {
    return orphans.size() + newcomers.size();
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
    if (!busy && timer == null && waitingLook == null) {
      end();
    }
  }

  private void armTimer() {
    cancelTimer();
    long delay = engine.jittered(delayNanos, JITTER);
    dueAtNanos = engine.clocks.ticker().nanos() + delay;
    timer =
        engine.timers.schedule(
            () ->
                queue.execute(
                    () -> {
                      timer = null;
                      if (!busy && !orphans.isEmpty()) {
                        lookWithinBudget();
                      }
                    }),
            delay);
  }

  private void cancelTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void lookWithinBudget() {
    Runnable look = () -> queue.execute(this::lookAllowed);
    engine.cleanupBudget.look(look);
    // Only now, so that none is waited for which the budget has not accepted. It runs later.
    waitingLook = look;
  }

  private void lookAllowed() {
    waitingLook = null;
    if (!busy && !orphans.isEmpty()) {
      next();
    }
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
    engine.read(
        queue,
        requestTimeout(),
        queue.lockId,
        read -> {
          busy = false;
          Version ours = null;
          boolean silent = false;
          for (Map<String, Orphan> tracked : List.of(orphans, newcomers)) {
            for (String token : tracked.keySet()) {
              ObservedRecord observed = ObservedRecord.of(read, token, null);
              if (observed instanceof ObservedRecord.Ours found) {
                ours = found.version();
              }
              silent |= observed instanceof ObservedRecord.Unavailable;
            }
          }
          engine.cleanupBudget.looked(!silent);
          if (ours != null) {
            delete(ours);
          } else {
            later(silent);
          }
        });
    // Only now, so that a clean-up without a request is never busy. The handler runs later.
    busy = true;
  }

  private void delete(Version version) {
    engine.delete(
        queue,
        requestTimeout(),
        queue.lockId,
        version,
        result -> {
          busy = false;
          boolean applied = result instanceof WriteResult.Applied;
          if (applied) {
            queue.notice(
                () ->
                    LOG.debug("Lock \"{}\": deleted a record left over", Logs.shown(queue.lockId)));
          }
          later(!applied);
        });
    busy = true;
  }

  private void later(boolean unclear) {
    unclearLooks = unclear ? unclearLooks + 1 : 0;
    int before = count();
    // After a silent store some looks more, so that the next who wants the lock need not wait for
    // its expiry; but not for ever: the TTL does the rest.
    if (!unclear || unclearLooks >= MAX_UNCLEAR_LOOKS) {
      ClockReading now = engine.clocks.read();
      orphans.values().removeIf(orphan -> orphan.isOver(!unclear, now));
    }
    boolean unseen = !newcomers.isEmpty();
    newcomers.forEach((token, orphan) -> orphans.merge(token, orphan, Orphan::and));
    newcomers.clear();
    engine.cleanups.addAndGet(count() - before);
    if (!seen.isEmpty() || (closing && unseen && !engine.isClosed())) {
      next();
    } else if (orphans.isEmpty() || closing || engine.isClosed()) {
      end();
    } else {
      delayNanos = Math.min(delayNanos, maxDelayNanos(unclear));
      armTimer();
      delayNanos = Math.min(delayNanos * 2, maxDelayNanos(unclear));
    }
  }

  private long maxDelayNanos(boolean unclear) {
    long longest = orphans.values().stream().mapToLong(o -> o.ttl().toNanos()).max().orElse(0);
    long max = Math.max(MAX_DELAY_NANOS, longest / MAX_INTERVALS_PER_TTL);
    return unclear ? Math.min(max, MAX_UNCLEAR_DELAY_NANOS) : max;
  }

  private void end() {
    cancelTimer();
    if (waitingLook != null) {
      engine.cleanupBudget.cancel(waitingLook);
      waitingLook = null;
    }
    engine.cleanups.addAndGet(-count());
    orphans.clear();
    newcomers.clear();
    seen.clear();
    queue.cleanupEnded(this);
  }
}
