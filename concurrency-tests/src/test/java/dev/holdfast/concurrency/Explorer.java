package dev.holdfast.concurrency;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.util.Objects;
import java.util.Set;
import org.jetbrains.lincheck.Lincheck;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jspecify.annotations.Nullable;

/** Runs races under Lincheck's model checker: in another order of their steps each time. */
final class Explorer {
  /** In how many orders at most; a race may have fewer. */
  static final int ORDERS = Settings.LONG ? 5_000 : 50;

  private static final String LOCK = "dev.holdfast.lock.";

  /** What several threads never change: no order of steps in it matters. */
  private static final Set<String> UNCHANGED =
      Set.of(
          "ClockReading",
          "Clocks",
          "FencingToken",
          "LockInfo",
          "LockOptions",
          "Metadata",
          "ObservedRecord",
          "SessionState",
          "Times",
          "Validity",
          "store.Incarnation",
          "store.LockRecord",
          "store.Version");

  /** What is synchronized as a whole, and has tests of its own. */
  private static final Set<String> SYNCHRONIZED =
      Set.of("Observations", "memory.InMemoryLockStore");

  private static @Nullable Subject subject;

  private Explorer() {}

  static Subject subject() {
    return Objects.requireNonNull(subject);
  }

  /**
   * Explores a race.
   *
   * @throws AssertionError with the steps, if the verdict of one run is {@link Race#BROKEN}, or a
   *     run hangs
   */
  static void explore(Subject race, int orders) {
    subject = race;
    if (race == Subject.TIMER_THREAD) {
      // Has a thread of its own.
      Lincheck.runConcurrentTest(orders, () -> run(race.begin()));
      return;
    }
    options()
        .threads(2)
        .actorsPerThread(1)
        .actorsBefore(0)
        .actorsAfter(0)
        .iterations(1)
        .invocationsPerIteration(orders)
        .minimizeFailedScenario(false)
        .check(RaceOperations.class);
  }

  /** What all explorations of the library have in common. */
  static ModelCheckingOptions options() {
    return new ModelCheckingOptions()
        .addGuarantee(forClasses(name -> isOf(UNCHANGED, name)).allMethods().ignore())
        .addGuarantee(forClasses(name -> name.startsWith("org.slf4j.")).allMethods().ignore())
        .addGuarantee(forClasses(name -> isOf(SYNCHRONIZED, name)).allMethods().treatAsAtomic());
  }

  private static boolean isOf(Set<String> classes, String name) {
    int nested = name.indexOf('$');
    String outer = nested < 0 ? name : name.substring(0, nested);
    return outer.startsWith(LOCK) && classes.contains(outer.substring(LOCK.length()));
  }

  private static void run(Race race) {
    Thread first = new Thread(race::first);
    Thread second = new Thread(race::second);
    first.start();
    second.start();
    try {
      first.join();
      second.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    String verdict = race.verdict();
    if (verdict.startsWith(Race.BROKEN)) {
      throw new AssertionError(verdict);
    }
  }
}
