package dev.holdfast.lock;

import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after a token whose session is over or never began, while a write with it may still take
 * effect: a record that appears with it holds up everybody and helps nobody, so it is deleted.
 * Begun only when nobody believes in a lease with that token any more. Ends when the last lease
 * that such a write could make has run out by itself, with an answer that shows that nothing is
 * left, or after some that show nothing.
 */
final class Cleanup {
  private static final Logger LOG = LoggerFactory.getLogger(Cleanup.class);

  private static final long FIRST_DELAY_NANOS = Duration.ofMillis(20).toNanos();
  private static final long MAX_DELAY_NANOS = Duration.ofSeconds(1).toNanos();
  private static final double JITTER = 0.2;

  private final LockQueue queue;
  private final Engine engine;
  private final String token;
  private final Duration ttl;

  /**
   * When the last write that may still come was begun; null to look just until one read is clear.
   */
  private final @Nullable Stamp lastSent;

  private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
  private long delayNanos = FIRST_DELAY_NANOS;
  private boolean closing;
  private boolean busy;
  private Scheduler.@Nullable Timer timer;

  Cleanup(LockQueue queue, String token, Duration ttl, @Nullable Stamp lastSent) {
    this.queue = queue;
    this.engine = queue.engine;
    this.token = token;
    this.ttl = ttl;
    this.lastSent = lastSent;
  }

  CompletableFuture<@Nullable Void> done() {
    return done;
  }

  void start(@Nullable Version known) {
    queue.notice(() -> LOG.debug("Lock \"{}\": looking after token {}", queue.lockId, token));
    if (known == null) {
      look();
    } else {
      delete(known);
    }
  }

  /** The manager closes: one last look, now. */
  void closing() {
    closing = true;
    if (!busy && !done.isDone()) {
      if (timer != null) {
        timer.cancel();
      }
      look();
    }
  }

  /** After an error at an unknown point: the TTL does the rest, unless something is to come. */
  void recover() {
    if (!busy && timer == null) {
      end();
    }
  }

  private void look() {
    busy = true;
    engine.read(
        queue,
        engine.requestTimeout(ttl),
        queue.lockId,
        read -> {
          busy = false;
          Sighting sighting = Sighting.of(read, token, null);
          if (sighting instanceof Sighting.Ours ours) {
            delete(ours.version());
          } else {
            later(sighting instanceof Sighting.Silent);
          }
        });
  }

  private void delete(Version version) {
    busy = true;
    engine.delete(
        queue,
        engine.requestTimeout(ttl),
        queue.lockId,
        version,
        result -> {
          busy = false;
          boolean applied = result.fold(v -> true, () -> false, cause -> false, cause -> false);
          if (applied) {
            queue.notice(
                () ->
                    LOG.debug("Lock \"{}\": deleted a record with token {}", queue.lockId, token));
          }
          later(!applied);
        });
  }

  private void later(boolean unclear) {
    boolean nothingComes =
        lastSent == null || Validity.hasTtlPassed(lastSent, ttl.toNanos(), engine.clocks.stamp());
    // After a silent store one look more, so that the next who wants the lock need not wait for its
    // expiry; but not for ever: the TTL does the rest.
    boolean over = nothingComes && (!unclear || delayNanos >= MAX_DELAY_NANOS);
    if (over || closing || engine.isClosed()) {
      end();
      return;
    }
    timer =
        engine.timers.schedule(
            () -> queue.execute(this::lookUnlessDone), engine.jittered(delayNanos, JITTER));
    delayNanos = Math.min(delayNanos * 2, MAX_DELAY_NANOS);
  }

  private void lookUnlessDone() {
    timer = null;
    if (!busy && !done.isDone()) {
      look();
    }
  }

  private void end() {
    if (done.complete(null)) {
      queue.cleanupEnded(this);
    }
  }
}
