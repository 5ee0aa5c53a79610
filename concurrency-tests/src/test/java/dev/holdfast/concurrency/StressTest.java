package dev.holdfast.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * Runs {@link RaceStress}: what has no fault never ends as no run may, and each fault does, in as
 * many attempts as it takes.
 */
@Tag(Settings.LONG_TAG)
class StressTest {
  /** Each twice as long as the one before. Nearly all faults show in the first. */
  private static final int MAX_ATTEMPTS = 8;

  private static final int MILLIS = 200;

  @Test
  void races_onRealProcessors_showEveryPlantedFault_andNoOther() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() >= 2, "two threads need two processors");
    Set<String> plants =
        TestList.tests().stream()
            .filter(name -> plant(name) != null)
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> missing = new TreeSet<>(plants);

    Map<String, Map<String, Long>> seen = run(TestList.tests(), 1);
    seen.forEach(
        (name, verdicts) -> {
          Plant plant = plant(name);
          if (plant == null) {
            assertThat(broken(verdicts)).as(name).isEmpty();
          } else if (shows(plant, verdicts)) {
            missing.remove(name);
          }
        });
    assertThat(seen.keySet()).as("tests that ran").isEqualTo(new TreeSet<>(TestList.tests()));
    for (int attempt = 1; !missing.isEmpty() && attempt < MAX_ATTEMPTS; attempt++) {
      run(missing, 1 << attempt)
          .forEach(
              (name, verdicts) -> {
                Plant plant = plant(name);
                if (plant != null && shows(plant, verdicts)) {
                  missing.remove(name);
                }
              });
    }

    assertThat(missing).as("faults that did not show").isEmpty();
  }

  /** Whether it shows, and nothing else is broken. */
  private static boolean shows(Plant plant, Map<String, Long> verdicts) {
    List<String> broken = broken(verdicts);
    assertThat(broken)
        .as("what %s breaks", plant)
        .allMatch(v -> v.matches(".*(" + plant.verdict() + ").*"));
    return !broken.isEmpty();
  }

  private static List<String> broken(Map<String, Long> verdicts) {
    return verdicts.keySet().stream().filter(v -> v.startsWith(Race.BROKEN)).toList();
  }

  private static @Nullable Plant plant(String test) {
    int nested = test.lastIndexOf('.');
    try {
      Planted planted =
          Class.forName(test.substring(0, nested) + "$" + test.substring(nested + 1))
              .getAnnotation(Planted.class);
      return planted == null ? null : planted.value();
    } catch (ClassNotFoundException e) {
      throw new LinkageError("no test " + test, e);
    }
  }

  /** Runs those tests, and returns how often each verdict was seen. */
  private static Map<String, Map<String, Long>> run(Collection<String> tests, int longer)
      throws IOException, InterruptedException {
    Path directory = Settings.DIRECTORY;
    Files.createDirectories(directory);
    Path here = Files.createTempDirectory(directory, "jcstress-");
    Path log = here.resolve("output.txt");
    int exit =
        new ProcessBuilder(command(tests, longer))
            .directory(here.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    // It is 1 where a test has failed, as those with faults are to.
    assertThat(exit).as("exit status, see %s", log).isIn(0, 1);
    Map<String, Map<String, Long>> verdicts = new TreeMap<>();
    for (TestResult result : results(here)) {
      assertThat(result.status()).as("%s, see %s", result.getName(), log).isEqualTo(Status.NORMAL);
      Map<String, Long> counts = verdicts.computeIfAbsent(result.getName(), n -> new TreeMap<>());
      result.getStateKeys().forEach(key -> counts.merge(key, result.getCount(key), Long::sum));
    }
    // The numbers, for documentation and for a failure.
    verdicts.forEach((name, counts) -> System.out.println(name + " " + counts));
    return verdicts;
  }

  private static List<String> command(Collection<String> tests, int longer) {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                "org.openjdk.jcstress.Main",
                "-t",
                tests.stream()
                    .map(name -> name.replace(".", "\\."))
                    .collect(Collectors.joining("|", "^(", ")$")),
                "-r",
                "report",
                // Compiles a test as a whole.
                "-sc",
                "false",
                // Wherever the system puts the two threads.
                "-af",
                "NONE"));
    command.addAll(List.of("-time", String.valueOf(MILLIS * longer), "-iters", "5"));
    // More arguments, such as "-m tough".
    String more = System.getProperty("holdfast.test.jcstress", "");
    command.addAll(Arrays.asList(more.isEmpty() ? new String[0] : more.split(" ", -1)));
    return command;
  }

  private static Collection<TestResult> results(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      Path file =
          files
              .filter(path -> path.getFileName().toString().endsWith(".bin.gz"))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no results in " + directory));
      InProcessCollector collector = new InProcessCollector();
      DiskReadCollector reader = new DiskReadCollector(file.toString(), collector);
      reader.dump();
      reader.close();
      return collector.getTestResults();
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }
}
