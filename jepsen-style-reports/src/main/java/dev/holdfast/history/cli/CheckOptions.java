package dev.holdfast.history.cli;

import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.Operation;
import dev.holdfast.history.ReadHistory;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.AvailabilityChecker;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.CoverageChecker;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.RenewalChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.TtlExpiryChecker;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** The options that say what to check, shared by {@code check} and {@code report}. */
final class CheckOptions {
  private static final long TELL_EVERY_NANOS = 2_000_000_000;

  /** By how much monotonic clocks may disagree. */
  private static final double DRIFT = 0.02;

  private static final String COVERAGE = "coverage";
  private static final String LOSS_NOTICE = "loss-notice";

  private static final Map<String, Supplier<Checker>> CHECKERS =
      new TreeMap<>(
          Map.of(
              "mutual-exclusion",
              MutualExclusionChecker::new,
              "fencing",
              FencingChecker::new,
              "ttl-expiry",
              () -> new TtlExpiryChecker(DRIFT),
              LOSS_NOTICE,
              LossNoticeChecker::new,
              "renewal",
              RenewalChecker::new,
              "availability",
              AvailabilityChecker::new,
              COVERAGE,
              () -> new CoverageChecker(Set.of(Vocabulary.ACQUIRE, Vocabulary.RELEASE), false)));

  /**
   * What {@code all} means: not what a run of our own was meant to do, which other histories were
   * not.
   */
  private static final Set<String> OF_ANY_HISTORY =
      CHECKERS.keySet().stream()
          .filter(name -> !name.equals(COVERAGE))
          .collect(Collectors.toCollection(TreeSet::new));

  private static final Map<String, String> FORMER_NAMES = Map.of("not-vacuous", COVERAGE);

  /** The operations on objects that have names, but for writes, which may be of either. */
  private static final Set<String> OF_OBJECTS =
      Set.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.RELEASE, "read", "cas");

  /** The keys of values that certainly name no object. */
  private static final Set<String> NO_NAMES =
      Set.of("value", Vocabulary.CLIENT, Vocabulary.FENCE, Vocabulary.TTL, Vocabulary.UNTIL);

  private static final String DEFAULT_TIME_LIMIT = "30s";

  private static final Pattern TIME = Pattern.compile("(\\d{1,6})(ms|s|m|h)");

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
          "Rules of locks to check too, or instead, by intervals of time: some of availability,"
              + " coverage, fencing, loss-notice, mutual-exclusion, renewal, ttl-expiry, separated"
              + " by commas; or all of them but coverage, of which those do not count that find"
              + " nothing to check.")
  private List<String> checkers = List.of();

  @CommandLine.Option(
      names = "--key",
      paramLabel = "KEY",
      defaultValue = Vocabulary.LOCK,
      description =
          "The key of values that names the object: each is checked by itself (default:"
              + " ${DEFAULT-VALUE}).")
  private String key = Vocabulary.LOCK;

  @CommandLine.Option(
      names = "--time-limit",
      paramLabel = "TIME",
      defaultValue = DEFAULT_TIME_LIMIT,
      description = "For each file, such as 500ms, 30s or 5m (default: ${DEFAULT-VALUE}).")
  private String timeLimit = DEFAULT_TIME_LIMIT;

  private long lastTold = System.nanoTime();

  /** Returns whether anything is to be checked. */
  boolean isGiven() {
    return model != null || !checkers.isEmpty();
  }

  /** These options as they would be typed, each with a blank before it. */
  String asTyped() {
    return (model == null ? "" : " --model " + model)
        + (checkers.isEmpty() ? "" : " --checkers " + String.join(",", checkers))
        + (key.equals(Vocabulary.LOCK) ? "" : " --key " + key)
        + (timeLimit.equals(DEFAULT_TIME_LIMIT) ? "" : " --time-limit " + timeLimit);
  }

  /**
   * The key that names objects.
   *
   * @param known what it was when the history was read before
   */
  String key(String known) {
    return key.equals(Vocabulary.LOCK) ? known : key;
  }

  /** Whether this command has a checker of that name. */
  static boolean hasChecker(String name) {
    return CHECKERS.containsKey(name)
        || FORMER_NAMES.containsKey(name)
        || LinearizabilityChecker.isName(name);
  }

  /** Reads a history, and says how far it is, and what is odd about it. */
  ReadHistory read(CommandLine commandLine, Path file, String objectKey) throws IOException {
    PrintWriter err = commandLine.getErr();
    LinearizabilityChecker checker =
        model == null ? null : new LinearizabilityChecker(model, limit(commandLine));
    Names names = new Names(objectKey);
    ReadHistory read =
        HistoryReader.readWhole(
            file,
            operation -> {
              names.add(operation);
              return understood(operation.named(objectKey), checker);
            },
            count -> tell(err, "%s: %,d operations read".formatted(file, count)));
    List<String> warnings = new ArrayList<>(read.warnings());
    String odd = names.warning();
    if (odd != null) {
      warnings.add(file + ": " + odd);
    }
    warnings.forEach(err::println);
    return new ReadHistory(read.history(), read.written(), warnings);
  }

  /** How the calls of a history name the objects that they are about. */
  private final class Names {
    private final String key;
    private int named;
    private int unnamed;
    private final Set<String> others = new TreeSet<>();

    Names(String key) {
      this.key = key;
    }

    /** Counts a call; that it has not the key that was asked for is an error. */
    void add(Operation operation) {
      boolean isWrite = operation.f().equals(Vocabulary.WRITE);
      boolean isCounted = isWrite ? isRegister() : OF_OBJECTS.contains(operation.f());
      if (operation.type() != Operation.Type.INVOKE || operation.isNemesis() || !isCounted) {
        return;
      }
      if (operation.value().containsKey(key)) {
        named++;
      } else if (!key.equals(Vocabulary.LOCK)) {
        throw new IllegalArgumentException(
            "the value has no key " + key + ", which is to name the object");
      } else {
        unnamed++;
        operation.value().keySet().stream()
            .filter(each -> !NO_NAMES.contains(each))
            .forEach(others::add);
      }
    }

    @Nullable String warning() {
      if (unnamed > 0 && named > 0) {
        return Formats.count(unnamed, "call")
            + " of "
            + (named + unnamed)
            + " without the key "
            + key
            + " in the value: checked as of one object of their own";
      }
      return unnamed == 0 || others.isEmpty()
          ? null
          : "no value has the key "
              + key
              + ", so all calls are checked as of one object; there are the keys "
              + String.join(", ", others)
              + ", of which --key KEY chooses one to name the objects";
    }

    private boolean isRegister() {
      return model != null && model.endsWith("register");
    }
  }

  /** That operation, if anything here can check it. */
  private static Operation understood(
      Operation operation, @Nullable LinearizabilityChecker checker) {
    boolean isKnown = operation.isNemesis() || Vocabulary.OPERATIONS.contains(operation.f());
    String problem =
        checker != null
            ? checker.problem(operation)
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

  /** Says why. */
  static void explain(Object what, Result result, PrintWriter err) {
    List<Result> parts = result.parts().isEmpty() ? List.of(result) : result.parts();
    for (Result part : parts) {
      if (part.verdict() != Verdict.VALID || parts.size() > 1) {
        err.println(
            "%s: %s: %s: %s"
                .formatted(
                    what,
                    part.checker(),
                    part.nothingToCheck() ? "not applicable" : part.verdict().text(),
                    part.summary()));
        part.details().forEach(detail -> err.println("    " + detail));
      }
    }
  }

  /** Throws a usage error if the options make no sense, or name nothing to check. */
  void verify(CommandLine commandLine) {
    Checker unused = checker(commandLine, "");
  }

  /** The checker that the options name; an option that makes no sense is a usage error. */
  Checker checker(CommandLine commandLine, Object what) {
    PrintWriter err = commandLine.getErr();
    List<Checker> chosen = new ArrayList<>();
    try {
      if (model != null) {
        chosen.add(
            new LinearizabilityChecker(
                model,
                limit(commandLine),
                (locks, of) ->
                    tell(err, "%s: %,d of %,d locks checked".formatted(what, locks, of))));
      }
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(commandLine, String.valueOf(e.getMessage()), e);
    }
    boolean isAll = checkers.equals(List.of("all"));
    for (String name : isAll ? OF_ANY_HISTORY : new TreeSet<>(checkers)) {
      Supplier<Checker> known = CHECKERS.get(FORMER_NAMES.getOrDefault(name, name));
      if (known == null) {
        throw new CommandLine.ParameterException(
            commandLine,
            "there is no checker \""
                + name
                + "\"; there are all, "
                + String.join(", ", CHECKERS.keySet()));
      }
      chosen.add(isAll && name.equals(LOSS_NOTICE) ? whereNoticed(known.get()) : known.get());
    }
    if (chosen.isEmpty()) {
      throw new CommandLine.ParameterException(
          commandLine, "say what to check: --model MODEL, --checkers NAME,... or both");
    }
    Checker[] all = chosen.toArray(Checker[]::new);
    if (model != null && chosen.size() == 1) {
      return chosen.get(0);
    }
    return isAll
        ? Checkers.composeApplicable(limit(commandLine), all)
        : Checkers.compose(limit(commandLine), all);
  }

  /** A checker of notices, which has nothing to check where a system gives none. */
  private static Checker whereNoticed(Checker checker) {
    return new Checker() {
      @Override
      public String name() {
        return checker.name();
      }

      @Override
      public Result check(History history) {
        boolean isAny =
            history.operations().stream()
                .map(Operation::f)
                .anyMatch(f -> f.equals(Vocabulary.LOST) || f.equals(Vocabulary.EXPIRE));
        return isAny
            ? checker.check(history)
            : new Result(
                name(),
                Verdict.UNKNOWN,
                "Not checked: no notice of a loss in this history.",
                List.of(),
                List.of(),
                List.of(),
                true);
      }
    };
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
}
