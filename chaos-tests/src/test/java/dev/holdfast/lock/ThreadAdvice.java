package dev.holdfast.lock;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** As {@link EngineAdvice}, for what goes wrong between threads. */
@SuppressWarnings({
  "UnusedVariable", // They are written for the method that the advice is woven into.
  "EmptyCatch"
})
public final class ThreadAdvice {
  private ThreadAdvice() {}

  /** On {@code LeaseHandle.run}: a callback for a loss runs here too. */
  public static final class RunTwice {
    @Advice.OnMethodExit
    static void exit(
        @Advice.Argument(0) Consumer<LeaseLostException> callback,
        @Advice.Argument(1) LeaseLostException loss) {
      try {
        callback.accept(loss);
      } catch (Throwable e) {
        // What it throws is its own.
      }
    }
  }

  /** On {@code AsyncBody.end}: an error is nobody's result. */
  public static final class SwallowErrors {
    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(@Advice.Argument(2) @Nullable Throwable failure) {
      return failure instanceof Error;
    }
  }

  /** On {@code Callbacks.execute}: what a user's executor does not take does not run. */
  public static final class DropIfRejected {
    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(
        @Advice.FieldValue("given") @Nullable Executor given, @Advice.Argument(0) Runnable task) {
      if (given == null) {
        return false;
      }
      try {
        given.execute(task);
      } catch (RejectedExecutionException e) {
        // Dropped.
      }
      return true;
    }
  }

  /** On {@code FutureWaits.await}: an interrupt becomes another exception. */
  public static final class WrapInterrupt {
    @Advice.OnMethodExit(onThrowable = InterruptedException.class)
    static void exit(@Advice.Thrown(readOnly = false) @Nullable Throwable thrown) {
      if (thrown != null) {
        thrown = new IllegalStateException("interrupted", thrown);
      }
    }
  }

  /** On {@code Outcome.noAnswer}: as if another held the lock. */
  public static final class AsContention {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) Outcome outcome) {
      outcome = new Outcome.HeldByOther(null, Duration.ZERO);
    }
  }

  /** On {@code Validity.lengthNanos}. */
  public static final class TwiceAsLong {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) long nanos) {
      nanos *= 2;
    }
  }
}
