package dev.holdfast.concurrency;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * Races on real processors, by jcstress, which reorder what the memory model lets them. Each is
 * there twice: with the library as it is, and with a fault in it. jcstress looks for the methods of
 * a test in its own class, and begins a JVM for each.
 */
public final class RaceStress {
  private static boolean ready;

  private RaceStress() {}

  private static Race begin(Subject subject, @Nullable Plant plant) {
    if (!ready) {
      prepare(subject, plant);
    }
    return subject.begin();
  }

  private static synchronized void prepare(Subject subject, @Nullable Plant plant) {
    if (!ready && (plant != null || subject == Subject.TIMER_SLEEP)) {
      Weaver.install(plant);
    }
    ready = true;
  }

  /** What the verdicts mean. */
  @Outcome(id = "broken.*", expect = Expect.FORBIDDEN, desc = "No run may end so.")
  @Outcome(expect = Expect.ACCEPTABLE, desc = "One of the orders in which it may happen.")
  public static final class Verdicts {
    private Verdicts() {}
  }

  /** {@link Subject#SERIAL_EXECUTOR}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class SerialExecutor {
    private final Race race = begin(Subject.SERIAL_EXECUTOR, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#SERIAL_RUNS_TWO_AT_ONCE}. */
  @Planted(Plant.SERIAL_RUNS_TWO_AT_ONCE)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class SerialExecutorRunsTwoAtOnce {
    private final Race race = begin(Subject.SERIAL_EXECUTOR, Plant.SERIAL_RUNS_TWO_AT_ONCE);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#TIMER_SLEEP}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class TimerSleep {
    private final Race race = begin(Subject.TIMER_SLEEP, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#TIMER_HAS_NO_FENCES}. */
  @Planted(Plant.TIMER_HAS_NO_FENCES)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class TimerSleepHasNoFences {
    private final Race race = begin(Subject.TIMER_SLEEP, Plant.TIMER_HAS_NO_FENCES);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#CANCELLABLE_FUTURE}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class CancellableFuture {
    private final Race race = begin(Subject.CANCELLABLE_FUTURE, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#FUTURE_STEP_IS_NOT_VOLATILE}. */
  @Planted(Plant.FUTURE_STEP_IS_NOT_VOLATILE)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class CancellableFutureIsNotVolatile {
    private final Race race = begin(Subject.CANCELLABLE_FUTURE, Plant.FUTURE_STEP_IS_NOT_VOLATILE);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#ABANDON}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class Abandon {
    private final Race race = begin(Subject.ABANDON, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#ABANDONED_IS_NOT_VOLATILE}. */
  @Planted(Plant.ABANDONED_IS_NOT_VOLATILE)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class AbandonIsNotVolatile {
    private final Race race = begin(Subject.ABANDON, Plant.ABANDONED_IS_NOT_VOLATILE);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#GRANT_CANCEL}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class GrantCancel {
    private final Race race = begin(Subject.GRANT_CANCEL, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#GRANT_TO_NOBODY_IS_KEPT}. */
  @Planted(Plant.GRANT_TO_NOBODY_IS_KEPT)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class GrantCancelIsKept {
    private final Race race = begin(Subject.GRANT_CANCEL, Plant.GRANT_TO_NOBODY_IS_KEPT);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#HANDOFF}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class Handoff {
    private final Race race = begin(Subject.HANDOFF, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#RELEASE_IS_NOT_MARKED}. */
  @Planted(Plant.RELEASE_IS_NOT_MARKED)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class HandoffIsNotMarked {
    private final Race race = begin(Subject.HANDOFF, Plant.RELEASE_IS_NOT_MARKED);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#LOSS}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class Loss {
    private final Race race = begin(Subject.LOSS, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#LOSS_IS_NOT_KEPT}. */
  @Planted(Plant.LOSS_IS_NOT_KEPT)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class LossIsNotKept {
    private final Race race = begin(Subject.LOSS, Plant.LOSS_IS_NOT_KEPT);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Subject#HOLD_LIMITS}. */
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class HoldLimits {
    private final Race race = begin(Subject.HOLD_LIMITS, null);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }

  /** {@link Plant#LIMITS_ARE_REPLACED_UNSEEN}. */
  @Planted(Plant.LIMITS_ARE_REPLACED_UNSEEN)
  @JCStressTest
  @JCStressMeta(Verdicts.class)
  @State
  public static class HoldLimitsAreReplacedUnseen {
    private final Race race = begin(Subject.HOLD_LIMITS, Plant.LIMITS_ARE_REPLACED_UNSEEN);

    @Actor
    public void first() {
      race.first();
    }

    @Actor
    public void second() {
      race.second();
    }

    @Arbiter
    public void verdict(L_Result result) {
      result.r1 = race.verdict();
    }
  }
}
