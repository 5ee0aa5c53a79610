package dev.holdfast.bench.ttl;

import dev.holdfast.bench.report.ExitStatus;
import dev.holdfast.bench.report.JarVersion;
import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code benchmarks.jar ttl}: measures, and says which TTL is safe. */
@CommandLine.Command(
    name = "ttl",
    mixinStandardHelpOptions = true,
    description = {
      "Measures how long renewals take on your cluster, and derives the smallest TTL at which",
      "leases are not lost by mistake more often than you want.",
      "",
      "Renews leases at a fixed rate in an index of its own (holdfast-locks-ttl-*), which it",
      "deletes at the end. It needs the privileges of a process that makes the lock index, for",
      "the clocks also monitor, and to delete the index delete_index."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:a TTL is advised",
      "1:measured, but no TTL up to an hour is safe, or none can be derived",
      "2:an option is invalid",
      "3:something could not be measured"
    },
    versionProvider = JarVersion.class,
    sortOptions = false,
    exitCodeOnExecutionException = ExitStatus.UNAVAILABLE)
public final class TtlCommand implements Callable<Integer> {
  private static final int NO_ADVICE = 1;
  private static final String LOG_LEVEL = "holdfast.log.level";
  private static final Duration MIN_DURATION = Duration.ofSeconds(1);
  private static final Duration MAX_DURATION = Duration.ofHours(24);
  private static final long MAX_SAMPLES = 20_000_000;

  @CommandLine.Option(
      names = "--url",
      split = ",",
      paramLabel = "URL",
      defaultValue = "${env:HOLDFAST_URL}",
      description =
          "The cluster, one or more of its nodes (or HOLDFAST_URL). Without it, a cluster is"
              + " started on this machine, and measured.")
  private @Nullable List<String> urls;

  @CommandLine.Option(
      names = "--username",
      defaultValue = "${env:HOLDFAST_USERNAME}",
      description = "A user (or HOLDFAST_USERNAME).")
  private @Nullable String user;

  @CommandLine.Option(
      names = "--password",
      defaultValue = "${env:HOLDFAST_PASSWORD}",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "The user's password; better as HOLDFAST_PASSWORD, which others do not see.")
  private @Nullable String password;

  @CommandLine.Option(
      names = "--api-key",
      defaultValue = "${env:HOLDFAST_API_KEY}",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "An encoded API key; better as HOLDFAST_API_KEY, which others do not see.")
  private @Nullable String apiKey;

  @CommandLine.Option(
      names = "--ca",
      paramLabel = "FILE",
      defaultValue = "${env:HOLDFAST_CA}",
      description = "The cluster's CA certificate, PEM (or HOLDFAST_CA).")
  private @Nullable Path ca;

  @CommandLine.Option(
      names = "--leases",
      defaultValue = "100",
      description = "How many leases all your processes hold together (default: ${DEFAULT-VALUE}).")
  private int leases;

  @CommandLine.Option(
      names = "--rate",
      defaultValue = "100",
      description = "Renewals a second while it measures (default: ${DEFAULT-VALUE}).")
  private int rate;

  @CommandLine.Option(
      names = "--duration",
      defaultValue = "5m",
      converter = Units.DurationConverter.class,
      description =
          "How long renewals are measured (default: ${DEFAULT-VALUE}). The longer, the smaller the"
              + " TTL that can be justified; include your busiest hour.")
  private Duration duration = Duration.ZERO;

  @CommandLine.Option(
      names = "--warm-up",
      defaultValue = "10s",
      converter = Units.DurationConverter.class,
      description = "Before that, not counted (default: ${DEFAULT-VALUE}).")
  private Duration warmUp = Duration.ZERO;

  @CommandLine.Option(
      names = "--burst",
      defaultValue = "3s",
      converter = Units.DurationConverter.class,
      description =
          "How long renewals are sent as fast as they are answered, two requests at a time, to"
              + " see what the cluster can do (default: ${DEFAULT-VALUE}; 0s: not at all).")
  private Duration burst = Duration.ZERO;

  @CommandLine.Option(
      names = "--false-losses",
      defaultValue = "1/year",
      paramLabel = "N/UNIT",
      converter = Units.RateConverter.class,
      description =
          "How many of all these leases may be lost by mistake, per hour, day, week, month or year"
              + " (default: ${DEFAULT-VALUE}).")
  private Units.Rate falseLosses = new Units.Rate(1, "1/year");

  @CommandLine.Option(
      names = "--max-clock-skew",
      defaultValue = "2s",
      converter = Units.DurationConverter.class,
      description = "The maxClockSkew of your lock managers (default: ${DEFAULT-VALUE}).")
  private Duration maxClockSkew = Duration.ZERO;

  @CommandLine.Option(
      names = "--pause",
      defaultValue = "0s",
      converter = Units.DurationConverter.class,
      description =
          "How long your own processes may pause, such as the longest garbage collection that"
              + " their logs show (default: ${DEFAULT-VALUE}).")
  private Duration pause = Duration.ZERO;

  @CommandLine.Option(
      names = "--failover",
      arity = "0..1",
      split = ",",
      paramLabel = "KIND",
      fallbackValue = "killed,paused,cut-off",
      converter = KindConverter.class,
      description =
          "Also measure how long renewals wait when the node with the primary is killed, paused and"
              + " cut off (or only those kinds), on a cluster of three nodes that is started on"
              + " this machine with Elasticsearch's default fault detection. Takes some minutes.")
  private @Nullable List<Failover.FailoverKind> failover;

  @CommandLine.Option(
      names = "--rounds",
      defaultValue = "1",
      description = "How often each kind of failover is measured (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @CommandLine.Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write all figures there, too.")
  private @Nullable Path json;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  static final class KindConverter implements CommandLine.ITypeConverter<Failover.FailoverKind> {
    @Override
    public Failover.FailoverKind convert(String text) {
      for (Failover.FailoverKind kind : Failover.FailoverKind.values()) {
        if (kind.toString().equals(text)) {
          return kind;
        }
      }
      throw new CommandLine.TypeConversionException(
          "\"" + text + "\" is none of killed, paused and cut-off");
    }
  }

  @Override
  public Integer call() throws InterruptedException, IOException {
    check();
    // Renewals fail by the hundred in a failover; what matters of it is in the report.
    if (System.getProperty(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "ERROR");
    }
    ProgressPrinter progress = new ProgressPrinter(System.err);
    try {
      TtlReport report = urls == null ? onOwnCluster(progress) : measured(target(urls), progress);
      report.lines().forEach(System.out::println);
      if (json != null) {
        Files.writeString(json, report.json());
      }
      return report.isAdvice() ? 0 : NO_ADVICE;
    } catch (MeasurementException e) {
      System.err.println(e.getMessage());
      return ExitStatus.UNAVAILABLE;
    }
  }

  private void check() {
    check(leases >= 1 && leases <= 1_000_000, "--leases must be from 1 to 1000000");
    check(rate >= 1 && rate <= 2_000, "--rate must be from 1 to 2000");
    check(rounds >= 1 && rounds <= 100, "--rounds must be from 1 to 100");
    within("--duration", duration, MIN_DURATION, MAX_DURATION);
    within("--warm-up", warmUp, Duration.ZERO, MAX_DURATION);
    within("--burst", burst, Duration.ZERO, Duration.ofMinutes(1));
    within("--max-clock-skew", maxClockSkew, Duration.ZERO, Duration.ofHours(1));
    within("--pause", pause, Duration.ZERO, Duration.ofHours(1));
    long samples = duration.toMillis() * rate / 1_000;
    check(
        samples >= TailEstimator.MIN_SAMPLES && samples <= MAX_SAMPLES,
        "--rate times --duration must give from %d to %d renewals, but gives %d"
            .formatted(TailEstimator.MIN_SAMPLES, MAX_SAMPLES, samples));
    check(json == null || isInFolder(json), "--json " + json + " is in no folder that there is");
  }

  private static boolean isInFolder(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    return folder != null && Files.isDirectory(folder);
  }

  private void within(String option, Duration value, Duration least, Duration most) {
    check(
        value.compareTo(least) >= 0 && value.compareTo(most) <= 0,
        "%s must be from %s to %s"
            .formatted(
                option,
                Units.seconds(least.toMillis() / 1e3),
                Units.seconds(most.toMillis() / 1e3)));
  }

  private void check(boolean isGood, String message) {
    if (!isGood) {
      throw usage(message);
    }
  }

  private CommandLine.ParameterException usage(String message) {
    return new CommandLine.ParameterException(
        java.util.Objects.requireNonNull(spec).commandLine(), message);
  }

  private Target target(List<String> given) {
    try {
      return Target.of(given, user, password, apiKey, ca);
    } catch (IllegalArgumentException e) {
      throw usage(e.getMessage() + "");
    }
  }

  private TtlReport onOwnCluster(ProgressPrinter progress) throws InterruptedException {
    int size = failover == null ? 1 : 3;
    progress.begin("No --url: starting a cluster on this machine, nodes: " + size);
    try (Cluster<ElasticsearchNode> cluster = started(size)) {
      TtlReport.Measured measured =
          measured(
              Target.of(cluster.httpUris()), size + " node(s) started on this machine", progress);
      return report(
          measured,
          failover == null
              ? List.of()
              : new Failover(cluster, rate, progress).measure(failover, rounds));
    }
  }

  private TtlReport measured(Target target, ProgressPrinter progress) throws InterruptedException {
    TtlReport.Measured measured = measured(target, target.toString(), progress);
    if (failover == null) {
      return report(measured, List.of());
    }
    progress.begin("Starting three nodes on this machine for the failovers");
    try (Cluster<ElasticsearchNode> cluster = started(3)) {
      return report(measured, new Failover(cluster, rate, progress).measure(failover, rounds));
    }
  }

  private static Cluster<ElasticsearchNode> started(int size) throws InterruptedException {
    try {
      return Cluster.builder(ElasticsearchVersion.V8).size(size).heapMebibytes(512).start();
    } catch (IllegalStateException | dev.holdfast.cluster.NodeStartException e) {
      throw new MeasurementException("no cluster can be started here: " + e.getMessage(), e);
    }
  }

  private TtlReport.Measured measured(Target target, String what, ProgressPrinter progress)
      throws InterruptedException {
    return TtlReport.Measured.on(
        target, what, new TtlReport.LoadSettings(rate, warmUp, duration, burst), progress);
  }

  private TtlReport report(TtlReport.Measured measured, List<Failover.FailoverOutcome> failovers) {
    return new TtlReport(
        measured, failovers, new TtlReport.Wish(leases, falseLosses, maxClockSkew, pause));
  }
}
