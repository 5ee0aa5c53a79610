package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each bug that is planted is caught, and the table of how. */
@Tag("slow")
class PlantedBugsTest {
  private static final long MAX_SEEDS = 2_000;

  /** The first so many violations are looked at, so that a bug is not caught by chance. */
  private static final int CATCHES = 3;

  /** How many seeds the other protocols, and the library beside them, are run with. */
  private static final long COMPARED = Long.getLong("holdfast.test.protocol-seeds", 500);

  /** Which bugs are planted: those with this in their name, all by default. */
  private static final String ONLY = System.getProperty("holdfast.test.planted", "");

  private static final Path REPORTS = Path.of(System.getProperty("holdfast.test.store", "target"));

  /**
   * A bug, and what caught it.
   *
   * @param expected by which invariants it should be caught
   * @param caught by which it was, at most {@value #CATCHES} times
   * @param seeds how many were needed for the first
   */
  private record Row(
      String name, String scenario, Set<Invariant> expected, List<Invariant> caught, long seeds) {

    String text() {
      return String.format(
          Locale.ROOT,
          "| %s | %s | %s | %s |",
          name,
          scenario,
          caught.isEmpty()
              ? "NOT CAUGHT"
              : caught.stream()
                  .distinct()
                  .map(each -> each.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                  .collect(Collectors.joining(", ")),
          caught.isEmpty() ? "-" : Long.toString(seeds));
    }
  }

  @Test
  void everyBug_isCaughtWithinTheSeeds_byTheInvariantsThatItNames() throws IOException {
    List<Row> rows =
        Stream.concat(
                Arrays.stream(PlantedBug.values())
                    .filter(bug -> isChosen(bug.text()))
                    .parallel()
                    .map(PlantedBugsTest::hunt),
                Arrays.stream(EngineBug.values())
                    .filter(bug -> isChosen(bug.text()))
                    .parallel()
                    .map(PlantedBugsTest::hunt))
            .sorted(Comparator.comparing(Row::name))
            .toList();

    StringBuilder table = new StringBuilder();
    table.append("| planted bug | faults | caught by | seeds needed |\n|---|---|---|---|\n");
    rows.forEach(row -> table.append(row.text()).append('\n'));
    if (ONLY.isEmpty()) {
      table.append('\n').append(protocols());
    }
    Files.writeString(Files.createDirectories(REPORTS).resolve("planted-bugs.md"), table);
    System.out.println(table);

    SoftAssertions.assertSoftly(
        softly ->
            rows.forEach(
                row ->
                    softly
                        .assertThat(row.caught)
                        .as(row.name)
                        .isNotEmpty()
                        .isSubsetOf(row.expected)));
  }

  @Test
  void everyInvariant_hasABugThatOnlyItCatches() {
    Set<Set<Invariant>> expected =
        Stream.concat(
                Arrays.stream(PlantedBug.values()).map(PlantedBug::caughtBy),
                Arrays.stream(EngineBug.values()).map(EngineBug::caughtBy))
            .collect(Collectors.toSet());
    assertThat(Invariant.values())
        .allSatisfy(invariant -> assertThat(expected).contains(Set.of(invariant)));
  }

  private static boolean isChosen(String name) {
    return Arrays.stream(ONLY.split(",", -1)).anyMatch(name::contains);
  }

  private static Row hunt(PlantedBug bug) {
    return hunt(
        bug.text(),
        bug.scenario(),
        bug.caughtBy(),
        seed -> message(SimRun.of(seed, bug.scenario().faults(), bug, false).violation()));
  }

  private static Row hunt(EngineBug bug) {
    BuggyLibrary library = new BuggyLibrary(bug);
    return hunt(
        bug.text(), bug.scenario(), bug.caughtBy(), seed -> library.run(seed, bug.scenario()));
  }

  private static Row hunt(
      String name,
      SimScenario scenario,
      Set<Invariant> expected,
      LongFunction<@Nullable String> violationOf) {
    List<Invariant> caught = new ArrayList<>();
    long first = 0;
    for (long seed = 1; seed <= MAX_SEEDS && caught.size() < CATCHES; seed++) {
      String violation = violationOf.apply(seed);
      if (violation != null) {
        caught.add(Invariant.valueOf(violation.substring(0, violation.indexOf(':'))));
        first = first == 0 ? seed : first;
      }
    }
    return new Row(name, scenario.text(), expected, caught, first);
  }

  private static @Nullable String message(@Nullable InvariantViolation violation) {
    return violation == null ? null : violation.getMessage();
  }

  /**
   * Counts the runs in which two clients held a lock at once, for each protocol on the same faults.
   * Other protocols are judged by mutual exclusion alone, the library by every invariant.
   */
  private static String protocols() {
    StringBuilder table = new StringBuilder();
    table.append(
        String.format(
            Locale.ROOT,
            "| protocol | runs in which two held the lock, of %,d |%n|---|---|%n",
            COMPARED));
    table.append(row("holdfast", Planted.NOTHING));
    for (OtherProtocol other : OtherProtocol.values()) {
      table.append(row(other.text(), other));
    }
    return table.toString();
  }

  private static String row(String name, Planted protocol) {
    long bad =
        LongStream.rangeClosed(1, COMPARED)
            .parallel()
            .filter(
                seed ->
                    SimRun.of(seed, SimScenario.ALL.faults(), protocol, false).violation() != null)
            .count();
    if (protocol == Planted.NOTHING) {
      assertThat(bad).as(name).isZero();
    } else {
      assertThat(bad).as(name).isPositive();
    }
    return String.format(Locale.ROOT, "| %s | %,d |%n", name, bad);
  }
}
