package dev.holdfast.cli;

import dev.holdfast.lock.LockException;
import dev.holdfast.lock.internal.Texts;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
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
    System.exit(status(() -> execute(arguments)));
  }

  private static int execute(String[] arguments) {
    CommandLine commandLine = commandLine();
    String undecodable = undecodable(arguments, System.getProperty("sun.jnu.encoding", ""));
    if (undecodable == null) {
      return commandLine.execute(arguments);
    }
    return misused(new CommandLine.ParameterException(commandLine, undecodable), arguments);
  }

  /** What a command returns, or 3 if it throws: the JVM would exit with 1, a negative answer. */
  static int status(IntSupplier command) {
    try {
      return command.getAsInt();
    } catch (Throwable e) {
      System.err.println("holdfast: failed: " + Texts.printable(e));
      return ExitStatus.UNAVAILABLE;
    }
  }

  /**
   * A message if the JVM could not decode an argument; null if all are what was typed. In the POSIX
   * locale it replaces each byte that is not ASCII, so that a lock id would be another one.
   *
   * @param encoding that of arguments, {@code sun.jnu.encoding}
   */
  static @Nullable String undecodable(String[] arguments, String encoding) {
    if (encoding.equalsIgnoreCase("UTF-8")) {
      return null;
    }
    return Arrays.stream(arguments)
        .filter(argument -> argument.indexOf('\uFFFD') >= 0)
        .findFirst()
        .map(
            argument ->
                "the argument \""
                    + argument
                    + "\" has characters that the locale's encoding, "
                    + encoding
                    + ", cannot represent: set LC_ALL to a UTF-8 locale, such as C.UTF-8")
        .orElse(null);
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        // Arguments of the command that is run are its own, also one such as @file.
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionStrategy(Main::run)
        .setParameterExceptionHandler(Main::misused)
        .setExecutionExceptionHandler(Main::failed);
  }

  private static int run(CommandLine.ParseResult parsed) {
    CommandLine.ParseResult last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    if (last.commandSpec().userObject() instanceof RunCommand run) {
      // Before a --help that is the command's own is answered.
      run.checkSeparator(parsed.originalArgs());
    }
    int status = new CommandLine.RunLast().execute(parsed);
    // A watch ends well if nobody reads any more.
    boolean watches = last.commandSpec().userObject() instanceof WatchCommand;
    if (!watches && Output.isBroken(last.commandSpec().commandLine().getOut())) {
      PrintWriter err = last.commandSpec().commandLine().getErr();
      err.println("holdfast: standard output cannot be written");
      err.flush();
      return ExitStatus.UNAVAILABLE;
    }
    return status;
  }

  /** In two lines: the whole of the help would hide what is wrong. */
  private static int misused(CommandLine.ParameterException misuse, String[] arguments) {
    PrintWriter err = misuse.getCommandLine().getErr();
    String command = misuse.getCommandLine().getCommandSpec().qualifiedName();
    err.println("holdfast: " + Texts.printable(message(misuse)));
    err.println("Try \"" + command + " --help\".");
    err.flush();
    return ExitStatus.USAGE;
  }

  /** Of a command that does not exist, all that follows is its own. */
  private static @Nullable String message(CommandLine.ParameterException misuse) {
    return misuse instanceof CommandLine.UnmatchedArgumentException unmatched
            && misuse.getCommandLine().getParent() == null
            && !unmatched.isUnknownOption()
        ? "there is no command \"" + unmatched.getUnmatched().get(0) + "\""
        : misuse.getMessage();
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
