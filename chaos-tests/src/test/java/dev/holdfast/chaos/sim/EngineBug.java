package dev.holdfast.chaos.sim;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.named;

import dev.holdfast.lock.EngineAdvice;
import java.util.Locale;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.StubMethod;

/** Engines that are wrong in one way each. */
enum EngineBug {
  VALIDITY_COUNTED_FROM_THE_ANSWER(
      "Engine", SimScenario.ALL, EngineAdvice.CountFromNow.class, "validity"),
  EXPIRES_AT_IS_NEVER_PUSHED(
      "Engine", SimScenario.CALM, EngineAdvice.ExpiresAsAtFirst.class, "record"),
  NO_DRIFT_MARGIN(
      "Validity", SimScenario.DRIFT, EngineAdvice.NoDriftMargin.class, "remainingNanos"),
  OBSERVED_FOR_HALF_THE_TTL("Observations", SimScenario.ALL, EngineAdvice.Half.class, "ttlNanos"),
  CLEAN_UP_WHILE_THE_SESSION_LIVES(
      "Session", SimScenario.CALM, EngineAdvice.CleanUpTheLiving.class, "start"),
  REQUESTS_HAVE_NO_DEADLINE(
      "Engine", SimScenario.LOSSES, EngineAdvice.CancelTheDeadline.class, "requestDeadline"),
  LOSS_TOLD_AFTER_RELEASE(
      "LeaseHandle", SimScenario.CALM, EngineAdvice.TellALoss.class, "released"),
  LINGERING_RECORD_IS_DELETED(
      "Session", SimScenario.CALM, EngineAdvice.DeleteWhatLingers.class, "linger"),
  HOLD_AT_LEAST_IS_FORGOTTEN(
      "Session", SimScenario.CALM, EngineAdvice.NotAtAll.class, "nanosToStayUnavailable"),
  MAX_HOLD_IS_FORGOTTEN(
      "LeaseHandle", SimScenario.CALM, EngineAdvice.ForEver.class, "holdNanosLeft"),
  ONE_PERMIT_TOO_MANY("Permits", SimScenario.PERMITS, EngineAdvice.OneMore.class, "begin"),
  LEADS_UNTIL_IT_IS_TOLD(
      "LeaderTerm", SimScenario.ELECTION, EngineAdvice.UntilItIsTold.class, "isLeading"),
  HAND_OVER_WITHOUT_A_NEW_TOKEN(
      "FencingToken", SimScenario.CALM, EngineAdvice.NoHandOff.class, "of"),
  NUMBERS_BEGIN_ANEW_BEFORE_THE_RENEWAL_IS_ACKNOWLEDGED(
      "Session", SimScenario.BRISK, EngineAdvice.NumberAnew.class, "renewalBegins"),
  NUMBERS_BEGIN_ANEW_WHEN_THEY_RUN_OUT(
      "Session", SimScenario.BRISK, EngineAdvice.NumberAnewInTheEnd.class, "release"),
  FENCING_TOKEN_TOO_COARSE("FencingToken", SimScenario.CALM, EngineAdvice.CoarseToken.class, "of"),
  STALE_READS_ARE_BELIEVED(
      "ObservedRecord", SimScenario.NODES, EngineAdvice.ForgetWhatIsKnown.class, "of"),
  ONE_NODE_SAYS_THE_INDEX_IS_GONE(
      "SessionState$Holding",
      SimScenario.ALL,
      EngineAdvice.BelieveThatTheIndexIsGone.class,
      "seen"),
  RETRIES_WITHOUT_A_PAUSE("Engine", SimScenario.CALM) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(
          Advice.to(EngineAdvice.NoPause.class).on(named("jittered").or(named("pollInstant"))));
    }
  },

  RENEWED_AFTER_ITS_END(
      "SessionState$Holding", SimScenario.CLIENTS, EngineAdvice.AcceptLate.class, "acknowledged") {
    @Override
    DynamicType.Builder<?> plant(String part, DynamicType.Builder<?> builder) {
      return part.equals("Session") ? stub(builder, "expireIfOver") : super.plant(part, builder);
    }
  },

  LOSS_IS_NOT_LATCHED(
      "Session", SimScenario.CLIENTS, EngineAdvice.Unlatch.class, "remainingNanos") {
    @Override
    DynamicType.Builder<?> plant(String part, DynamicType.Builder<?> builder) {
      return part.equals("Session")
          ? stub(super.plant(part, builder), "expireIfOver")
          : part.equals("SessionState$Holding")
              ? RENEWED_AFTER_ITS_END.plant(part, builder)
              : builder;
    }
  },

  A_RENEWED_RECORD_COUNTS_AS_UNCHANGED("store.Version", SimScenario.ALL) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.method(named("equals")).intercept(FixedValue.value(true));
    }
  },

  NO_ANSWER_IS_A_FAILURE("Acquisition", SimScenario.LOSSES) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder
          .visit(Advice.to(EngineAdvice.GiveUpAtOnce.class).on(named("written")))
          .visit(Advice.to(EngineAdvice.ForgetWhatIsUncertain.class).on(named("finish")));
    }
  },

  A_BUSY_PROCESS_STARVES_THE_OTHERS("LocalTenure", SimScenario.BUSY) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.method(named("isOver")).intercept(FixedValue.value(false));
    }
  },

  A_BUSY_PROCESS_DOES_NOT_REST("LockQueue", SimScenario.BUSY) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(Advice.to(EngineAdvice.NoDelay.class).on(named("attemptAfter")));
    }
  },

  A_SILENT_REQUEST_HOLDS_UP_THE_NEXT("internal.Batcher", SimScenario.ALL) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cancelled");
    }
  },

  TWO_ANSWERS_OF_ONE_NODE_END_THE_INDEX("internal.GoneQuorum", SimScenario.ALL) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return builder.visit(Advice.to(EngineAdvice.OneNode.class).on(isConstructor()));
    }
  },

  CLEAN_UP_LOOKS_ONCE(
      "OrphanCleanup", SimScenario.LOSSES, EngineAdvice.SilenceIsClear.class, "later"),

  NO_CLEAN_UP("LockQueue", SimScenario.LOSSES) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "cleanUp");
    }
  },

  CANCEL_FORGETS_ITS_REQUEST("Acquisition", SimScenario.CALM) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "writtenTooLate");
    }
  },

  WAITERS_NEVER_ASK_AGAIN("LockQueue", SimScenario.CLIENTS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "armNextAttempt");
    }
  },

  WAITS_HAVE_NO_END("Acquisition", SimScenario.CALM) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "armDeadline");
    }
  },

  LOSS_IS_NOT_TOLD("LeaseHandle", SimScenario.CLIENTS) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "onLost");
    }
  },

  QUEUES_ARE_KEPT_FOR_EVER("LockQueue", SimScenario.CALM) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "disposeIfIdle");
    }
  };

  private final String part;
  private final SimScenario scenario;
  private final Class<?> advice;
  private final String method;

  EngineBug(String part, SimScenario scenario) {
    this(part, scenario, Void.class, "");
  }

  EngineBug(String part, SimScenario scenario, Class<?> advice, String method) {
    this.part = part;
    this.scenario = scenario;
    this.advice = advice;
    this.method = method;
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

  /** The method does nothing. */
  private static DynamicType.Builder<?> stub(DynamicType.Builder<?> builder, String method) {
    return builder.method(named(method)).intercept(StubMethod.INSTANCE);
  }

  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
