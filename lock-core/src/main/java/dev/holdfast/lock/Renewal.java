package dev.holdfast.lock;

import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Next;
import dev.holdfast.lock.SessionState.Releasing;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews a session's lease: a conditional replace, and reads where its answer is unclear. What an
 * answer means is up to {@link SessionState}. All methods run in the queue's serial executor,
 * unless they say otherwise.
 */
final class Renewal {
  private static final int RENEWALS_PER_TTL = 3;

  /**
   * A renewal comes up to twice this part of its interval early: once by chance, so that many do
   * not come at once, and then at an instant that it shares with others of its manager, so that
   * those leave in few requests. Other managers have other instants.
   */
  private static final int RENEWAL_INSTANTS_PER_INTERVAL = 20;

  /** The first pause after a failed renewal, as a part of the TTL, and the longest. */
  private static final int FIRST_BACKOFF_PER_TTL = 60;

  private static final int MAX_BACKOFF_PER_TTL = 6;
  private static final double BACKOFF_JITTER = 0.2;

  /** How many requests one renewal may take before it is put off. */
  private static final int MAX_REQUESTS = 8;

  private static final Logger LOG = LoggerFactory.getLogger(Renewal.class);

  private final Session session;
  private final LockQueue queue;
  private final Engine engine;
  private final LockOptions options;
  private int requests;
  private int failures;
  private long dueNanos;
  private @Nullable List<CompletableFuture<Boolean>> waiters;

  Renewal(Session session) {
    this.session = session;
    this.queue = session.queue();
    this.engine = session.engine();
    this.options = session.options();
  }

  /** Sets when the next renewal is due: a part of the TTL after the last write. */
  void scheduleNext() {
    // Not later than in the middle of the validity, which a large margin for drift makes short.
    long interval =
        Math.min(options.ttl().toNanos() / RENEWALS_PER_TTL, session.fullValidityNanos() / 2);
    long apart = Math.max(1, interval / RENEWAL_INSTANTS_PER_INTERVAL);
    long latest = session.lastSent.nanos() + interval - (long) (apart * engine.random.nextDouble());
    dueNanos = engine.renewalInstant(latest, apart);
  }

  /** Returns how long it is until the next renewal is due; 0 or less if it is due now. */
  long nanosUntilDue() {
    return dueNanos - engine.clocks.ticker().nanos();
  }

  /**
   * Returns whether every write was acknowledged, but for a renewal whose first answer is awaited:
   * until that comes, the lease is what the write before made it.
   */
  boolean isCertain() {
    return failures == 0 && (!session.requestOut || requests == 1);
  }

  /** Renews now, for a caller who waits; one that is under way serves. On any thread. */
  CompletableFuture<Boolean> now() {
    CompletableFuture<Boolean> renewed = new CompletableFuture<>();
    queue.execute(
        () -> {
          session.expireIfOver();
          if (!(session.state() instanceof Holding) || session.isHolderless()) {
            renewed.complete(false);
            return;
          }
          if (waiters == null) {
            waiters = new ArrayList<>(1);
          }
          waiters.add(renewed);
          if (!session.requestOut) {
            begin();
          }
        });
    return renewed;
  }

  void begin() {
    requests = 0;
    session.renewalBegins();
    write(((Holding) session.state()).version());
  }

  private void write(Version expected) {
    ClockReading reading = engine.clocks.read();
    session.lastSent = reading;
    session.requestOut = true;
    requests++;
    LockRecord record = session.record(reading);
    engine.write(
        queue,
        engine.requestTimeout(options.ttl()),
        () -> engine.store.replace(record, expected),
        result -> {
          try {
            if (!(result instanceof WriteResult.Applied)) {
              // A session without a holder is not worth a second request.
              session.stopLingering();
            }
          } finally {
            // Not before: it is given back when this answer has been looked at.
            session.requestOut = false;
          }
          written(result, reading);
        });
  }

  private void written(WriteResult result, ClockReading reading) {
    if (session.state() instanceof Releasing releasing) {
      session.release.afterRenewal(releasing, result, reading);
      return;
    }
    session.expireIfOver();
    if (!(session.state() instanceof Holding holding)) {
      return;
    }
    if (result instanceof WriteResult.Applied applied) {
      Validity validity = engine.validity(reading, options);
      SessionState next = holding.acknowledged(applied.version(), validity, engine.clocks.read());
      if (next instanceof Lost lost) {
        session.lose(lost);
      } else {
        session.state(next);
        renewed(applied.version(), reading);
      }
    } else if (result instanceof WriteResult.Rejected rejected) {
      if (rejected.cause() instanceof IncarnationGoneException gone) {
        // This one now: those who wait for the renewal must not find the lease held afterwards.
        session.incarnationGone(gone);
        engine.incarnationGone(gone);
      }
      failed(rejected.cause());
    } else {
      read();
    }
  }

  private void read() {
    session.requestOut = true;
    requests++;
    engine.read(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        read -> {
          session.requestOut = false;
          if (session.state() instanceof Releasing) {
            session.release.sendDelete();
            return;
          }
          session.expireIfOver();
          if (session.state() instanceof Holding holding) {
            act(holding.seen(ObservedRecord.ofHeld(read, session.token, holding.version())));
          }
        });
  }

  private void act(Next next) {
    if (next instanceof Next.End end) {
      session.lose(end.state());
    } else if (next instanceof Next.Later later) {
      session.state(later.state());
      failed(later.cause());
    } else if (next instanceof Next.Read read) {
      session.state(read.state());
      if (requests < MAX_REQUESTS) {
        read();
      } else {
        failed(new IllegalStateException("reads showed only what is out of date"));
      }
    } else if (next instanceof Next.Write write) {
      session.state(write.state());
      if (requests < MAX_REQUESTS) {
        write(write.expected());
      } else {
        failed(new IllegalStateException("writes conflicted again and again"));
      }
    }
  }

  void renewed(Version acknowledged, ClockReading reading) {
    session.acknowledged(acknowledged);
    failures = 0;
    scheduleNext();
    complete(true);
    session.armTimer();
    Duration took = engine.clocks.since(reading);
    queue.notice(
        () ->
            LOG.debug(
                "Lock \"{}\": renewed, token {}, in {} ms",
                Logs.shown(queue.lockId),
                session.token,
                took.toMillis()));
    queue.tell(l -> l.renewed(queue.lockId, took));
    if (session.isHolderless() && queue.hasWaiting()) {
      session.resumeOrGiveBack();
    }
  }

  private void failed(Throwable cause) {
    if (!(session.state() instanceof Holding holding)) {
      return;
    }
    long ttl = options.ttl().toNanos();
    long firstPause = ttl / FIRST_BACKOFF_PER_TTL;
    long pause = Math.min(firstPause << Math.min(failures, 8), ttl / MAX_BACKOFF_PER_TTL);
    Duration remaining = Duration.ofNanos(holding.validity().remainingNanos(engine.clocks.read()));
    // More often towards the end: no attempt must be put off beyond it.
    pause = Math.min(pause, Math.max(firstPause, remaining.toNanos() / 2));
    failures++;
    dueNanos = engine.clocks.ticker().nanos() + engine.jittered(pause, BACKOFF_JITTER);
    complete(false);
    session.armTimer();
    queue.notice(
        () ->
            LOG.warn(
                "Lock \"{}\": renewal failed, token {}, {} ms left: {}",
                Logs.shown(queue.lockId),
                session.token,
                remaining.toMillis(),
                Logs.shown(cause)));
    Duration took = engine.clocks.since(session.lastSent);
    queue.tell(l -> l.renewalFailed(queue.lockId, cause, took, remaining));
  }

  /** Answers those who wait for a renewal. */
  void complete(boolean result) {
    List<CompletableFuture<Boolean>> told = waiters;
    if (told != null) {
      waiters = null;
      told.forEach(waiter -> waiter.complete(result));
    }
  }
}
