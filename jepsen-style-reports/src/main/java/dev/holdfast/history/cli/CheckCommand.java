package dev.holdfast.history.cli;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryFormatException;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code check}: whether histories are linearizable. */
@CommandLine.Command(
    name = "check",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Says of each history whether it is linearizable: FILE<TAB>valid, invalid or unknown.",
      "Why, and how far it is, goes to the standard error stream.",
      "Exits with 0 if all are valid, 1 if any is invalid, 2 if any is unknown, and 3 if a file or"
          + " an option cannot be understood."
    },
    exitCodeOnInvalidInput = 3)
final class CheckCommand implements Callable<Integer> {
  private static final int UNREADABLE = 3;
  private static final long LARGE = 5_000_000;
  private static final Pattern TIME = Pattern.compile("(\\d{1,6})(ms|s|m|h)");

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description =
          "What the history is of: mutex, owner-mutex, reentrant-mutex:N, fenced-mutex,"
              + " semaphore:N, lease, register or cas-register.")
  private String model = "";

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

  @Override
  public Integer call() {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    PrintWriter out = commandLine.getOut();
    PrintWriter err = commandLine.getErr();
    LinearizabilityChecker checker;
    try {
      checker = new LinearizabilityChecker(model, limit());
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(commandLine, String.valueOf(e.getMessage()), e);
    }
    Verdict all = Verdict.VALID;
    boolean unreadable = false;
    for (Path file : files) {
      try {
        if (Files.size(file) > LARGE) {
          err.println(file + ": reading");
          err.flush();
        }
        History history = History.of(HistoryReader.read(file).stream().map(this::keyed).toList());
        Result result = Checkers.safely(checker, history);
        out.println(file + "\t" + result.verdict().text());
        out.flush();
        if (result.verdict() != Verdict.VALID) {
          err.println(file + ": " + result.summary());
          result.details().forEach(detail -> err.println("    " + detail));
        }
        all = all.and(result.verdict());
      } catch (NoSuchFileException e) {
        unreadable = true;
        err.println(file + ": there is no such file");
      } catch (IOException | HistoryFormatException e) {
        unreadable = true;
        err.println(file + ": " + e.getMessage());
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

  private Duration limit() {
    Matcher time = TIME.matcher(timeLimit);
    if (!time.matches() || Long.parseLong(time.group(1)) == 0) {
      throw new IllegalArgumentException(
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
    if (key.equals(Vocabulary.LOCK) || object == null) {
      return operation;
    }
    Map<String, Object> value = new LinkedHashMap<>(operation.value());
    value.put(Vocabulary.LOCK, object.toString());
    return new Operation(
        operation.index(),
        operation.time(),
        operation.type(),
        operation.process(),
        operation.f(),
        value,
        operation.error());
  }
}
