package dev.holdfast.lock;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.Version;
import java.util.Optional;

/**
 * A session's life, as rules without I/O. Each state has just the transitions that are legal in it;
 * the last two have none.
 *
 * <pre>
 *   Holding --acknowledged--> Holding      (only while valid)
 *   Holding --seen----------> Holding | Lost
 *   Holding --validity over-> Lost
 *   Holding --handed off---> Holding      (to a waiter in the same process, or to the next caller
 *                                          while nobody holds it there)
 *   Holding --release-------> Releasing --deleted/seen/timeout--> Released
 *   Releasing --acknowledged--> Holding    (handed off after a renewal)
 * </pre>
 */
sealed interface SessionState {

  /**
   * The lock is held as long as the validity lasts.
   *
   * @param version of the last acknowledged write
   * @param validity that it gave
   * @param absences how many reads in a row found no record
   */
  record Holding(Version version, Validity validity, int absences) implements SessionState {
    /** How many reads in a row must find no record before it is believed to be gone. */
    private static final int ABSENCES_TO_BELIEVE = 2;

    static Holding granted(Version version, Validity validity) {
      return new Holding(version, validity, 0);
    }

    /**
     * A renewal was acknowledged. One that arrives after the old validity had ended comes too late:
     * somebody may have been told already that the lease is over.
     */
    SessionState acknowledged(Version newVersion, Validity newValidity, ClockReading now) {
      return validity.isOver(now) || newValidity.isOver(now)
          ? Lost.validityEnded()
          : new Holding(newVersion, newValidity, 0);
    }

    /** Time has passed. */
    SessionState at(ClockReading now) {
      return validity.isOver(now) ? Lost.validityEnded() : this;
    }

    /** What a read says after a renewal was not simply acknowledged. */
    Next seen(ObservedRecord observed) {
      if (observed instanceof ObservedRecord.Ours ours) {
        return new Next.Write(new Holding(version, validity, 0), ours.version());
      } else if (observed instanceof ObservedRecord.Others others) {
        return new Next.End(
            Lost.because(
                Reason.TAKEN_OVER, "it was taken over by " + Texts.owner(others.record().owner())));
      } else if (observed instanceof ObservedRecord.OtherIncarnation) {
        // Perhaps a node that has not heard of our index yet. A write to it tells.
        return new Next.Write(this, version);
      } else if (observed instanceof ObservedRecord.Absent) {
        int seen = absences + 1;
        return seen >= ABSENCES_TO_BELIEVE
            ? new Next.End(Lost.because(Reason.RECORD_DELETED, "its record was deleted"))
            : new Next.Read(new Holding(version, validity, seen));
      } else if (observed instanceof ObservedRecord.Unavailable unavailable) {
        return new Next.Later(this, unavailable.cause());
      }
      return new Next.Read(this);
    }

    /** Whether there is enough time for another holder: at least half of what a renewal gives. */
    boolean lastsForAnother(ClockReading now) {
      return validity.remainingNanos(now) >= validity.fullNanos() / 2;
    }

    /**
     * Whether there is enough time for a caller that finds the session without a holder, and whose
     * renewal begins at once if it is due: at least a quarter of what a renewal gives.
     */
    boolean lastsForNext(ClockReading now) {
      return validity.remainingNanos(now) >= validity.fullNanos() / 4;
    }

    Releasing release() {
      return new Releasing(version, validity, false, 0);
    }
  }

  /** What a holder does after a read. */
  sealed interface Next {
    /** Writes again, conditioned on that version: our own, as it is or as a lost answer left it. */
    record Write(Holding state, Version expected) implements Next {}

    /** Reads again: the answer told nothing. */
    record Read(Holding state) implements Next {}

    /** Tries again after a while. */
    record Later(Holding state, Throwable cause) implements Next {}

    /** Gives up: the lease is lost. */
    record End(Lost state) implements Next {}
  }

  /**
   * The holder gives the lock back.
   *
   * @param version of the last write known to be ours
   * @param validity that the last acknowledged one gave
   * @param deleteSent whether a delete, or what is written in its place, may have been applied
   * @param absences how many reads in a row found no record
   */
  record Releasing(Version version, Validity validity, boolean deleteSent, int absences)
      implements SessionState {
    /**
     * A renewal was acknowledged that was under way when the holder gave the lock back: it may be
     * handed off. Empty if that comes too late, as in {@link Holding#acknowledged}, or if a delete
     * was sent.
     */
    Optional<Holding> acknowledged(Version newVersion, Validity newValidity, ClockReading now) {
      return deleteSent || validity.isOver(now) || newValidity.isOver(now)
          ? Optional.empty()
          : Optional.of(Holding.granted(newVersion, newValidity));
    }

    Releasing deleting() {
      return new Releasing(version, validity, true, absences);
    }

    Released deleted() {
      return new Released(ReleaseResult.RELEASED);
    }

    Released unconfirmed() {
      return new Released(ReleaseResult.UNCONFIRMED);
    }

    Released notHeld() {
      return new Released(ReleaseResult.NOT_HELD);
    }

    /**
     * What a read says after a delete was not simply acknowledged: delete again, read again, or
     * done.
     */
    SessionState seen(ObservedRecord observed, ClockReading now) {
      if (observed instanceof ObservedRecord.Ours ours) {
        return new Releasing(ours.version(), validity, deleteSent, 0);
      } else if (observed instanceof ObservedRecord.Absent) {
        if (absences == 0) {
          return new Releasing(version, validity, deleteSent, 1);
        }
        return deleteSent && !validity.isOver(now) ? deleted() : notHeld();
      } else if (observed instanceof ObservedRecord.Others) {
        return notHeld();
      }
      return this;
    }
  }

  /**
   * The lease ended before it was released. Final.
   *
   * @param message a description, for messages and logs
   * @param recordMayRemain whether a record with our token may still be in the store
   */
  record Lost(Reason reason, String message, boolean recordMayRemain) implements SessionState {
    static Lost validityEnded() {
      return new Lost(
          Reason.EXPIRED, "no renewal was acknowledged before its validity ended", true);
    }

    /** Held for as long as it may be. Its record stays until it is released, or for its TTL. */
    static Lost maxHold() {
      return new Lost(Reason.MAX_HOLD, "it was held for as long as its options allow", true);
    }

    static Lost indexGone(IncarnationGoneException gone) {
      return because(Reason.INDEX_REPLACED, String.valueOf(gone.getMessage()));
    }

    /** The record is not ours any more. */
    static Lost because(Reason reason, String message) {
      return new Lost(reason, message, false);
    }

    LeaseLostException exception(String lockId) {
      return new LeaseLostException(lockId, reason, message);
    }
  }

  /**
   * The lease was given back. Final.
   *
   * @param result how that went
   */
  record Released(ReleaseResult result) implements SessionState {}
}
