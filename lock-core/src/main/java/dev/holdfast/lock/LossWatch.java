package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices in time that leases have ended by the wall clock. Timers run by the monotonic clock,
 * which stands still while the machine sleeps: the timer for the end of a lease comes late by as
 * much as the machine slept. So all sessions of a manager are judged once a second, by one timer,
 * which runs only while there are any. Thread-safe.
 *
 * <p>A pass costs a look at both clocks for each session, and no timer for each, which with 10,000
 * leases would be several times as much.
 */
final class LossWatch {
  /** A loss is noticed within this time of the monotonic clock, and within a tenth of the TTL. */
  static final long INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  private static final Logger LOG = LoggerFactory.getLogger(LossWatch.class);

  private final Scheduler scheduler;
  private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean armed = new AtomicBoolean();

  LossWatch(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  /** Judges that session from now on. Never throws: a session must not fail for want of a timer. */
  void add(Session session) {
    sessions.add(session);
    arm();
  }

  void remove(Session session) {
    sessions.remove(session);
  }

  private void arm() {
    if (!sessions.isEmpty() && armed.compareAndSet(false, true)) {
      try {
        Scheduler.Timer unused = scheduler.schedule(this::tick, INTERVAL_NANOS);
      } catch (RuntimeException | Error e) {
        // The next session tries again; until then, each has the timer for its own end.
        armed.set(false);
        Logs.quietly(
            () -> LOG.debug("Losses during a sleep of this machine may be noticed late", e));
      }
    }
  }

  private void tick() {
    try {
      for (Session session : sessions) {
        try {
          long unused = session.remainingNanos();
        } catch (RuntimeException | Error e) {
          Logs.quietly(
              () ->
                  LOG.error(
                      "Lock \"{}\": its lease could not be judged",
                      Logs.shown(session.lockId()),
                      e));
        }
      }
    } finally {
      // A session that is added from here on arms it, or is seen here.
      armed.set(false);
      arm();
    }
  }
}
