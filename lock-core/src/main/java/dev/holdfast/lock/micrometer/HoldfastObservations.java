package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.CallObserver;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.micrometer.LockObservationContext.Outcome;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Observations of blocking calls for locks, such as for tracing: of the calls that {@link
 * CallObserver} names. Each is of the acquisition and, for a call with a body, of the body and the
 * release. Its scope is open meanwhile, so that what the body does is observed within it.
 *
 * <pre>{@code
 * LockManager locks =
 *     LockManager.builder(store).callObserver(new HoldfastObservations(observationRegistry)).build();
 * }</pre>
 *
 * <p>The event {@code acquired} marks the end of the acquisition. What the call throws is the
 * observation's error. {@link LockObservationConvention} has the names. Thread-safe.
 */
public final class HoldfastObservations implements CallObserver {
  private static final LockObservationConvention DEFAULT = new LockObservationConvention() {};

  private static final Observation.Event ACQUIRED = Observation.Event.of("acquired");

  private final ObservationRegistry registry;
  private final @Nullable LockObservationConvention convention;

  /** Observations with the convention that the registry has, or else the default one. */
  public HoldfastObservations(ObservationRegistry registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.convention = null;
  }

  /** Observations with that convention. */
  public HoldfastObservations(ObservationRegistry registry, LockObservationConvention convention) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.convention = Objects.requireNonNull(convention, "convention");
  }

  @Override
  public Call started(String lockId, LockOptions options) {
    LockObservationContext context = new LockObservationContext(lockId);
    Observation observation =
        Observation.createNotStarted(convention, DEFAULT, () -> context, registry).start();
    Observation.Scope surrounding = registry.getCurrentObservationScope();
    try {
      return new ObservedCall(context, observation, observation.openScope());
    } catch (Throwable e) {
      // A handler failed, perhaps after the scope had become the current one.
      registry.setCurrentObservationScope(surrounding);
      observation.stop();
      throw e;
    }
  }

  private record ObservedCall(
      LockObservationContext context, Observation observation, Observation.Scope scope)
      implements Call {

    @Override
    public void acquired(FencingToken fencingToken) {
      context.acquired(fencingToken);
      observation.event(ACQUIRED);
    }

    @Override
    public void ended(@Nullable Throwable failure) {
      try {
        scope.close();
      } finally {
        context.ended(outcome(failure));
        if (failure != null) {
          observation.error(failure);
        }
        observation.stop();
      }
    }

    private Outcome outcome(@Nullable Throwable failure) {
      if (context.fencingToken().isPresent()) {
        // What the body throws may be about another lock.
        return failure == null
            ? Outcome.COMPLETED
            : isLossOfThis(failure) ? Outcome.LOST : Outcome.FAILED;
      }
      if (failure == null || failure instanceof LockAcquisitionException) {
        return Outcome.CONTENDED;
      }
      return failure instanceof LockStoreUnavailableException
          ? Outcome.UNAVAILABLE
          : Outcome.FAILED;
    }

    private boolean isLossOfThis(Throwable failure) {
      return failure instanceof LeaseLostException loss && loss.lockId().equals(context.lockId());
    }
  }
}
