package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Released;
import dev.holdfast.lock.SessionState.Releasing;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Releases a session: a conditional delete, or a conditional replacement by a record that nobody
 * holds, and reads where its answer is unclear. What an answer means is up to {@link SessionState}.
 * All methods run in the queue's serial executor.
 */
final class Release {
  private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(20).toNanos();
  private static final long MAX_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();
  private static final double PAUSE_JITTER = 0.2;

  private static final Logger LOG = LoggerFactory.getLogger(Release.class);

  private final Session session;
  private final LockQueue queue;
  private final Engine engine;
  private final LockOptions options;

  /** When the first delete was sent, by the wall clock; and whether one was not answered. */
  private @Nullable Instant firstDeleteAt;

  private boolean deleteUnanswered;

  /** Where a read has shown the record that is to take the place of ours, to be confirmed. */
  private @Nullable Version unheldSeen;

  private long pauseNanos = FIRST_PAUSE_NANOS;

  Release(Session session) {
    this.session = session;
    this.queue = session.queue();
    this.engine = session.engine();
    this.options = session.options();
  }

  /** A renewal was under way when the lock was released: now it is answered. */
  void afterRenewal(Releasing releasing, WriteResult renewal, ClockReading reading) {
    if (renewal instanceof WriteResult.Applied applied) {
      Holding again =
          releasing
              .acknowledged(
                  applied.version(), engine.validity(reading, options), engine.clocks.read())
              .orElse(null);
      Acquisition successor = again == null ? null : session.successor(again);
      if (again != null && successor != null) {
        boolean held = !session.isHolderless();
        session.state(again);
        // One without a holder is resumed there.
        session.renewal.renewed(applied.version(), reading);
        if (held) {
          session.handOff(successor);
        }
        return;
      }
      session.state(
          new Releasing(applied.version(), releasing.validity(), releasing.deleteSent(), 0));
      sendDelete();
    } else if (renewal instanceof WriteResult.Rejected) {
      sendDelete();
    } else {
      read();
    }
  }

  void sendDelete() {
    if (session.requestOut || !(session.state() instanceof Releasing releasing)) {
      return;
    }
    session.state(releasing.deleting());
    if (firstDeleteAt == null) {
      firstDeleteAt = engine.clocks.wallNow();
    }
    session.requestOut = true;
    long nanosToStay = session.nanosToStayUnavailable();
    if (nanosToStay > 0) {
      Version seen = unheldSeen;
      unheldSeen = null;
      replaceByUnheld(seen == null ? releasing.version() : seen, nanosToStay);
      return;
    }
    engine.delete(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        releasing.version(),
        result -> {
          session.requestOut = false;
          if (session.state() instanceof Releasing current) {
            deleteAnswered(current, result);
          }
        });
  }

  /** The lock is to stay unavailable: a record that nobody holds takes the place of ours. */
  private void replaceByUnheld(Version expected, long nanos) {
    LockRecord unheld = session.unheldRecord(engine.clocks.read(), nanos);
    engine.write(
        queue,
        engine.requestTimeout(options.ttl()),
        () -> engine.store.replace(unheld, expected),
        result -> {
          session.requestOut = false;
          if (session.state() instanceof Releasing current) {
            deleteAnswered(current, result);
            if (result instanceof WriteResult.Applied applied) {
              engine.observations.decide(unheld, applied.version(), options.ttl());
            }
          }
        });
  }

  private void deleteAnswered(Releasing releasing, WriteResult result) {
    if (result instanceof WriteResult.Applied applied) {
      queue.learned(applied.version());
      session.released(releasing.deleted());
    } else if (result instanceof WriteResult.Rejected rejected) {
      if (rejected.cause() instanceof IncarnationGoneException gone) {
        if (!deleteUnanswered) {
          session.overlapped(Lost.indexGone(gone));
        }
        session.released(releasing.notHeld());
        engine.incarnationGone(gone);
      } else {
        session.released(releasing.unconfirmed());
        queue.notice(
            () ->
                LOG.warn(
                    "Lock \"{}\": the store rejected its release: {}",
                    Logs.shown(queue.lockId),
                    Logs.shown(rejected.cause())));
      }
    } else {
      deleteUnanswered |= result instanceof WriteResult.Unknown;
      read();
    }
  }

  private void read() {
    session.requestOut = true;
    engine.read(
        queue,
        engine.requestTimeout(options.ttl()),
        queue.lockId,
        read -> {
          session.requestOut = false;
          if (session.state() instanceof Releasing releasing) {
            ObservedRecord observed =
                ObservedRecord.ofHeld(read, session.token, releasing.version());
            seen(releasing.seen(observed, engine.clocks.read()), observed);
          }
        });
  }

  private void seen(SessionState next, ObservedRecord observed) {
    if (next instanceof Released released) {
      released(released, observed);
      return;
    }
    session.state(next);
    later(
        observed instanceof ObservedRecord.Ours
            || observed instanceof ObservedRecord.OtherIncarnation);
  }

  private void released(Released released, ObservedRecord observed) {
    boolean isToStay = session.nanosToStayUnavailable() > 0;
    if (observed instanceof ObservedRecord.Others others) {
      if (others.record().token().equals(LockRecord.unheldToken(session.token))) {
        if (isToStay) {
          // A primary that was cut off may show what was never committed. A write tells.
          unheldSeen = others.version();
          later(true);
        } else {
          session.released(new Released(ReleaseResult.RELEASED));
        }
        return;
      }
      if (firstDeleteAt == null || wasHeldBefore(others.record())) {
        session.overlapped(
            Lost.because(
                Reason.TAKEN_OVER,
                "when it was released, it was held by " + Texts.owner(others.record().owner())));
      }
    } else if (firstDeleteAt == null) {
      // Nobody but us deletes a record that is held, and we have not.
      session.overlapped(
          Lost.because(Reason.RECORD_DELETED, "when it was released, it had no record"));
    } else if (isToStay && released.result() == ReleaseResult.RELEASED) {
      // We have deleted nothing: the copies that were read are behind. Our record, if that is what
      // stands, may be taken over too soon.
      later(true);
      return;
    }
    session.released(released);
  }

  /** Writes or reads again after a pause. */
  private void later(boolean writes) {
    long pause = engine.jittered(pauseNanos, PAUSE_JITTER);
    pauseNanos = Math.min(pauseNanos * 2, MAX_PAUSE_NANOS);
    session.requestOut = true;
    Scheduler.Timer unused =
        engine.timers.schedule(
            () ->
                queue.execute(
                    () -> {
                      session.requestOut = false;
                      if (session.state() instanceof Releasing) {
                        if (writes) {
                          sendDelete();
                        } else {
                          read();
                        }
                      }
                    }),
            pause);
  }

  /**
   * Whether another took the lock before this one was given back, as far as its record tells. One
   * that was made after the delete had been sent tells nothing: the delete may have been applied,
   * although a second sending of it met a conflict.
   */
  private boolean wasHeldBefore(LockRecord others) {
    Instant made = others.createdAt();
    Long skew = others.maxClockSkewMillis();
    if (firstDeleteAt == null || made == null || skew == null) {
      return false;
    }
    Instant latest = deleteUnanswered ? made.plus(engine.maxClockSkew) : made;
    return latest.isBefore(firstDeleteAt);
  }
}
