package dev.holdfast.chaos.threads;

import static net.bytebuddy.matcher.ElementMatchers.named;

import dev.holdfast.lock.EngineAdvice;
import dev.holdfast.lock.ThreadAdvice;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.StubMethod;

/** Libraries and stores that are wrong in one way each, and what must find that. */
enum ThreadFault {
  FENCING_TOKEN_REPEATS(
      "FencingToken",
      EngineAdvice.NoHandOff.class,
      "of",
      Requirement.FENCING,
      Requirement.LINEARIZABLE),

  A_LEASE_FLICKERS(
      "LeaseHandle",
      EngineAdvice.Flicker.class,
      "remaining",
      Requirement.LOSS_IS_FINAL,
      Requirement.NO_STATE_LEFT),

  LOSS_IS_TOLD_TWICE("LeaseHandle", ThreadAdvice.RunTwice.class, "run", Requirement.LOSS_TOLD_ONCE),

  MAX_HOLD_IS_FORGOTTEN(
      "LeaseHandle", EngineAdvice.ForEver.class, "holdNanosLeft", Requirement.MAX_HOLD),

  ERROR_OF_A_BODY_IS_SWALLOWED(
      "AsyncBody",
      ThreadAdvice.SwallowErrors.class,
      "end",
      Requirement.ENDS_IN_TIME,
      Requirement.NO_RECORD_LEFT,
      Requirement.NO_STATE_LEFT),

  REJECTED_CALLBACK_IS_DROPPED(
      "Callbacks", ThreadAdvice.DropIfRejected.class, "execute", Requirement.ENDS_IN_TIME),

  INTERRUPT_IS_WRAPPED(
      "FutureWaits", ThreadAdvice.WrapInterrupt.class, "await", Requirement.NAMED_EXCEPTIONS),

  OUTAGE_IS_REPORTED_AS_CONTENTION(
      "Outcome", ThreadAdvice.AsContention.class, "noAnswer", Requirement.NO_FALSE_CONTENTION),

  INTERRUPT_OF_A_LOSS_STAYS("BodyThread", Requirement.NO_STRAY_INTERRUPT) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "exit");
    }
  },

  INTERRUPT_LEAVES_A_RECORD_BEHIND("Acquisition", Requirement.NO_RECORD_LEFT) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "writtenTooLate");
    }
  },

  QUEUES_ARE_KEPT_FOR_EVER("LockQueue", Requirement.NO_STATE_LEFT) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "disposeIfIdle");
    }
  },

  TIMER_THREAD_STAYS("Timers", Requirement.NO_THREAD_LEFT) {
    @Override
    DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
      return stub(builder, "close");
    }
  },

  BELIEVED_FOR_TWICE_AS_LONG(
      "Validity",
      ThreadAdvice.TwiceAsLong.class,
      "lengthNanos",
      Requirement.ONE_VALID_LEASE,
      Requirement.MUTUAL_EXCLUSION,
      Requirement.LINEARIZABLE),

  /**
   * Replaces whatever record there is: two hold the lock, and that of the lower token may go on.
   */
  UNCONDITIONAL_CREATE(
      "",
      Requirement.ONE_VALID_LEASE,
      Requirement.MUTUAL_EXCLUSION,
      Requirement.LINEARIZABLE,
      Requirement.FENCING,
      Requirement.NO_RECORD_LEFT) {
    @Override
    LockStore store(LockStore way) {
      return new UnconditionalCreates(way);
    }
  };

  private final String part;
  private final Class<?> advice;
  private final String method;

  @SuppressWarnings("ImmutableEnumChecker") // Never changed.
  private final Set<Requirement> caughtBy;

  private final Requirement first;

  ThreadFault(String part, Requirement first, Requirement... others) {
    this(part, Void.class, "", first, others);
  }

  ThreadFault(
      String part, Class<?> advice, String method, Requirement first, Requirement... others) {
    this.part = part;
    this.advice = advice;
    this.method = method;
    this.first = first;
    this.caughtBy = EnumSet.of(first, others);
  }

  /** The requirement that must find it. */
  Requirement mainRequirement() {
    return first;
  }

  /** All requirements that it may break. */
  Set<Requirement> caughtBy() {
    return caughtBy;
  }

  /** Changes one class of the library, or leaves it as it is. */
  DynamicType.Builder<?> weave(String name, DynamicType.Builder<?> builder) {
    return name.equals(part) ? change(builder) : builder;
  }

  DynamicType.Builder<?> change(DynamicType.Builder<?> builder) {
    return builder.visit(Advice.to(advice).on(named(method)));
  }

  /** What a manager uses in the place of its way to the store. */
  LockStore store(LockStore way) {
    return way;
  }

  private static DynamicType.Builder<?> stub(DynamicType.Builder<?> builder, String method) {
    return builder.method(named(method)).intercept(StubMethod.INSTANCE);
  }

  private record UnconditionalCreates(LockStore way) implements LockStore {
    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return way.read(record.lockId())
          .thenCompose(
              read ->
                  read instanceof ReadResult.Found found
                      ? way.replace(record, found.version())
                      : way.create(record));
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return way.replace(record, expected);
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return way.delete(lockId, expected);
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return way.read(lockId);
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      return way.list(limit);
    }

    @Override
    public String description() {
      return way.description();
    }
  }
}
