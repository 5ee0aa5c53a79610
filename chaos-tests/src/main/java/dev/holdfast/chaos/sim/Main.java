package dev.holdfast.chaos.sim;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code java -jar holdfast-sim.jar}. */
@CommandLine.Command(
    name = "holdfast-sim",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Runs the real lock library in a simulation, once for each seed, under faults, and checks"
          + " every invariant after every event. The first violation is printed as an event trace."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:all invariants held",
      "1:an invariant was violated",
      "2:an option is invalid",
      "3:the simulator itself failed"
    },
    exitCodeOnExecutionException = 3)
public final class Main implements Callable<Integer> {
  private static final Pattern RANGE = Pattern.compile("(\\d{1,18})\\.\\.(\\d{1,18})");
  private static final long PROGRESS_MILLIS = 1_000;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--seeds",
      paramLabel = "FROM..TO",
      defaultValue = "1..1000",
      description = "Which seeds to run (default: ${DEFAULT-VALUE}).")
  private String seeds = "1..1000";

  @CommandLine.Option(
      names = "--seed",
      paramLabel = "N",
      description = "Runs one seed only. The same seed always gives the same run.")
  private @Nullable Long seed;

  @CommandLine.Option(
      names = "--trace",
      description = "With --seed: prints an event trace, a line for each event.")
  private boolean trace;

  @CommandLine.Option(
      names = "--scenario",
      paramLabel = "NAME",
      defaultValue = "all",
      description =
          "Which faults: all, calm, network, nodes, clients, clocks, drift, index, machines,"
              + " replaced, proxies, overloaded, executors, losses, busy, brisk, permits or"
              + " election (default: ${DEFAULT-VALUE}).")
  private String scenario = "all";

  @CommandLine.Option(
      names = "--faults",
      paramLabel = "LIST",
      description =
          "Other faults than the scenario's: all, none, or a list such as delay=0.1,partition=12."
              + " For messages the number is a probability, for the others how many a minute.")
  private @Nullable String faults;

  @CommandLine.Option(
      names = "--schedule",
      paramLabel = "LIST",
      description =
          "With --seed: this schedule of faults in the place of the seed's own, as a failure prints"
              + " it: MILLIS:FAULT:NUMBER,...")
  private @Nullable String schedule;

  @CommandLine.Option(
      names = "--planted",
      paramLabel = "BUG",
      description =
          "Runs with a bug planted, or another protocol, to see it caught; 'list' lists them. Its"
              + " own scenario is used.")
  private @Nullable String planted;

  @CommandLine.Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "2",
      description = "How many seeds to run at a time (default: ${DEFAULT-VALUE}).")
  private int threads = 2;

  /** The version of the jar, or of no release where this does not run from one. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"holdfast-sim " + (version == null ? "(not released)" : version)};
    }
  }

  /** Runs, and exits with the command's status. */
  public static void main(String[] arguments) {
    // The library's own log would tell of every fault of every run.
    System.setProperty("holdfast.log.level", "OFF");
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  /** Totals of all threads of a command so far. */
  private static final class Totals {
    final long start = System.nanoTime();
    final AtomicLong runs = new AtomicLong();
    final AtomicLong operations = new AtomicLong();
    final AtomicLong grants = new AtomicLong();
    final AtomicLong handoffs = new AtomicLong();
    final AtomicLong batched = new AtomicLong();
    final AtomicLong faults = new AtomicLong();
    final AtomicLong nanos = new AtomicLong();
    final AtomicLong events = new AtomicLong();

    void add(SimRun.SimResult result) {
      runs.incrementAndGet();
      operations.addAndGet(result.operations());
      grants.addAndGet(result.grants());
      handoffs.addAndGet(result.handoffs());
      batched.addAndGet(result.batched());
      faults.addAndGet(result.faults());
      nanos.addAndGet(result.nanos());
      events.addAndGet(result.events());
    }

    String text() {
      double seconds = (System.nanoTime() - start) / 1e9;
      return String.format(
          Locale.ROOT,
          "%,d seeds in %.0f s (%.0f/s), %,d lock operations (%,.0f a minute), %,d grants, %,d"
              + " of them handoffs, %,d batched operations, %,d faults, %,d events,"
              + " %s simulated",
          runs.get(),
          seconds,
          runs.get() / seconds,
          operations.get(),
          operations.get() / seconds * 60,
          grants.get(),
          handoffs.get(),
          batched.get(),
          faults.get(),
          events.get(),
          Duration.ofNanos(nanos.get()).truncatedTo(ChronoUnit.SECONDS));
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    CommandLine.Model.CommandSpec self = Objects.requireNonNull(spec);
    PrintWriter out = self.commandLine().getOut();
    if ("list".equals(planted)) {
      wrong().forEach(bug -> out.println(bug.text()));
      return 0;
    }
    Planted bug = planted == null ? Planted.NOTHING : bug(self, planted);
    Faults chosen = faults(self, bug);
    if (threads < 1 || threads > 256) {
      throw wrong(self, "--threads must be from 1 to 256, but is " + threads);
    }
    if (seed != null) {
      return one(out, plan(self, seed, chosen), bug);
    } else if (trace || schedule != null) {
      throw wrong(self, "--trace and --schedule need --seed");
    }
    Matcher range = RANGE.matcher(seeds);
    if (!range.matches() || Long.parseLong(range.group(1)) > Long.parseLong(range.group(2))) {
      throw wrong(self, "--seeds must be like 1..1000, but is \"" + seeds + "\"");
    }
    return many(
        out,
        self.commandLine().getErr(),
        Long.parseLong(range.group(1)),
        Long.parseLong(range.group(2)),
        chosen,
        bug);
  }

  private static CommandLine.ParameterException wrong(
      CommandLine.Model.CommandSpec spec, String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  /** All that is known to be wrong. */
  private static Stream<Planted> wrong() {
    return Stream.concat(Arrays.stream(PlantedBug.values()), Arrays.stream(OtherProtocol.values()));
  }

  private static Planted bug(CommandLine.Model.CommandSpec spec, String name) {
    return wrong()
        .filter(bug -> bug.text().equals(name))
        .findFirst()
        .orElseThrow(
            () -> wrong(spec, "there is no bug \"" + name + "\"; --planted list lists them"));
  }

  private Faults faults(CommandLine.Model.CommandSpec spec, Planted bug) {
    if (faults != null) {
      try {
        return Faults.parse(faults);
      } catch (IllegalArgumentException e) {
        throw wrong(spec, "--faults: " + e.getMessage());
      }
    }
    if (planted != null) {
      return bug.scenario().faults();
    }
    return Arrays.stream(SimScenario.values())
        .filter(one -> one.text().equals(scenario))
        .findFirst()
        .map(SimScenario::faults)
        .orElseThrow(() -> wrong(spec, "there is no scenario \"" + scenario + "\""));
  }

  private Plan plan(CommandLine.Model.CommandSpec spec, long number, Faults chosen) {
    if (schedule == null) {
      return Plan.of(number, chosen);
    }
    try {
      return new Plan(number, chosen, ScheduledFault.parse(schedule));
    } catch (IllegalArgumentException e) {
      throw wrong(spec, "--schedule: " + e.getMessage());
    }
  }

  private int one(PrintWriter out, Plan plan, Planted bug) {
    SimRun.SimResult result = SimRun.of(plan, bug, trace);
    result.trace().forEach(out::println);
    Totals totals = new Totals();
    totals.add(result);
    out.println(totals.text());
    out.printf("trace hash %016x%n", result.hash());
    InvariantViolation violation = result.violation();
    if (violation == null) {
      out.println("all invariants held");
      return 0;
    }
    out.println("VIOLATION: " + violation.getMessage());
    return 1;
  }

  /** Prints the event trace of the smallest run that fails in this way. */
  private int failed(PrintWriter out, SimRun.SimResult result, Planted bug) {
    InvariantViolation violation = Objects.requireNonNull(result.violation());
    out.println("VIOLATION with seed " + result.plan().seed() + ": " + violation.getMessage());
    Plan smallest = result.plan().shrunk(bug);
    out.printf(
        "With %d of its %d scheduled faults:%n",
        smallest.schedule().size(), result.plan().schedule().size());
    SimRun.of(smallest, bug, true).trace().forEach(out::println);
    out.println("Again: " + smallest.command() + (planted == null ? "" : " --planted " + planted));
    return 1;
  }

  private int many(PrintWriter out, PrintWriter err, long from, long to, Faults chosen, Planted bug)
      throws InterruptedException {
    Totals totals = new Totals();
    AtomicLong next = new AtomicLong(from);
    AtomicBoolean over = new AtomicBoolean();
    AtomicReference<SimRun.@Nullable SimResult> bad = new AtomicReference<>();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Thread worker =
          new Thread(
              () -> {
                try {
                  for (long s = next.getAndIncrement();
                      s <= to && !over.get();
                      s = next.getAndIncrement()) {
                    SimRun.SimResult result = SimRun.of(s, chosen, bug, false);
                    totals.add(result);
                    if (result.violation() != null) {
                      over.set(true);
                      bad.accumulateAndGet(
                          result,
                          (a, b) ->
                              a == null || (b != null && b.plan().seed() < a.plan().seed())
                                  ? b
                                  : a);
                    }
                  }
                } catch (RuntimeException | Error e) {
                  over.set(true);
                  failure.set(e);
                }
              },
              "sim-" + i);
      worker.start();
      workers.add(worker);
    }
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        worker.join(PROGRESS_MILLIS);
        if (worker.isAlive()) {
          err.println(totals.text());
          err.flush();
        }
      }
    }
    Throwable failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("a run ended in an error of the simulator", failed);
    }
    out.println(totals.text());
    SimRun.SimResult result = bad.get();
    if (result != null) {
      return failed(out, result, bug);
    }
    out.println("all invariants held");
    return 0;
  }
}
