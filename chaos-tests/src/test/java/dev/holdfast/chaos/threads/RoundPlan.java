package dev.holdfast.chaos.threads;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What one round does, as a function of its seed: the kinds of its parts, and the fate of each
 * request by its number. Which thread is first is up to the machine, so a seed repeats a round only
 * in kind.
 *
 * @param faults what happens to requests
 * @param ttl of most calls
 * @param processes the managers on the one store
 * @param callers where each caller runs
 * @param length for how long calls are made
 */
record RoundPlan(
    long seed,
    FaultLevel faults,
    Duration ttl,
    List<ProcessPlan> processes,
    List<CallerHost> callers,
    Duration length) {

  /** Few, so that callers meet. */
  static final int LOCKS = 3;

  private static final int PROCESSES = 3;
  private static final int CALLERS = 9;
  private static final List<FaultLevel> LEVELS =
      List.of(FaultLevel.SEVERED, FaultLevel.LATE, FaultLevel.LOSSY, FaultLevel.CALM);

  private static final List<CallbackKind> CALLBACKS = List.of(CallbackKind.values());
  private static final List<TimerKind> TIMERS = List.of(TimerKind.values());
  private static final List<CallerHost> HOSTS = List.of(CallerHost.values());

  /** From the shortest that the options allow: losses are frequent then. */
  private static final int[] TTL_MILLIS = {100, 150, 250, 400};

  /**
   * One manager.
   *
   * @param callbacks its callback executor
   * @param timers its scheduler
   * @param skewMillis its clock skew: the smaller, the sooner a record is taken over
   * @param calendar whether it trusts dates
   */
  record ProcessPlan(CallbackKind callbacks, TimerKind timers, long skewMillis, boolean calendar) {}

  static RoundPlan of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<ProcessPlan> processes = new ArrayList<>();
    for (int i = 0; i < PROCESSES; i++) {
      // One after the other, so that a few rounds have them all.
      int number = Math.floorMod(seed * PROCESSES + i, CALLBACKS.size());
      processes.add(
          new ProcessPlan(
              CALLBACKS.get(number),
              TIMERS.get(random.nextInt(TIMERS.size())),
              random.nextBoolean() ? 0 : 20,
              random.nextInt(4) > 0));
    }
    List<CallerHost> callers = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      callers.add(HOSTS.get(i % HOSTS.size()));
    }
    return new RoundPlan(
        seed,
        LEVELS.get(Math.floorMod(seed, LEVELS.size())),
        Duration.ofMillis(TTL_MILLIS[random.nextInt(TTL_MILLIS.length)]),
        List.copyOf(processes),
        List.copyOf(callers),
        Duration.ofMillis(1_500 + random.nextInt(1_000)));
  }
}
