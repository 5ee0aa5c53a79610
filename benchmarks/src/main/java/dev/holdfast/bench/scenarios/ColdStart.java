package dev.holdfast.bench.scenarios;

import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.BenchmarkReport;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.cluster.ElasticsearchNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** What a process pays that lives for one lock, such as a cron job. */
@CommandLine.Command(
    name = "cold-start",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    description = {
      "New JVMs that acquire one lock each, one after the other, on a node of its own:",
      "how long from the start of the process to the lease, where that time goes, and",
      "how many classes of which library were loaded for it."
    })
public final class ColdStart implements Callable<Integer> {
  static final String HOLDS = "cold-start holds";
  static final String MARK = "cold-start steps:";

  private static final List<String> STEPS =
      List.of(
          "building the store", "building the manager", "the first acquire", "the next acquire");

  private static final Pattern LOADED =
      Pattern.compile("^\\S*\\[class,load *] (\\S+) source: (.*)");

  /** By the beginning of a class name; the first that fits counts. */
  private static final Map<String, String> LIBRARIES =
      Map.of(
          "dev.holdfast.", "Holdfast",
          "com.fasterxml.", "Jackson",
          "org.apache.hc.", "Apache HttpClient",
          "co.elastic.", "Elasticsearch's Java client");

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--runs",
      defaultValue = "20",
      description = "How many processes to start (default: ${DEFAULT-VALUE}).")
  private int runs;

  @CommandLine.Option(
      names = "--jvm-option",
      description = "An option of their JVM, such as -XX:TieredStopAtLevel=1; repeatable.")
  private List<String> jvmOptions = List.of();

  @Override
  public Integer call() throws Exception {
    if (runs < 1 || runs > 1_000) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--runs must be from 1 to 1,000, but is " + runs);
    }
    System.out.println("Starting an Elasticsearch node...");
    try (ElasticsearchNode node = Server.node().start()) {
      String url = node.httpUri().toString();
      // Makes the index.
      Run first = run(url, jvmOptions);
      System.out.printf(
          "the first process, which makes the index: %.2f s%n", first.toLeaseNanos / 1e9);
      List<Run> all = new ArrayList<>();
      for (int i = 0; i < runs; i++) {
        all.add(run(url, jvmOptions));
      }
      System.out.print(new BenchmarkReport(measurements(all), List.of()).markdown());
      printClasses(url);
    }
    return 0;
  }

  private static List<Measurement> measurements(List<Run> all) {
    String scenario = "a new process";
    List<Measurement> measurements = new ArrayList<>();
    measurements.add(
        Measurement.of(
                scenario,
                "from its start to the first lease",
                Measurement.median(
                    all.stream().mapToDouble(run -> run.toLeaseNanos / 1e6).toArray()),
                "ms, median")
            .atMost(900));
    for (int step = 0; step < STEPS.size(); step++) {
      int number = step;
      measurements.add(
          Measurement.of(
              scenario,
              STEPS.get(step),
              Measurement.median(
                  all.stream().mapToDouble(run -> run.stepNanos.get(number) / 1e6).toArray()),
              "ms, median"));
    }
    return measurements;
  }

  private void printClasses(String url) throws IOException, InterruptedException {
    List<String> options = new ArrayList<>(jvmOptions);
    options.add("-Xlog:class+load:stdout");
    Map<String, Integer> counts = new TreeMap<>();
    for (String line : run(url, options).output.lines().toList()) {
      Matcher matcher = LOADED.matcher(line);
      if (matcher.find()) {
        counts.merge(library(matcher.group(1), matcher.group(2)), 1, Integer::sum);
      }
    }
    System.out.println("\n| classes loaded of | |\n|---|---|");
    counts.forEach((library, count) -> System.out.printf("| %s | %,d |%n", library, count));
  }

  private static String library(String name, String source) {
    return LIBRARIES.entrySet().stream()
        .filter(library -> name.startsWith(library.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(
            source.contains("shared objects file")
                ? "the JDK, from its archive"
                : "the JDK and others");
  }

  /** Of one process: the time until it had its lease, as seen from outside, and its own steps. */
  private record Run(long toLeaseNanos, List<Long> stepNanos, String output) {}

  private static Run run(String url, List<String> options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    // Logging is the application's, and so is the time that it takes to be configured.
    command.add("-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ColdStartWorker.class.getName());
    command.add(url);
    long begin = System.nanoTime();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    long toLease = 0;
    List<Long> steps = null;
    StringBuilder output = new StringBuilder();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.append(line).append('\n');
        if (line.equals(HOLDS)) {
          toLease = System.nanoTime() - begin;
        } else if (line.startsWith(MARK)) {
          steps =
              Pattern.compile(" ")
                  .splitAsStream(line.substring(MARK.length()).strip())
                  .map(Long::valueOf)
                  .toList();
        }
      }
    } finally {
      process.destroy();
    }
    int status = process.waitFor();
    if (steps == null || status != 0) {
      throw new IllegalStateException("a process ended with status " + status + ":\n" + output);
    }
    return new Run(toLease, steps, output.toString());
  }
}
