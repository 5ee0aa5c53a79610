package dev.holdfast.history.cli;

import dev.holdfast.history.HistoryFormatException;
import dev.holdfast.history.ReadHistory;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.report.Run;
import dev.holdfast.history.report.RunStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code check}: whether histories are linearizable, and what else can be asked of them. */
@CommandLine.Command(
    name = "check",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Says of each history whether it is what a model allows, and keeps the rules of locks:"
          + " FILE<TAB>valid, invalid or unknown.",
      "Histories are EDN or JSON, one operation a line or all in one vector, plain or compressed by"
          + " gzip; /dev/stdin is the standard input.",
      "Why, and how far it is, goes to the standard error stream."
    },
    exitCodeListHeading = Main.EXIT_HEADING,
    exitCodeList = {
      "0:all histories are valid",
      "1:one is invalid, or more are",
      "2:none is invalid, and one or more are unknown",
      "3:a file or an option is invalid"
    },
    exitCodeOnInvalidInput = Main.UNREADABLE,
    exitCodeOnExecutionException = Main.UNREADABLE)
final class CheckCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Mixin private CheckOptions options = new CheckOptions();

  @CommandLine.Option(
      names = "--report",
      paramLabel = "DIR",
      description =
          "Write a page about each history as well, into a folder of its own in this one, and the"
              + " list of all runs, DIR/index.html. What DIR has already stays.")
  private @Nullable Path report;

  @CommandLine.Parameters(arity = "1..*", paramLabel = "FILE", description = "The histories.")
  private List<Path> files = List.of();

  @Override
  public Integer call() {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    PrintWriter out = commandLine.getOut();
    PrintWriter err = commandLine.getErr();
    options.verify(commandLine); // said to be wrong before a file is read
    if (report != null && Files.exists(report) && !Files.isDirectory(report)) {
      throw new CommandLine.ParameterException(commandLine, report + ": not a folder");
    }
    Verdict all = Verdict.VALID;
    boolean unreadable = false;
    for (Path file : files) {
      try {
        Checker checker = options.checker(commandLine, file);
        ReadHistory read = options.read(commandLine, file, options.key(Vocabulary.LOCK));
        Result result =
            report == null
                ? Checkers.safely(checker, read.history())
                : finish(new RunStore(report).start(name(file)), file, read, checker, err);
        out.println(file + "\t" + result.verdict().text());
        out.flush();
        CheckOptions.explain(file, result, err);
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
    return unreadable ? Main.UNREADABLE : Main.status(all);
  }

  private Result finish(Run run, Path file, ReadHistory read, Checker checker, PrintWriter err)
      throws IOException {
    Path again = readAgain(file, run);
    run.describe("The history " + file.toAbsolutePath().normalize() + ".");
    String command = Main.COMMAND + " check" + options.asTyped() + " " + Main.quoted(again);
    Result result = run.finish(read, options.key(Vocabulary.LOCK), checker, command);
    err.println(file + ": page: " + run.directory().resolve("index.html"));
    return result;
  }

  /** The file that a repetition can read from any folder: the saved one, where this was a pipe. */
  private static Path readAgain(Path file, Run run) {
    boolean isDevice = file.startsWith("/dev") || file.startsWith("/proc");
    return Files.isRegularFile(file) && !isDevice
        ? file.toAbsolutePath().normalize()
        : run.directory().resolve("history.edn").toAbsolutePath().normalize();
  }

  /**
   * Returns what a run is called: as its file; one that is called like all others, as its folder.
   */
  private static String name(Path file) {
    String name = String.valueOf(file.toAbsolutePath().normalize().getFileName());
    Path folder = file.toAbsolutePath().normalize().getParent();
    String bare = name.replaceFirst("(?i)(\\.(edn|json|jsonl|txt|log))?(\\.gz)?$", "");
    if (bare.equals("history") && folder != null && folder.getFileName() != null) {
      bare = folder.getFileName().toString();
    }
    return RunStore.testName(bare);
  }
}
