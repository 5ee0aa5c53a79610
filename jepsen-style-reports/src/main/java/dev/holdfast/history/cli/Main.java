package dev.holdfast.history.cli;

import picocli.CommandLine;

/** {@code java -jar holdfast-history.jar}. */
@CommandLine.Command(
    name = "holdfast-history",
    mixinStandardHelpOptions = true,
    version = "Holdfast histories 0.1.0",
    description = "Checks histories in Jepsen's format.",
    subcommands = {CheckCommand.class, GenerateCommand.class})
public final class Main implements Runnable {
  @CommandLine.Spec private CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

  /** Runs, and exits with the command's status. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** The command line, whose input errors exit as unreadable histories do. */
  static CommandLine commandLine() {
    return new CommandLine(new Main());
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "say what to do: check or generate");
    }
  }
}
