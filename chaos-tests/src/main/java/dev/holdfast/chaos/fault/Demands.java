package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import java.time.Duration;
import java.util.Optional;

/** What a scenario may demand of a fault, so that it is the fault it is meant to be. Stateless. */
public final class Demands {

  /** What was on its way when a fault began is answered by then, or not before it is overcome. */
  private static final Duration ON_THE_WAY = Duration.ofSeconds(2);

  private Demands() {}

  /**
   * It is done only to a cluster that is whole. One more node that is lost while another starts is
   * the loss of the majority, another fault.
   */
  public static Disruption onceWhole(Disruption fault) {
    return new Forwarding(fault) {
      @Override
      public Optional<Injection> aim(Stage stage) throws Exception {
        return stage.isWhole() ? super.aim(stage) : Optional.empty();
      }
    };
  }

  /**
   * It is done only to a cluster that is whole, and goes on until locks are granted in spite of it.
   * Where nobody can grant anything before it is over, nobody can grant what another holds.
   */
  public static Disruption untilOvercome(Disruption fault) {
    return new Forwarding(onceWhole(fault)) {
      @Override
      public Optional<Injection> aim(Stage stage) throws Exception {
        return super.aim(stage).map(injection -> new Overcome(stage, injection));
      }
    };
  }

  private static class Forwarding implements Disruption {
    private final Disruption fault;

    Forwarding(Disruption fault) {
      this.fault = fault;
    }

    @Override
    public String name() {
      return fault.name();
    }

    @Override
    public Optional<Injection> aim(Stage stage) throws Exception {
      return fault.aim(stage);
    }

    @Override
    public Duration patience() {
      return fault.patience();
    }

    @Override
    public Optional<String> missing(Arena arena) {
      return fault.missing(arena);
    }
  }

  private static final class Overcome implements Disruption.Injection {
    private final Stage stage;
    private final Disruption.Injection injection;
    private long begunNanos;

    Overcome(Stage stage, Disruption.Injection injection) {
      this.stage = stage;
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
      stage.awaitEffect(
          () -> stage.isGrantedSince(begunNanos + ON_THE_WAY.toNanos()),
          "no lock was granted in spite of it");
      injection.end();
    }
  }
}
