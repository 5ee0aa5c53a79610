package dev.holdfast.history.cli;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryFormatException;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.AvailabilityChecker;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.NotVacuousChecker;
import dev.holdfast.history.check.RenewalChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.TtlExpiryChecker;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code check}: whether histories are linearizable, and what else can be asked of them. */
@CommandLine.Command(
    name = "check",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Says of each history whether it is what a model allows, and keeps the rules of locks:"
          + " FILE<TAB>valid, invalid or unknown.",
      "Histories are EDN or JSON, one operation a line or all in one vector, plain or compressed by"
          + " gzip; /dev/stdin is the standard input.",
      "Why, and how far it is, goes to the standard error stream.",
      "Exits with 0 if all are valid, 1 if any is invalid, 2 if any is unknown, and 3 if a file or"
          + " an option cannot be understood."
    },
    exitCodeOnInvalidInput = 3,
    exitCodeOnExecutionException = 3)
final class CheckCommand implements Callable<Integer> {
  private static final int UNREADABLE = 3;
  private static final long TELL_EVERY_NANOS = 2_000_000_000;

  /** By how much monotonic clocks may disagree. */
  private static final double DRIFT = 0.02;

  private static final Map<String, Supplier<Checker>> CHECKERS =
      new TreeMap<>(
          Map.of(
              "mutual-exclusion", MutualExclusionChecker::new,
              "fencing", FencingChecker::new,
              "ttl-expiry", () -> new TtlExpiryChecker(DRIFT),
              "loss-notice", LossNoticeChecker::new,
              "renewal", RenewalChecker::new,
              "availability", AvailabilityChecker::new,
              "not-vacuous",
                  () ->
                      new NotVacuousChecker(
                          Set.of(Vocabulary.ACQUIRE, Vocabulary.RELEASE), false)));

  private static final Pattern TIME = Pattern.compile("(\\d{1,6})(ms|s|m|h)");

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "What the history is of, to be linearizable: mutex, owner-mutex, reentrant-mutex:N,"
              + " fenced-mutex, semaphore:N, lease, register or cas-register.")
  private @Nullable String model;

  @CommandLine.Option(
      names = "--checkers",
      split = ",",
      paramLabel = "NAME",
      description =
          "Rules of locks to check too, or instead, by intervals of time: all, or some of"
              + " availability, fencing, loss-notice, mutual-exclusion, not-vacuous, renewal,"
              + " ttl-expiry, separated by commas.")
  private List<String> checkers = List.of();

  @CommandLine.Option(
      names = "--key",
      paramLabel = "KEY",
      defaultValue = Vocabulary.LOCK,
      description =
          "The key of values that names the object: each is judged by itself (default:"
              + " ${DEFAULT-VALUE}).")
  private String key = Vocabulary.LOCK;

  @CommandLine.Option(
      names = "--time-limit",
      paramLabel = "TIME",
      defaultValue = "30s",
      description = "For each file, such as 500ms, 30s or 5m (default: ${DEFAULT-VALUE}).")
  private String timeLimit = "30s";

  @CommandLine.Parameters(arity = "1..*", paramLabel = "FILE", description = "The histories.")
  private List<Path> files = List.of();

  private long lastTold = System.nanoTime();

  @Override
  public Integer call() {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    PrintWriter out = commandLine.getOut();
    PrintWriter err = commandLine.getErr();
    limit(commandLine); // said to be wrong before a file is read
    Verdict all = Verdict.VALID;
    boolean unreadable = false;
    for (Path file : files) {
      try {
        Checker checker = checker(commandLine, file);
        Result result = Checkers.safely(checker, read(commandLine, file));
        out.println(file + "\t" + result.verdict().text());
        out.flush();
        explain(file, result, err);
        all = all.and(result.verdict());
      } catch (NoSuchFileException e) {
        unreadable = true;
        err.println(file + ": there is no such file");
      } catch (IOException e) {
        unreadable = true;
        err.println(file + ": " + e.getMessage());
      } catch (HistoryFormatException e) {
        unreadable = true;
        err.println(e.getMessage());
      } catch (OutOfMemoryError e) {
        unreadable = true;
        err.println(file + ": too long for the memory; java -Xmx4g, say, gives more");
      }
    }
    err.flush();
    return unreadable
        ? UNREADABLE
        : switch (all) {
          case VALID -> 0;
          case INVALID -> 1;
          case UNKNOWN -> 2;
        };
  }

  private History read(CommandLine commandLine, Path file) throws IOException {
    PrintWriter err = commandLine.getErr();
    LinearizabilityChecker judge =
        model == null ? null : new LinearizabilityChecker(model, limit(commandLine));
    UnaryOperator<Operation> keyed =
        key.equals(Vocabulary.LOCK) ? UnaryOperator.identity() : this::keyed;
    return HistoryReader.readHistory(
        file,
        operation -> understood(keyed.apply(operation), judge),
        count -> tell(err, "%s: %,d operations read".formatted(file, count)),
        err::println);
  }

  /** That operation, if anything here can judge it. */
  private static Operation understood(Operation operation, @Nullable LinearizabilityChecker judge) {
    boolean isKnown = operation.isNemesis() || Vocabulary.OPERATIONS.contains(operation.f());
    String problem =
        judge != null
            ? judge.problem(operation)
            : isKnown ? null : "there is no operation " + operation.f();
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    return operation;
  }

  /** Says how far it is, every few seconds. */
  private synchronized void tell(PrintWriter err, String what) {
    if (System.nanoTime() - lastTold > TELL_EVERY_NANOS) {
      lastTold = System.nanoTime();
      err.println(what);
      err.flush();
    }
  }

  private static void explain(Path file, Result result, PrintWriter err) {
    List<Result> parts = result.parts().isEmpty() ? List.of(result) : result.parts();
    for (Result part : parts) {
      if (part.verdict() != Verdict.VALID || parts.size() > 1) {
        err.println(
            "%s: %s: %s: %s"
                .formatted(file, part.checker(), part.verdict().text(), part.summary()));
        part.details().forEach(detail -> err.println("    " + detail));
      }
    }
  }

  private Checker checker(CommandLine commandLine, Path file) {
    PrintWriter err = commandLine.getErr();
    List<Checker> chosen = new ArrayList<>();
    try {
      if (model != null) {
        chosen.add(
            new LinearizabilityChecker(
                model,
                limit(commandLine),
                (locks, of) ->
                    tell(err, "%s: %,d of %,d locks judged".formatted(file, locks, of))));
      }
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(commandLine, String.valueOf(e.getMessage()), e);
    }
    for (String name :
        checkers.equals(List.of("all")) ? CHECKERS.keySet() : new TreeSet<>(checkers)) {
      Supplier<Checker> known = CHECKERS.get(name);
      if (known == null) {
        throw new CommandLine.ParameterException(
            commandLine,
            "there is no checker \""
                + name
                + "\"; there are all, "
                + String.join(", ", CHECKERS.keySet()));
      }
      chosen.add(known.get());
    }
    if (chosen.isEmpty()) {
      throw new CommandLine.ParameterException(
          commandLine, "say what to check: --model MODEL, --checkers NAME,... or both");
    }
    return model != null && chosen.size() == 1
        ? chosen.get(0)
        : Checkers.compose(limit(commandLine), chosen.toArray(Checker[]::new));
  }

  private Duration limit(CommandLine commandLine) {
    Matcher time = TIME.matcher(timeLimit);
    if (!time.matches() || Long.parseLong(time.group(1)) == 0) {
      throw new CommandLine.ParameterException(
          commandLine,
          "--time-limit must be like 500ms, 30s, 5m or 1h, but is \"" + timeLimit + "\"");
    }
    long number = Long.parseLong(time.group(1));
    return switch (time.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      default -> Duration.ofHours(number);
    };
  }

  /** With the object's name where locks have theirs. */
  private Operation keyed(Operation operation) {
    Object object = operation.value().get(key);
    if (object == null) {
      return operation;
    }
    return operation.with(Vocabulary.LOCK, object.toString());
  }
}
