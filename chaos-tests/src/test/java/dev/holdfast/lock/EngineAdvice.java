package dev.holdfast.lock;

import dev.holdfast.lock.SessionState.Holding;
import dev.holdfast.lock.SessionState.Lost;
import dev.holdfast.lock.SessionState.Next;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/**
 * Code that is woven into methods of the engine, each to make it wrong in one way. In the engine's
 * package, because it becomes a part of its classes; assignments to parameters are what Byte Buddy
 * makes changes of.
 */
@SuppressWarnings(
    "UnusedVariable") // They are written for the method that the advice is woven into.
public final class EngineAdvice {
  private EngineAdvice() {}

  /** On {@code Engine.validity}: counted from now, when the answer is there. */
  public static final class CountFromNow {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.FieldValue("clocks") Clocks clocks,
        @Advice.Argument(value = 0, readOnly = false) ClockReading start) {
      start = clocks.read();
    }
  }

  /** On {@code Engine.record}: {@code expiresAt} stays as it was at the beginning. */
  public static final class ExpiresAsAtFirst {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.Argument(2) ClockReading createdAt,
        @Advice.Argument(value = 3, readOnly = false) ClockReading stamp) {
      stamp = createdAt;
    }
  }

  /** On {@code Validity.remainingNanos}: without the margin for drift. */
  public static final class NoDriftMargin {
    @Advice.OnMethodExit
    static void exit(
        @Advice.This Validity validity,
        @Advice.Argument(0) ClockReading now,
        @Advice.Return(readOnly = false) long remaining) {
      long wall = now.wallNanosSince(validity.start()) + validity.wallPaddingNanos();
      long elapsed = Math.max(now.nanosSince(validity.start()), wall);
      remaining = Math.max(0, validity.ttlNanos() - elapsed);
    }
  }

  /** On {@code Observations.ttlNanos}: all processes may use other TTLs. */
  public static final class OwnTtl {
    @Advice.OnMethodExit
    static void exit(
        @Advice.Argument(1) Duration ownTtl, @Advice.Return(readOnly = false) long nanos) {
      nanos = ownTtl.toNanos();
    }
  }

  /** On {@code Observations.ttlNanos}, for records that somebody holds. */
  public static final class HalfIfHeld {
    @Advice.OnMethodExit
    static void exit(
        @Advice.Argument(0) LockRecord record, @Advice.Return(readOnly = false) long nanos) {
      if (!record.isUnheld()) {
        nanos /= 2;
      }
    }
  }

  /** On {@code Validity.lengthNanos}: a little longer than the record says. */
  public static final class TooLong {
    @Advice.OnMethodExit
    static void exit(@Advice.This Validity validity, @Advice.Return(readOnly = false) long nanos) {
      nanos = validity.ttlNanos() + validity.ttlNanos() / 400;
    }
  }

  /** On {@code Validity.lengthNanos}: less than half of what the record says. */
  public static final class TooShort {
    @Advice.OnMethodExit
    static void exit(@Advice.This Validity validity, @Advice.Return(readOnly = false) long nanos) {
      nanos = validity.ttlNanos() * 9 / 20;
    }
  }

  /** On {@code LeaseHandle.remaining}: nothing for a moment, now and then. */
  public static final class Flicker {
    @Advice.OnMethodExit
    static void exit(
        @Advice.FieldValue("session") Session session,
        @Advice.Return(readOnly = false) Duration remaining) {
      if (session.engine().clocks.ticker().nanos() / 10_000_000 % 40 == 0) {
        remaining = Duration.ZERO;
      }
    }
  }

  /** On {@code Session.nanosToNextLook}: what is over does not make it look all the time. */
  public static final class NotTooOften {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos = Math.max(nanos, 100_000_000);
    }
  }

  /** On {@code Observations.ttlNanos}. */
  public static final class Half {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos /= 2;
    }
  }

  /** On {@code Session.start}: the clean-up of abandoned tokens is started for a token in use. */
  public static final class CleanUpTheLiving {
    @Advice.OnMethodExit
    static void exit(
        @Advice.FieldValue("queue") LockQueue queue,
        @Advice.FieldValue("options") LockOptions options,
        @Advice.FieldValue("token") String token,
        @Advice.FieldValue("version") Version version) {
      queue.cleanUp(token, options, null, version);
    }
  }

  /** On {@code Acquisition.finish}: what was not answered has not happened. */
  public static final class ForgetWhatIsUncertain {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.FieldValue(value = "uncertainWrite", readOnly = false)
            @Nullable ClockReading write) {
      write = null;
    }
  }

  /** On {@code Acquisition.written}: no answer is the last word. */
  public static final class GiveUpAtOnce {
    @Advice.OnMethodEnter
    static void enter(@Advice.FieldValue(value = "unknowns", readOnly = false) int unknowns) {
      unknowns = 1;
    }
  }

  /** On {@code Engine.requestDeadline}: no request has a deadline. */
  public static final class CancelTheDeadline {
    @Advice.OnMethodExit
    static void exit(@Advice.Return Scheduler.Timer deadline) {
      deadline.cancel();
    }
  }

  /**
   * On {@code OrphanCleanup.later}: a look that was not answered has shown that nothing is there.
   */
  public static final class SilenceIsClear {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 0, readOnly = false) boolean unclear) {
      unclear = false;
    }
  }

  /** On {@code Session.linger}: its record is deleted all the same. */
  public static final class DeleteWhatLingers {
    @Advice.OnMethodExit
    static void exit(
        @Advice.This Session session,
        @Advice.FieldValue("engine") Engine engine,
        @Advice.FieldValue("version") Version version) {
      var unused = engine.store.delete(session.lockId(), version);
    }
  }

  /** On {@code Permits.begin}. */
  public static final class OneMore {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 1, readOnly = false) int permits) {
      permits++;
    }
  }

  /** On {@code LeaderTerm.isLeading}: whatever has become of its lease. */
  public static final class UntilItIsTold {
    @Advice.OnMethodExit
    static void exit(
        @Advice.FieldValue("revoked") AtomicBoolean revoked,
        @Advice.Return(readOnly = false) boolean leading) {
      leading = !revoked.get();
    }
  }

  /** On {@code Session.nanosToStayUnavailable}. */
  public static final class NotAtAll {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos = 0;
    }
  }

  /** On {@code HoldLimits.atMostNanosLeft}. */
  public static final class AFifthMore {
    @Advice.OnMethodExit
    static void exit(@Advice.This HoldLimits limits, @Advice.Return(readOnly = false) long nanos) {
      nanos += limits.atMostNanos() / 5;
    }
  }

  /** On {@code LeaseHandle.limitHold}: as if it had been done. */
  public static final class KeepTheLimits {
    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(@Advice.This LeaseHandle lease) {
      return lease.isHeld();
    }

    @Advice.OnMethodExit
    static void exit(@Advice.Enter boolean held, @Advice.Return(readOnly = false) boolean limited) {
      limited = held;
    }
  }

  /** On {@code LeaseHandle.replace}: whatever they are, limits count from when they first did. */
  public static final class CountFromTheGrant {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.Argument(0) HoldLimits before,
        @Advice.Argument(value = 1, readOnly = false) HoldLimits next) {
      next =
          new HoldLimits(before.sinceNanos(), next.atLeastNanos(), next.atMostNanos(), next.over());
    }
  }

  /** On {@code LockQueue.later}: where the longest pause is more than that between polls. */
  public static final class PauseForAMinute {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.Argument(value = 0, readOnly = false) Duration first,
        @Advice.Argument(value = 1, readOnly = false) Duration max) {
      if (max.toMillis() == 1_000) {
        first = Duration.ofMinutes(1);
        max = first;
      }
    }
  }

  /** On {@code LeaseHandle.holdNanosLeft}. */
  public static final class ForEver {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos = Long.MAX_VALUE;
    }
  }

  /** On {@code LeaseHandle.released}. */
  public static final class TellALoss {
    @Advice.OnMethodEnter
    static void enter(@Advice.This LeaseHandle lease) {
      LeaseLostException loss =
          new LeaseLostException(
              lease.lockId(), LeaseLostException.Reason.TAKEN_OVER, "nobody did");
      if (lease.lost(loss)) {
        var unused = lease.runCallbacks(loss);
      }
    }
  }

  /** On {@code FencingToken.of}. */
  public static final class CoarseToken {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) FencingToken token) {
      token =
          new FencingToken(token.era(), token.primaryTerm(), token.seqNo() / 4, token.handoff());
    }
  }

  /** On {@code FencingToken.of}: a handoff changes nothing. */
  public static final class NoHandOff {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 1, readOnly = false) int handoff) {
      handoff = 0;
    }
  }

  /** On {@code Session.renewalBegins}: as if its answer were there. */
  public static final class Restart {
    @Advice.OnMethodEnter
    static void enter(@Advice.FieldValue(value = "nextHandoff", readOnly = false) int number) {
      number = 0;
    }
  }

  /** On {@code Session.release}: the numbers are counted in eight bits. */
  public static final class RestartInTheEnd {
    @Advice.OnMethodEnter
    static void enter(@Advice.FieldValue(value = "nextHandoff", readOnly = false) int number) {
      number &= FencingToken.MAX_HANDOFF;
    }
  }

  /** On {@code LockQueue.attemptAfter}: at once. */
  public static final class NoDelay {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 0, readOnly = false) long delay) {
      delay = 0;
    }
  }

  /** On {@code ObservedRecord.of}: nothing is older than anything. */
  public static final class ForgetWhatIsKnown {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 2, readOnly = false) @Nullable Version known) {
      known = null;
    }
  }

  /** On {@code Holding.seen}: any answer that shows another index is believed. */
  public static final class BelieveThatTheIndexIsGone {
    @Advice.OnMethodExit
    static void exit(
        @Advice.Argument(0) ObservedRecord sighting, @Advice.Return(readOnly = false) Next next) {
      if (sighting instanceof ObservedRecord.OtherIncarnation) {
        next =
            new Next.End(
                Lost.because(
                    LeaseLostException.Reason.INDEX_REPLACED, "the lock index was deleted"));
      }
    }
  }

  /** On the constructor of {@code GoneQuorum}: the first node decides. */
  public static final class OneNode {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 0, readOnly = false) List<?> nodes) {
      nodes = List.of(nodes.get(0));
    }
  }

  /** On {@code Session.remainingNanos}: an end that was seen is forgotten, and nothing follows. */
  public static final class Unlatch {
    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter() {
      return true;
    }

    @Advice.OnMethodExit
    static void exit(
        @Advice.FieldValue("state") SessionState state,
        @Advice.FieldValue("engine") Engine engine,
        @Advice.Return(readOnly = false) long nanos) {
      nanos =
          state instanceof Holding holding
              ? holding.validity().remainingNanos(engine.clocks.read())
              : 0;
    }
  }

  /** On {@code Holding.acknowledged}: better late than never. */
  public static final class AcceptLate {
    @Advice.OnMethodExit
    static void exit(
        @Advice.Argument(0) Version version,
        @Advice.Argument(1) Validity validity,
        @Advice.Return(readOnly = false) SessionState next) {
      next = new Holding(version, validity, 0);
    }
  }

  /** On {@code Engine.jittered}: no pause at all. */
  public static final class NoPause {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos = 0;
    }
  }
}
