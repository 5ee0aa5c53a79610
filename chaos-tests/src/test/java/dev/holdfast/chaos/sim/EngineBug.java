package dev.holdfast.chaos.sim;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.named;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.EngineAdvice;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.StubMethod;

/** Engines that are wrong in one way each. */
enum EngineBug {
  VALIDITY_COUNTED_FROM_THE_ANSWER(
      "Engine",
      SimScenario.ALL,
      EngineAdvice.CountFromNow.class,
      "validity",
      Invariant.BELIEF,
      Invariant.TOKENS_RISE,
      Invariant.HOLD_LIMITS,
      Invariant.RECORD_OF_ANOTHER),
  EXPIRES_AT_IS_NEVER_PUSHED(
      "Engine",
      SimScenario.CALM,
      EngineAdvice.ExpiresAsAtFirst.class,
      "record",
      Invariant.RECORD_OF_ANOTHER),
  NO_DRIFT_MARGIN(
      "Validity",
      SimScenario.DRIFT,
      EngineAdvice.NoDriftMargin.class,
      "remainingNanos",
      Invariant.BELIEF,
      Invariant.RECORD_OF_ANOTHER),
  OBSERVED_FOR_ONES_OWN_TTL(
      "Observations",
      SimScenario.ALL,
      EngineAdvice.OwnTtl.class,
      "ttlNanos",
      Invariant.RECORD_OF_ANOTHER,
      Invariant.HOLD_LIMITS),
  OBSERVED_FOR_HALF_THE_TTL(
      "Observations",
      SimScenario.ALL,
      EngineAdvice.Half.class,
      "ttlNanos",
      Invariant.RECORD_OF_ANOTHER),
  CLEAN_UP_WHILE_THE_SESSION_LIVES(
      "Session",
      SimScenario.CALM,
      EngineAdvice.CleanUpTheLiving.class,
      "start",
      Invariant.MUTUAL_EXCLUSION,
      Invariant.LOSS_TOLD_ONCE,
      Invariant.HOLD_LIMITS,
      Invariant.TOKENS_RISE),
  REQUESTS_HAVE_NO_DEADLINE(
      "Engine",
      SimScenario.LOSSES,
      EngineAdvice.CancelTheDeadline.class,
      "requestDeadline",
      Invariant.RECORDS,
      Invariant.BOUNDS,
      Invariant.LIVENESS),
  LOSS_TOLD_AFTER_RELEASE(
      "LeaseHandle",
      SimScenario.CALM,
      EngineAdvice.TellALoss.class,
      "released",
      Invariant.LOSS_TOLD_ONCE),
  LINGERING_RECORD_IS_DELETED(
      "Session",
      SimScenario.CALM,
      EngineAdvice.DeleteWhatLingers.class,
      "linger",
      Invariant.MUTUAL_EXCLUSION,
      Invariant.TOKENS_RISE,
      Invariant.LOSS_TOLD_ONCE),
  HOLD_AT_LEAST_IS_FORGOTTEN(
      "Session",
      SimScenario.CALM,
      EngineAdvice.NotAtAll.class,
      "nanosToStayUnavailable",
      Invariant.HOLD_LIMITS),
  MAX_HOLD_IS_FORGOTTEN(
      "LeaseHandle",
      SimScenario.CALM,
      EngineAdvice.ForEver.class,
      "holdNanosLeft",
      Invariant.HOLD_LIMITS),
  MAX_HOLD_ENDS_LATE(
      "HoldLimits",
      SimScenario.CALM,
      EngineAdvice.AFifthMore.class,
      "atMostNanosLeft",
      Invariant.HOLD_LIMITS),
  NEW_LIMITS_ARE_IGNORED(
      "LeaseHandle",
      SimScenario.CALM,
      EngineAdvice.KeepTheLimits.class,
      "limitHold",
      Invariant.HOLD_LIMITS,
      Invariant.LOSS_TOLD_ONCE),
  NEW_LIMITS_COUNT_FROM_THE_GRANT(
      "LeaseHandle",
      SimScenario.CALM,
      EngineAdvice.CountFromTheGrant.class,
      "replace",
      Invariant.HOLD_LIMITS,
      Invariant.LOSS_TOLD_ONCE),
  WAITERS_PAUSE_FOR_A_MINUTE_AFTER_AN_OUTAGE(
      "LockQueue",
      SimScenario.OVERLOADED,
      EngineAdvice.PauseForAMinute.class,
      "later",
      Invariant.LIVENESS),
  LARGE_REQUEST_IS_NOT_SPLIT("internal.SizeLimit", SimScenario.PROXIES, Invariant.LIVENESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.method(named("isExceeded")).intercept(FixedValue.value(false));
    }
  },
  ONE_PERMIT_TOO_MANY(
      "Permits", SimScenario.PERMITS, EngineAdvice.OneMore.class, "begin", Invariant.PERMITS),
  LEADS_UNTIL_IT_IS_TOLD(
      "LeaderTerm",
      SimScenario.ELECTION,
      EngineAdvice.UntilItIsTold.class,
      "isLeading",
      Invariant.ONE_LEADER),
  HANDOFF_WITHOUT_A_NEW_TOKEN(
      "FencingToken", SimScenario.CALM, EngineAdvice.NoHandOff.class, "of", Invariant.TOKENS_RISE),
  NUMBERS_RESTART_BEFORE_THE_RENEWAL_IS_ACKNOWLEDGED(
      "Session",
      SimScenario.BRISK,
      EngineAdvice.Restart.class,
      "renewalBegins",
      Invariant.TOKENS_RISE),
  NUMBERS_RESTART_WHEN_THEY_RUN_OUT(
      "Session",
      SimScenario.BRISK,
      EngineAdvice.RestartInTheEnd.class,
      "release",
      Invariant.TOKENS_RISE),
  FENCING_TOKEN_TOO_COARSE(
      "FencingToken",
      SimScenario.CALM,
      EngineAdvice.CoarseToken.class,
      "of",
      Invariant.TOKENS_RISE),
  STALE_READS_ARE_BELIEVED(
      "ObservedRecord",
      SimScenario.NODES,
      EngineAdvice.ForgetWhatIsKnown.class,
      "of",
      Invariant.LOSS_TOLD_ONCE),
  ONE_NODE_SAYS_THE_INDEX_IS_GONE(
      "SessionState$Holding",
      SimScenario.ALL,
      EngineAdvice.BelieveThatTheIndexIsGone.class,
      "seen",
      Invariant.LOSS_TOLD_ONCE),
  BELIEVED_LONGER_THAN_THE_TTL(
      "Validity", SimScenario.CALM, EngineAdvice.TooLong.class, "lengthNanos", Invariant.BELIEF),
  A_LEASE_FLICKERS(
      "LeaseHandle",
      SimScenario.CALM,
      EngineAdvice.Flicker.class,
      "remaining",
      Invariant.LOSS_IS_FINAL),
  TAKEN_OVER_BEFORE_THE_TTL_FROM_A_HOLDER_THAT_GAVE_UP_EARLIER(
      "Observations",
      SimScenario.ALL,
      EngineAdvice.HalfIfHeld.class,
      "ttlNanos",
      Invariant.LINEARIZABLE) {
    @Override
    DynamicType.Builder<?> plant(String part, DynamicType.Builder<?> builder) {
      return part.equals("Validity")
          ? builder.visit(Advice.to(EngineAdvice.TooShort.class).on(named("lengthNanos")))
          : super.plant(part, builder);
    }
  },
  RETRIES_WITHOUT_A_PAUSE("Engine", SimScenario.CALM, Invariant.BOUNDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(
          Advice.to(EngineAdvice.NoPause.class).on(named("jittered").or(named("pollInstant"))));
    }
  },

  RENEWED_AFTER_ITS_END(
      "SessionState$Holding",
      SimScenario.CLIENTS,
      EngineAdvice.AcceptLate.class,
      "acknowledged",
      Invariant.LOSS_TOLD_ONCE) {
    @Override
    DynamicType.Builder<?> plant(String part, DynamicType.Builder<?> builder) {
      return part.equals("Session") ? withoutExpiry(builder) : super.plant(part, builder);
    }
  },

  LOSS_IS_NOT_LATCHED(
      "Session",
      SimScenario.CLIENTS,
      EngineAdvice.Unlatch.class,
      "remainingNanos",
      Invariant.LOSS_IS_FINAL,
      Invariant.LOSS_TOLD_ONCE) {
    @Override
    DynamicType.Builder<?> plant(String part, DynamicType.Builder<?> builder) {
      return part.equals("Session")
          ? withoutExpiry(super.plant(part, builder))
          : part.equals("SessionState$Holding")
              ? RENEWED_AFTER_ITS_END.plant(part, builder)
              : builder;
    }
  },

  A_RENEWED_RECORD_COUNTS_AS_UNCHANGED(
      "store.Version", SimScenario.ALL, Invariant.RECORD_OF_ANOTHER) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.method(named("equals")).intercept(FixedValue.value(true));
    }
  },

  NO_ANSWER_IS_A_FAILURE("Acquisition", SimScenario.LOSSES, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder
          .visit(Advice.to(EngineAdvice.GiveUpAtOnce.class).on(named("written")))
          .visit(Advice.to(EngineAdvice.ForgetWhatIsUncertain.class).on(named("finish")));
    }
  },

  A_BUSY_PROCESS_STARVES_THE_OTHERS("LocalTenure", SimScenario.BUSY, Invariant.FAIRNESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.method(named("isOver")).intercept(FixedValue.value(false));
    }
  },

  A_BUSY_PROCESS_DOES_NOT_PAUSE("LockQueue", SimScenario.BUSY, Invariant.BOUNDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(Advice.to(EngineAdvice.NoDelay.class).on(named("attemptAfter")));
    }
  },

  A_SILENT_REQUEST_HOLDS_UP_THE_NEXT("internal.Batcher", SimScenario.ALL, Invariant.LIVENESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cancelled");
    }
  },

  TWO_ANSWERS_OF_ONE_NODE_END_THE_INDEX(
      "internal.GoneQuorum", SimScenario.ALL, Invariant.LOSS_TOLD_ONCE) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(Advice.to(EngineAdvice.OneNode.class).on(isConstructor()));
    }
  },

  CLEAN_UP_LOOKS_ONCE(
      "OrphanCleanup",
      SimScenario.LOSSES,
      EngineAdvice.SilenceIsClear.class,
      "later",
      Invariant.RECORDS),

  NO_CLEAN_UP("LockQueue", SimScenario.LOSSES, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cleanUp");
    }
  },

  CANCEL_FORGETS_ITS_REQUEST("Acquisition", SimScenario.CALM, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "writtenTooLate");
    }
  },

  WAITERS_NEVER_ASK_AGAIN("LockQueue", SimScenario.CLIENTS, Invariant.LIVENESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "armNextAttempt");
    }
  },

  WAITS_HAVE_NO_END("Acquisition", SimScenario.CALM, Invariant.LIVENESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "armDeadline");
    }
  },

  LOSS_IS_NOT_TOLD("LeaseHandle", SimScenario.CLIENTS, Invariant.LOSS_TOLD_ONCE) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "onLost");
    }
  },

  UNCONFIRMED_RELEASE_IS_NOT_CLEANED_UP("Session", SimScenario.LOSSES, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cleanUp");
    }
  },

  LATE_WRITE_OF_A_RELEASED_SESSION_IS_FORGOTTEN("Session", SimScenario.LOSSES, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "releaseOverdue");
    }
  },

  LEADER_IS_NOT_TOLD_OF_ITS_END("LeaderTerm", SimScenario.ELECTION, Invariant.LIVENESS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "revoke");
    }
  },

  LOSS_IS_NOT_SETTLED(
      "Session", SimScenario.CLIENTS, Invariant.LIVENESS, Invariant.LOSS_TOLD_ONCE) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "settleLost");
    }
  },

  TIMERS_ARE_NOT_CANCELLED("Session", SimScenario.CALM, Invariant.BOUNDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cancelTimer");
    }
  },

  RELEASE_IS_NOT_SENT("Release", SimScenario.CALM, Invariant.LIVENESS, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "sendDelete");
    }
  },

  LINGERING_SESSIONS_ARE_KEPT("LingeringSessions", SimScenario.CALM, Invariant.BOUNDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "remove");
    }
  },

  ABANDONED_TOKENS_ARE_NOT_TRACKED(
      "OrphanCleanup", SimScenario.LOSSES, Invariant.BOUNDS, Invariant.RECORDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "add");
    }
  },

  UNHELD_FOR_HALF_AS_LONG(
      "Session",
      SimScenario.CALM,
      EngineAdvice.Half.class,
      "nanosToStayUnavailable",
      Invariant.HOLD_LIMITS),

  QUEUES_ARE_KEPT_FOR_EVER("LockQueue", SimScenario.CALM, Invariant.BOUNDS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "disposeIfIdle");
    }
  };

  @SuppressWarnings("ImmutableEnumChecker") // Never changed.
  private final Set<Invariant> caughtBy;

  private final String part;
  private final SimScenario scenario;
  private final Class<?> advice;
  private final String method;

  EngineBug(String part, SimScenario scenario, Invariant first, Invariant... others) {
    this(part, scenario, Void.class, "", first, others);
  }

  EngineBug(
      String part,
      SimScenario scenario,
      Class<?> advice,
      String method,
      Invariant first,
      Invariant... others) {
    this.caughtBy = EnumSet.of(first, others);
    this.part = part;
    this.scenario = scenario;
    this.advice = advice;
    this.method = method;
  }

  /** Returns the invariants that it breaks; one that another catches first is not understood. */
  Set<Invariant> caughtBy() {
    return caughtBy;
  }

  /** Under which faults it shows. */
  SimScenario scenario() {
    return scenario;
  }

  /** Changes one class of the library, or leaves it as it is. */
  DynamicType.Builder<?> plant(String name, DynamicType.Builder<?> builder) {
    return name.equals(part) ? change(builder) : builder;
  }

  DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
    return builder.visit(Advice.to(advice).on(named(method)));
  }

  /** The session does not end by itself, and looks at the clocks no more often for that. */
  private static DynamicType.Builder<?> withoutExpiry(DynamicType.Builder<?> builder) {
    return stub(builder, "expireIfOver")
        .visit(Advice.to(EngineAdvice.NotTooOften.class).on(named("nanosToNextLook")));
  }

  /** The method does nothing. */
  private static DynamicType.Builder<?> stub(DynamicType.Builder<?> builder, String method) {
    return builder.method(named(method)).intercept(StubMethod.INSTANCE);
  }

  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
