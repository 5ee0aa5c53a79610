package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.SmallWorld.Beginning;
import dev.holdfast.chaos.sim.SmallWorld.Footprint;
import dev.holdfast.chaos.sim.SmallWorld.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tries all schedules of a small world up to a number of free choices, depth first, by running the
 * real engine from the start for each (stateless model checking, after Godefroid, "Model checking
 * for programming languages using VeriSoft", POPL 1997). After the free choices, the rest happens
 * in order.
 *
 * <p>Schedules that differ only in the order of independent steps are tried once, by sleep sets
 * (Godefroid, "Partial-order methods for the verification of concurrent systems", LNCS 1032, 1996):
 * after a step has been tried in a state, it sleeps beside the other steps of that state, and in
 * what follows them, until a step is taken that depends on it. Sleep sets alone leave out paths,
 * but no state and no order of dependent steps. Which steps are independent is known from what they
 * did when they were tried: a step that sleeps does the same until it wakes. The schedules that are
 * counted differ in the order of dependent steps, every two of them.
 *
 * @param free how many choices of one schedule are free
 * @param faults how many losses, and how many duplicates, there may be in one schedule
 * @param independent which steps may be taken in either order; never, for every sequence
 * @param outcomes takes what has come of each schedule; null if nobody wants to know
 */
record ScheduleSearch(
    Beginning beginning,
    int free,
    int faults,
    Planted planted,
    BiPredicate<Footprint, Footprint> independent,
    @Nullable Consumer<String> outcomes) {

  /** The first so many choices make the parts that are searched in parallel. */
  private static final int SPLIT = 3;

  /**
   * What was tried.
   *
   * @param schedules how many there are, and how many were left when only what sleeps was next
   * @param longest how many steps the longest had, with those after the free choices
   * @param trace of the schedule that failed
   */
  record Explored(
      long schedules,
      long left,
      long longest,
      @Nullable InvariantViolation violation,
      List<String> trace) {}

  /** With the reduction. */
  static ScheduleSearch of(Beginning beginning, int free, int faults, Planted planted) {
    return new ScheduleSearch(beginning, free, faults, planted, Footprint::isIndependentOf, null);
  }

  ScheduleSearch withIndependence(BiPredicate<Footprint, Footprint> other) {
    return new ScheduleSearch(beginning, free, faults, planted, other, outcomes);
  }

  /** Passes on what has come of each schedule, on several threads. */
  ScheduleSearch withOutcomes(Consumer<String> taker) {
    return new ScheduleSearch(beginning, free, faults, planted, independent, taker);
  }

  /** Tries all schedules, on all processors. */
  Explored explore() {
    Counts counts = new Counts();
    List<Subtree> subtrees = new ArrayList<>();
    Optional<Failed> failed =
        new Subtree(List.of(), Map.of()).search(Math.min(SPLIT, free), counts, subtrees);
    if (failed.isEmpty()) {
      failed =
          subtrees.parallelStream()
              .flatMap(subtree -> subtree.search(free, counts, null).stream())
              .findFirst();
    }
    return new Explored(
        counts.schedules.get(),
        counts.left.get(),
        counts.longest.get(),
        failed.map(Failed::violation).orElse(null),
        failed.map(Failed::trace).orElse(List.of()));
  }

  private static final class Counts {
    final AtomicLong schedules = new AtomicLong();
    final AtomicLong left = new AtomicLong();
    final AtomicLong longest = new AtomicLong();
  }

  private record Failed(InvariantViolation violation, List<String> trace) {}

  /** A state on the path that is tried: its steps that do not sleep, and those that do. */
  private final class Node {
    private final List<Step> steps = new ArrayList<>();
    private final Map<Step, Footprint> asleep;
    private int at;
    private @Nullable Footprint footprint;

    Node(List<Step> enabled, Map<Step, Footprint> asleep) {
      this.asleep = new HashMap<>(asleep);
      for (Step step : enabled) {
        if (!asleep.containsKey(step)) {
          steps.add(step);
        }
      }
    }

    boolean hasSteps() {
      return !steps.isEmpty();
    }

    Step step() {
      return steps.get(at);
    }

    void take(SmallWorld world) {
      Footprint taken = world.take(step());
      if (footprint != null && !footprint.equals(taken)) {
        throw new IllegalStateException(step() + " does not do the same again");
      }
      footprint = taken;
    }

    /** Goes on to the next step; the one that was tried sleeps beside it. */
    boolean next() {
      if (footprint != null) {
        asleep.put(step(), footprint);
        footprint = null;
      }
      return ++at < steps.size();
    }

    /** What sleeps after the step that was taken. */
    Map<Step, Footprint> stillAsleep() {
      Footprint taken = Objects.requireNonNull(footprint, "not taken yet");
      Map<Step, Footprint> still = new HashMap<>();
      asleep.forEach(
          (step, sleeping) -> {
            if (independent.test(sleeping, taken)) {
              still.put(step, sleeping);
            }
          });
      return still;
    }
  }

  /** All schedules that begin in one way. */
  private final class Subtree {
    private final List<Step> root;
    private final Map<Step, Footprint> asleepAtRoot;
    private final List<Node> path = new ArrayList<>();

    Subtree(List<Step> root, Map<Step, Footprint> asleepAtRoot) {
      this.root = root;
      this.asleepAtRoot = asleepAtRoot;
    }

    /**
     * Tries them.
     *
     * @param depth how many free choices there are
     * @param subtrees takes what follows those choices; null if that is to happen in order
     */
    Optional<Failed> search(int depth, Counts counts, @Nullable List<Subtree> subtrees) {
      do {
        SmallWorld world = new SmallWorld(beginning, faults, planted, outcomes != null);
        try {
          world.begin();
          root.forEach(world::take);
          path.forEach(node -> node.take(world));
          Map<Step, Footprint> asleep = extend(world, depth);
          if (asleep == null) {
            counts.left.incrementAndGet();
          } else if (subtrees != null) {
            subtrees.add(new Subtree(steps(), asleep));
          } else {
            counts.schedules.incrementAndGet();
            settle(world, counts);
          }
        } catch (InvariantViolation violation) {
          return Optional.of(repeated());
        }
      } while (nextPath());
      return Optional.empty();
    }

    private void settle(SmallWorld world, Counts counts) {
      Consumer<String> taker = outcomes;
      String onItsWay = taker == null ? "" : world.outcome();
      long steps = (long) root.size() + path.size() + world.settle();
      counts.longest.accumulateAndGet(steps, Math::max);
      if (taker != null) {
        taker.accept(onItsWay + " " + world.outcome());
      }
    }

    /**
     * Chooses the rest of the path.
     *
     * @return what sleeps at its end; null if it is to be left, as only that could be next
     */
    private @Nullable Map<Step, Footprint> extend(SmallWorld world, int depth) {
      Map<Step, Footprint> asleep =
          path.isEmpty() ? asleepAtRoot : path.get(path.size() - 1).stillAsleep();
      while (root.size() + path.size() < depth) {
        List<Step> enabled = world.enabled();
        if (enabled.isEmpty()) {
          return asleep;
        }
        Node node = new Node(enabled, asleep);
        if (!node.hasSteps()) {
          return null;
        }
        path.add(node);
        node.take(world);
        asleep = node.stillAsleep();
      }
      return asleep;
    }

    private boolean nextPath() {
      while (!path.isEmpty() && !path.get(path.size() - 1).next()) {
        path.remove(path.size() - 1);
      }
      return !path.isEmpty();
    }

    private List<Step> steps() {
      List<Step> steps = new ArrayList<>(root);
      path.forEach(node -> steps.add(node.step()));
      return steps;
    }

    /** Runs the schedule that failed once more, for its trace. */
    private Failed repeated() {
      SmallWorld world = new SmallWorld(beginning, faults, planted, true);
      try {
        world.begin();
        steps().forEach(world::take);
        int unused = world.settle();
      } catch (InvariantViolation violation) {
        List<String> trace = new ArrayList<>(world.trace());
        trace.add("VIOLATION " + violation.getMessage());
        return new Failed(violation, trace);
      }
      throw new IllegalStateException("it does not fail again: " + steps());
    }
  }
}
