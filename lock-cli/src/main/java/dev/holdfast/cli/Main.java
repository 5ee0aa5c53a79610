package dev.holdfast.cli;

import dev.holdfast.lock.LockException;
import dev.holdfast.lock.internal.Texts;
import java.io.PrintWriter;
import picocli.CommandLine;

/** {@code java -jar holdfast.jar}. */
@CommandLine.Command(
    name = "holdfast",
    mixinStandardHelpOptions = true,
    versionProvider = JarVersion.class,
    sortOptions = false,
    subcommands = {
      ListCommand.class,
      ShowCommand.class,
      ReleaseCommand.class,
      WatchCommand.class,
      RunCommand.class,
      DoctorCommand.class,
      CompletionCommand.class,
      CommandLine.HelpCommand.class
    },
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      ExitStatus.OK_TEXT,
      ExitStatus.NEGATIVE_TEXT,
      ExitStatus.USAGE_TEXT,
      ExitStatus.UNAVAILABLE_TEXT
    },
    description = {
      "Lists, watches and releases distributed locks in an Elasticsearch cluster, and runs"
          + " commands under them.",
      "HOLDFAST_URL and the other variables that the library reads, or --url, name the cluster."
    })
public final class Main {
  private Main() {}

  /** Runs, and exits with the command's status. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        // Arguments of the command that is run are its own, also one such as @file.
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Main::misused)
        .setExecutionExceptionHandler(Main::failed);
  }

  /** In two lines: the whole of the help would hide what is wrong. */
  private static int misused(CommandLine.ParameterException misuse, String[] arguments) {
    PrintWriter err = misuse.getCommandLine().getErr();
    String command = misuse.getCommandLine().getCommandSpec().qualifiedName();
    err.println("holdfast: " + Texts.printable(misuse.getMessage()));
    err.println("Try \"" + command + " --help\".");
    err.flush();
    return ExitStatus.USAGE;
  }

  private static int failed(
      Exception failure, CommandLine commandLine, CommandLine.ParseResult parsed) {
    PrintWriter err = commandLine.getErr();
    err.println(
        "holdfast: "
            + (failure instanceof LockException || failure instanceof IllegalArgumentException
                ? Texts.printable(failure.getMessage())
                : "failed: " + Texts.printable(failure)));
    err.flush();
    return failure instanceof IllegalArgumentException ? ExitStatus.USAGE : ExitStatus.UNAVAILABLE;
  }
}
