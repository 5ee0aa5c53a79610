package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call that wants a lock, with a token of its own; and, while it is the head of its queue, the
 * attempts to win the lock.
 *
 * <p>An attempt is a short run of requests, one at a time. It writes ({@code create}, or a replace
 * conditioned on the version that a read showed) and becomes the holder only by a write's
 * acknowledgement. Whatever is unclear is read; what a read shows is never believed, only acted
 * upon by a conditional write.
 *
 * <p>When the caller gives up while a write is out, the write's answer is still awaited, and what
 * it left behind is cleaned up.
 */
final class Acquisition {
  private static final Logger LOG = LoggerFactory.getLogger(Acquisition.class);

  /** How many requests one attempt may take; a race that is longer than this is contention. */
  private static final int MAX_REQUESTS = 12;

  /** How many writes of one attempt may go unanswered or be rejected for overload. */
  private static final int MAX_UNKNOWN = 2;

  /** Reads in a row that must find nothing, after a conflict, before that is believed. */
  private static final int ABSENCES_TO_BELIEVE = 2;

  final String lockId;
  final LockOptions options;
  final ClockReading started;
  final @Nullable Thread caller;
  final Purpose purpose;

  /** Completed in the queue's serial executor, or by a failure before the queue has it. */
  final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

  boolean toldWaiting;

  private final Engine engine;

  /** Set within that queue's serial executor, before anything else is done there. */
  private volatile @Nullable LockQueue queue;

  /**
   * Set before the queue is read, as the queue is set before this is read: one of the two shows.
   */
  private volatile boolean abandoned;

  private long arrival;
  private @Nullable String token;
  private Scheduler.@Nullable Timer deadline;
  private boolean writeInFlight;

  /** Whether a request is out, whose answer moves the attempt on. */
  private boolean asking;

  /** When the last write was begun that may still take effect, and whether it was a create. */
  private @Nullable ClockReading uncertainWrite;

  private @Nullable ClockReading uncertainCreate;

  /** Whose expired record the last write was to replace; null if it was to make a new one. */
  private @Nullable LockInfo previous;

  private int requests;
  private int unknowns;
  private int absences;
  private boolean afterConflict;

  /** Whether the last write met a conflict, and no read has shown with whom. */
  private boolean conflictUnread;

  private boolean retriedAfterGone;

  /** What the lease is wanted for. */
  enum Purpose {
    /** A body that Holdfast runs, after which it releases. */
    BODY,
    /** Whatever the user does with it. */
    LEASE
  }

  /** How one attempt ended, for the queue. */
  sealed interface Ending {
    /** Won. */
    record Won(Session session, @Nullable LockInfo previous) implements Ending {}

    /** Another holds the lock, whose record may be taken over after so many nanoseconds. */
    record Contended(@Nullable LockInfo holder, long nanosLeft) implements Ending {}

    /** The store did not answer or rejected the request. */
    record Unavailable(Throwable cause, boolean retryable) implements Ending {}
  }

  /** On the caller's thread. It is bound to a queue when the queue runs it. */
  Acquisition(
      Engine engine,
      String lockId,
      LockOptions options,
      ClockReading started,
      @Nullable Thread caller,
      Purpose purpose) {
    this.engine = engine;
    this.lockId = lockId;
    this.options = options;
    this.started = started;
    this.caller = caller;
    this.purpose = purpose;
  }

  /** The queue has it now. */
  void enter(LockQueue entered, long itsArrival) {
    queue = entered;
    arrival = itsArrival;
  }

  LockQueue queue() {
    return Objects.requireNonNull(queue, "not in a queue yet");
  }

  long arrival() {
    return arrival;
  }

  /** The caller's own thread found that the time for it is up. */
  void timeOut() {
    LockQueue entered = queue;
    if (entered != null) {
      entered.execute(() -> entered.timedOut(this));
    }
  }

  /**
   * The caller has gone: a lock that it is granted is released. On any thread. Nothing but an
   * assignment has to succeed for an acquisition that is in no queue yet, as this is also called
   * where there is no memory or stack left.
   */
  void abandon() {
    abandoned = true;
    LockQueue entered = queue;
    if (entered != null) {
      entered.execute(() -> entered.abandoned(this));
    }
  }

  boolean isAbandoned() {
    return abandoned;
  }

  /** Ends the wait in time, whatever the store does. Again does nothing. */
  void armDeadline() {
    if (deadline != null) {
      return;
    }
    long limit =
        options.isFailFast()
            ? engine.requestTimeout(options.ttl()).toNanos()
            : Times.nanos(options.waitTimeout());
    long left = Math.max(0, limit - (engine.clocks.ticker().nanos() - started.nanos()));
    deadline = engine.timers.schedule(() -> queue().execute(() -> queue().timedOut(this)), left);
  }

  boolean isDone() {
    return outcome.isDone();
  }

  boolean isGranted() {
    return isDone() && outcome.join() instanceof Outcome.Granted;
  }

  boolean isAsking() {
    return asking;
  }

  /**
   * Makes its token, which is the same for all its attempts. An acquisition that ends at once has
   * none.
   */
  void makeToken() {
    String made = Objects.requireNonNull(engine.tokens.get(), "token");
    if (LockRecord.isUnheldToken(made)) {
      throw new IllegalStateException("a token must not be one of a record that nobody holds");
    }
    token = made;
  }

  String token() {
    return Objects.requireNonNull(token, "token");
  }

  /**
   * Whether it may take over what was acquired with those options, so that nobody can tell it from
   * what it asked for. Not if a write of its own may still take effect.
   */
  boolean acceptsHandoff(LockOptions other) {
    return options.autoRenew()
        && options.ttl().equals(other.ttl())
        && options.metadata().equals(other.metadata())
        && !writeInFlight
        && uncertainWrite == null
        && !conflictUnread
        && !isDone();
  }

  /** Gives the caller its answer; what may still appear in the store is tracked. */
  void finish(Outcome result) {
    if (!outcome.complete(result)) {
      return;
    }
    if (deadline != null) {
      deadline.cancel();
    }
    if (result instanceof Outcome.Granted || writeInFlight || queue == null) {
      return;
    }
    if (conflictUnread && uncertainWrite == null) {
      // The conflict may have been with ourselves, sent twice. One look tells.
      queue().cleanUp(token(), options, null, null);
    } else {
      cleanUp(uncertainWrite, null);
    }
  }

  private void cleanUp(@Nullable ClockReading lastSent, @Nullable Version known) {
    if (lastSent != null || known != null) {
      queue().cleanUp(token(), options, lastSent, known);
    }
  }

  /** Begins an attempt: by a write when the lock may well be free, else by a read. */
  void attempt(boolean mayBeFree) {
    requests = 0;
    unknowns = 0;
    absences = 0;
    afterConflict = false;
    retriedAfterGone = false;
    if (mayBeFree) {
      create();
    } else {
      read();
    }
  }

  private void create() {
    previous = null;
    ClockReading reading = engine.clocks.read();
    LockRecord record = engine.record(lockId, token(), reading, reading, options);
    write(() -> engine.store.create(record), reading, true);
  }

  private void replace(Version expected) {
    ClockReading reading = engine.clocks.read();
    LockRecord record = engine.record(lockId, token(), reading, reading, options);
    write(() -> engine.store.replace(record, expected), reading, false);
  }

  private void write(
      Supplier<CompletableFuture<WriteResult>> call, ClockReading reading, boolean create) {
    if (++requests > MAX_REQUESTS) {
      queue().attemptEnded(this, new Ending.Contended(null, Long.MAX_VALUE));
      return;
    }
    writeInFlight = true;
    asking = true;
    queue().writeBegins();
    engine.write(
        queue(),
        engine.requestTimeout(options.ttl()),
        call,
        result -> {
          writeInFlight = false;
          asking = false;
          queue().writeEnds();
          if (isDone()) {
            writtenTooLate(result, reading);
          } else {
            written(result, reading, create);
          }
        });
  }

  /** The caller has gone. */
  private void writtenTooLate(WriteResult result, ClockReading reading) {
    if (result instanceof WriteResult.Applied applied) {
      queue()
          .notice(
              () ->
                  LOG.debug(
                      "Lock \"{}\": granted to {} after its caller had gone",
                      Logs.shown(lockId),
                      token()));
      queue().cleanUp(token(), options, uncertainWrite, applied.version());
    } else if (result instanceof WriteResult.Rejected) {
      cleanUp(uncertainWrite, null);
    } else if (result instanceof WriteResult.Unknown) {
      cleanUp(reading, null);
    } else {
      // A conflict may be with ourselves: the write was sent twice. One look tells.
      queue().cleanUp(token(), options, uncertainWrite, null);
    }
  }

  private void written(WriteResult result, ClockReading reading, boolean create) {
    if (result instanceof WriteResult.Applied applied) {
      applied(applied.version(), reading);
    } else if (result instanceof WriteResult.Rejected rejected) {
      rejected(rejected.cause());
    } else if (result instanceof WriteResult.Unknown unknown) {
      uncertainWrite = reading;
      if (create) {
        uncertainCreate = reading;
      }
      afterConflict = false;
      boolean broken = unknown.cause() instanceof Error;
      if (++unknowns >= MAX_UNKNOWN || broken) {
        queue().attemptEnded(this, new Ending.Unavailable(unknown.cause(), !broken));
      } else {
        read();
      }
    } else {
      afterConflict = true;
      conflictUnread = true;
      absences = 0;
      read();
    }
  }

  private void applied(Version version, ClockReading reading) {
    // Until a session has it, what was written is cleaned up if the call ends.
    uncertainWrite = reading;
    queue().learned(version);
    Validity validity = engine.validity(reading, options);
    if (validity.isOver(engine.clocks.read())) {
      // Ours, but the answer took so long that it gives no lease: ask for a new one.
      replace(version);
      return;
    }
    Session session = new Session(this, version, validity, uncertainCreate);
    queue().attemptEnded(this, new Ending.Won(session, previous));
  }

  private void rejected(Throwable cause) {
    if (cause instanceof IncarnationGoneException gone) {
      engine.incarnationGone(gone);
      if (!retriedAfterGone) {
        retriedAfterGone = true;
        create();
        return;
      }
    }
    queue().attemptEnded(this, new Ending.Unavailable(cause, false));
  }

  private void read() {
    if (++requests > MAX_REQUESTS) {
      queue().attemptEnded(this, new Ending.Contended(null, Long.MAX_VALUE));
      return;
    }
    asking = true;
    engine.read(
        queue(),
        engine.requestTimeout(options.ttl()),
        lockId,
        result -> {
          asking = false;
          if (!isDone()) {
            seen(ObservedRecord.of(result, token(), queue().known()));
          }
        });
  }

  private void seen(ObservedRecord observed) {
    if (observed instanceof ObservedRecord.Ours ours) {
      // Only a write that is acknowledged makes a holder, and only its own start counts.
      replace(ours.version());
    } else if (observed instanceof ObservedRecord.Others others) {
      seenOthers(others);
    } else if (observed instanceof ObservedRecord.Absent) {
      if (afterConflict && ++absences < ABSENCES_TO_BELIEVE) {
        read();
      } else {
        create();
      }
    } else if (observed instanceof ObservedRecord.Unavailable unavailable) {
      queue()
          .attemptEnded(this, new Ending.Unavailable(unavailable.cause(), unavailable.retryable()));
    } else {
      read();
    }
  }

  private void seenOthers(ObservedRecord.Others others) {
    conflictUnread = false;
    Observations.TakeoverDecision judgement =
        engine.observations.decide(others.record(), others.version(), options.ttl());
    LockInfo holder = LockInfo.of(others.record(), others.version(), engine.clocks.wallNow());
    if (judgement instanceof Observations.TakeoverDecision.Expired expired) {
      queue()
          .notice(
              () ->
                  LOG.debug(
                      "Lock \"{}\": taking over from {}: {}",
                      Logs.shown(lockId),
                      Logs.shown(holder.owner()),
                      expired.rule()));
      // A record that nobody holds was left by a release.
      previous = others.record().isUnheld() ? null : holder;
      replace(others.version());
    } else if (judgement instanceof Observations.TakeoverDecision.Standing standing) {
      queue().attemptEnded(this, new Ending.Contended(holder, standing.nanosLeft()));
    } else {
      read();
    }
  }
}
