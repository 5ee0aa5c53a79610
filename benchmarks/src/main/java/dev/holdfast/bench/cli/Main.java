package dev.holdfast.bench.cli;

import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.bench.scenarios.ColdStart;
import dev.holdfast.bench.scenarios.FreshIds;
import dev.holdfast.bench.scenarios.HeldLeases;
import dev.holdfast.bench.scenarios.InterleavedOwnLocks;
import dev.holdfast.bench.scenarios.Paired;
import dev.holdfast.bench.ttl.TtlCommand;
import dev.holdfast.cluster.ElasticsearchNode;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.WarmupMode;
import picocli.CommandLine;

/** {@code java -jar benchmarks.jar}. */
@CommandLine.Command(
    name = "benchmarks",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {ExitStatus.OK, ExitStatus.USAGE, ExitStatus.UNAVAILABLE_TEXT},
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE,
    subcommands = {
      Compare.class,
      Paired.class,
      InterleavedOwnLocks.class,
      HeldLeases.class,
      FreshIds.class,
      ColdStart.class,
      TtlCommand.class,
      CommandLine.HelpCommand.class
    },
    description = {
      "Measures Holdfast against a real Elasticsearch node, which it starts and stops itself.",
      "Prints JMH's report, writes it to a file, and sets Holdfast against the raw requests."
    })
public final class Main implements Callable<Integer> {
  private static final double MEDIAN = 50;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--url",
      paramLabel = "URL",
      description = "Measure this cluster instead of a node of our own.")
  private @Nullable String url;

  @CommandLine.Option(
      names = "--result",
      paramLabel = "FILE",
      defaultValue = "jmh-result.json",
      description = "Where JMH's results go, as JSON (default: ${DEFAULT-VALUE}).")
  private String result = "jmh-result.json";

  @CommandLine.Parameters(
      paramLabel = "JMH_OPTION",
      description = "Passed to JMH, after --: such as -l to list, -h for its help, -f 1 -i 3.")
  private List<String> jmhOptions = List.of();

  /** Runs, and exits with the command's status. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main());
  }

  @Override
  public Integer call() throws Exception {
    String[] options = jmhOptions.toArray(String[]::new);
    CommandLineOptions parsed = parse(options);
    if (parsed.shouldHelp() || parsed.shouldList() || parsed.shouldListWithParams()) {
      org.openjdk.jmh.Main.main(options);
      return 0;
    }
    if (url != null) {
      run(parsed, url);
    } else {
      System.out.println("Starting an Elasticsearch node...");
      try (ElasticsearchNode node = Server.node().start()) {
        run(parsed, node.httpUri().toString());
      }
    }
    return 0;
  }

  private CommandLineOptions parse(String[] options) {
    try {
      return new CommandLineOptions(options);
    } catch (CommandLineOptionException e) {
      throw new CommandLine.ParameterException(
          Objects.requireNonNull(spec).commandLine(), "JMH: " + e.getMessage(), e);
    }
  }

  private void run(CommandLineOptions parsed, String cluster) throws Exception {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .parent(parsed)
            .jvmArgsAppend("-D" + Server.URL_PROPERTY + "=" + cluster)
            .shouldFailOnError(true);
    if (!parsed.getWarmupMode().hasValue()) {
      // All benchmarks warm the server up before each: the first would pay for the others.
      options.warmupMode(WarmupMode.BULK);
    }
    if (!parsed.getParameter("peer").hasValue()) {
      // The peers' servers are started by "compare" alone.
      options.param("peer", "holdfast");
    }
    if (!parsed.getResult().hasValue()) {
      options.resultFormat(ResultFormatType.JSON).result(result);
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    printRatio(results);
  }

  private static void printRatio(Collection<RunResult> results) {
    double holdfast = median(results, "acquireAndRelease");
    double raw = median(results, "rawCreateAndDelete");
    if (holdfast > 0 && raw > 0) {
      System.out.printf(
          Locale.ROOT,
          "%nUncontended acquire+release, p50: %.0f us; raw create+delete: %.0f us; ratio %.2f%n",
          holdfast,
          raw,
          holdfast / raw);
    }
  }

  /** In microseconds; 0 if the benchmark was not run. */
  private static double median(Collection<RunResult> results, String benchmark) {
    return results.stream()
        .filter(run -> run.getParams().getBenchmark().endsWith("." + benchmark))
        .mapToDouble(run -> run.getPrimaryResult().getStatistics().getPercentile(MEDIAN))
        .findFirst()
        .orElse(0);
  }
}
