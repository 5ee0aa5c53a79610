package dev.holdfast.history.cli;

import dev.holdfast.history.HistoryFormatException;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.report.Run;
import dev.holdfast.history.report.RunStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code report}: writes the pages of saved runs again, and checks them again if asked to. */
@CommandLine.Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = {
      "Writes the pages of saved runs again, from their histories and results.",
      "Prints the page of each run, a TAB, and its verdict. Nothing is checked again, unless"
          + " --model or --checkers say so: then the new results are saved too. Results of checkers"
          + " that only the tests have that made a run, such as those of a chaos run, are never"
          + " replaced.",
      "Progress and errors go to the standard error stream."
    },
    versionProvider = Main.Version.class,
    sortOptions = false,
    exitCodeListHeading = Main.EXIT_HEADING,
    exitCodeList = {
      "0:all pages are written; what was checked is valid",
      "1:something that was checked is invalid",
      "2:something that was checked is unknown",
      "3:a folder, a history or an option is invalid"
    },
    exitCodeOnInvalidInput = Main.UNREADABLE,
    exitCodeOnExecutionException = Main.UNREADABLE)
final class ReportCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Mixin private CheckOptions options = new CheckOptions();

  @CommandLine.Parameters(
      paramLabel = "DIR",
      description = "A store, the folder of one test in it, or that of a single run.")
  private Path folder = Path.of("");

  @Override
  public Integer call() throws IOException {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    PrintWriter out = commandLine.getOut();
    PrintWriter err = commandLine.getErr();
    if (options.isGiven()) {
      options.verify(commandLine);
    }
    RunStore store = new RunStore(Main.folder(commandLine, folder));
    List<Run> runs = store.runs();
    if (runs.isEmpty()) {
      throw new CommandLine.ParameterException(
          commandLine, folder + ": no folder in it has a history.edn or recordings");
    }
    boolean failed = false;
    Verdict all = Verdict.VALID;
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      err.printf("%d of %d: %s%n", i + 1, runs.size(), run.directory());
      err.flush();
      try {
        Result result;
        if (options.isGiven() && !run.isSkipped()) {
          List<String> others =
              run.checkers().stream().filter(name -> !CheckOptions.hasChecker(name)).toList();
          if (!others.isEmpty()) {
            failed = true;
            err.println(run.directory() + ": " + refusal(run, others));
            continue;
          }
          Checker checker = options.checker(commandLine, run.directory());
          String key = options.key(run.key());
          result = run.check(options.read(commandLine, run.historyFile(), key), key, checker);
          CheckOptions.explain(run.directory(), result, err);
          all = all.and(result.verdict());
        } else {
          result = run.report();
        }
        out.println(run.directory().resolve("index.html") + "\t" + result.verdict().text());
        out.flush();
      } catch (IOException | HistoryFormatException e) {
        failed = true;
        err.println(run.directory() + ": " + e.getMessage());
      }
    }
    if (!runs.get(0).directory().equals(folder)) {
      store.writeIndex();
      err.println("all runs: " + folder.resolve("index.html"));
    }
    err.flush();
    return failed ? Main.UNREADABLE : Main.status(all);
  }

  /** Why the results of a run are not replaced, and what to do instead. */
  private String refusal(Run run, List<String> others) {
    return "not checked, and left as it is: it has results of checkers that only its own tests have"
               + " ("
        + String.join(", ", others)
        + "); here no life of a deleted index is checked by itself. To check its history beside"
        + " them: "
        + Main.COMMAND
        + " check"
        + options.asTyped()
        + " --report DIR "
        + Main.quoted(run.directory().resolve("history.edn"));
  }
}
