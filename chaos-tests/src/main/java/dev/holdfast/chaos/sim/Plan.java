package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * All that a run is a function of.
 *
 * @param seed of the topology, the workload, and the fate of every message
 * @param faults how often messages and clocks are hit
 * @param schedule what else happens, in any order
 */
record Plan(long seed, Faults faults, List<ScheduledFault> schedule) {
  /** For how long faults come. */
  static final long FAULTY_MILLIS = 40_000;

  private static final Set<FaultKind> MESSAGE_FAULTS =
      EnumSet.of(
          FaultKind.DELAY,
          FaultKind.REQUEST_LOST,
          FaultKind.REPLY_LOST,
          FaultKind.DUPLICATE,
          FaultKind.WRITE_REFUSED);

  /** The plan of a seed. */
  static Plan of(long seed, Faults faults) {
    // A separate source, so that a schedule that is given changes nothing else.
    SplittableRandom random = new SplittableRandom(~seed);
    return new Plan(seed, faults, ScheduledFault.draw(random, faults, FAULTY_MILLIS));
  }

  /**
   * The smallest plan that fails as this one does, as far as leaving out scheduled faults, and then
   * kinds of faults, can make it smaller (delta debugging: Zeller and Hildebrandt, "Simplifying and
   * isolating failure-inducing input", IEEE TSE 28(2), 2002, with halves and complements).
   */
  Plan shrunk(Planted planted) {
    InvariantViolation wanted = SimRun.of(this, planted, false).violation();
    if (wanted == null) {
      return this;
    }
    Plan smallest = this;
    int parts = 2;
    while (!smallest.schedule.isEmpty()) {
      Plan smaller = smallest.withoutOneOf(parts, planted, wanted.invariant());
      if (!smaller.equals(smallest)) {
        smallest = smaller;
        parts = Math.max(parts - 1, 2);
      } else if (parts >= smallest.schedule.size()) {
        break;
      } else {
        parts = Math.min(parts * 2, smallest.schedule.size());
      }
    }
    for (FaultKind kind : FaultKind.values()) {
      Plan smaller = new Plan(seed, smallest.faults.without(kind), smallest.schedule);
      if (smaller.fails(planted, wanted.invariant())) {
        smallest = smaller;
      }
    }
    return smallest;
  }

  private Plan withoutOneOf(int parts, Planted planted, InvariantViolation.Invariant wanted) {
    int size = schedule.size();
    int count = Math.min(parts, size);
    for (int part = 0; part < count; part++) {
      List<ScheduledFault> rest = new ArrayList<>(schedule.subList(0, size * part / count));
      rest.addAll(schedule.subList(size * (part + 1) / count, size));
      Plan smaller = new Plan(seed, faults, rest);
      if (smaller.fails(planted, wanted)) {
        return smaller;
      }
    }
    return this;
  }

  private boolean fails(Planted planted, InvariantViolation.Invariant wanted) {
    InvariantViolation violation = SimRun.of(this, planted, false).violation();
    return violation != null && violation.invariant() == wanted;
  }

  /** Returns whether nodes may lose touch with each other, so that one may be behind. */
  boolean cutsOrStopsNodes() {
    return schedule.stream()
        .anyMatch(
            fault ->
                switch (fault.kind()) {
                  case PARTITION, ONE_WAY, NODE_CUT_OFF, NODE_CRASH, NODE_PAUSE -> true;
                  default -> false;
                });
  }

  /** Returns whether all that is sent arrives and is answered, unless a scheduled fault lasts. */
  boolean answersOtherwise() {
    return !cutsOrStopsNodes() && MESSAGE_FAULTS.stream().allMatch(kind -> faults.rate(kind) == 0);
  }

  /**
   * Returns whether no lease with a long TTL is lost by its end: idle connections die, and nothing
   * else happens that a renewal must overcome.
   */
  boolean renewalsSucceed() {
    return answersOtherwise()
        && schedule.stream()
            .allMatch(
                fault ->
                    fault.kind() == FaultKind.IDLE_DROP || fault.kind() == FaultKind.BODY_LIMIT);
  }

  /**
   * Returns whether processes that run on clean up all that they leave: requests and answers are
   * lost, but nothing arrives after its lease would have ended (as what a coordinator sends again
   * does, when nodes are cut off), and no process crashes or pauses.
   */
  boolean leavesNothing() {
    return schedule.isEmpty()
        && EnumSet.of(
                FaultKind.REQUEST_LOST,
                FaultKind.REPLY_LOST,
                FaultKind.WRITE_REFUSED,
                FaultKind.BUSY)
            .containsAll(faults.rates().keySet());
  }

  /** Returns the command that runs it and prints its event trace. */
  String command() {
    return "java -jar chaos-tests/target/holdfast-sim.jar --trace --seed "
        + seed
        + " --faults "
        + faults.text()
        + " --schedule \""
        + ScheduledFault.text(schedule)
        + "\"";
  }
}
