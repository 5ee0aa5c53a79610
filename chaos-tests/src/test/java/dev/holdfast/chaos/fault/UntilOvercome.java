package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import java.time.Duration;
import java.util.Optional;

/**
 * A fault of a node that is done only to a cluster that is whole, and goes on until locks are
 * granted in spite of it. Where nobody can grant anything before it is over, nobody can grant what
 * another holds.
 */
public final class UntilOvercome implements Fault {

  /**
   * The time by which requests that were under way when a fault began are answered, or not before
   * it is overcome.
   */
  private static final Duration ON_THE_WAY = Duration.ofSeconds(2);

  private final Fault fault;

  /** Makes it of that fault. */
  public UntilOvercome(Fault fault) {
    this.fault = fault;
  }

  @Override
  public String name() {
    return fault.name();
  }

  @Override
  public Optional<Injection> aim(FaultContext context) throws Exception {
    return context.isWhole()
        ? fault.aim(context).map(injection -> new Patient(context, injection))
        : Optional.empty();
  }

  @Override
  public Optional<String> missing(Arena arena) {
    return fault.missing(arena);
  }

  private final class Patient implements Injection {
    private final FaultContext context;
    private final Injection injection;
    private long begunNanos;
    private boolean waited;

    Patient(FaultContext context, Injection injection) {
      this.context = context;
      this.injection = injection;
    }

    @Override
    public String target() {
      return injection.target();
    }

    @Override
    public void begin() throws Exception {
      injection.begin();
      begunNanos = System.nanoTime();
    }

    @Override
    public void end() throws Exception {
      if (!waited) { // the clean-up after a failure does not wait again
        waited = true;
        context.awaitEffect(
            () -> context.isGrantedSince(begunNanos + ON_THE_WAY.toNanos()),
            "no lock was granted in spite of %s (%s)".formatted(name(), target()));
      }
      injection.end();
    }
  }
}
